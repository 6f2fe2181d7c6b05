"""Taking a merge back: what it put in goes, what it wrote over is as it was, what came later stays."""

from __future__ import annotations

import pytest

from tests.tables.conftest import HOSTILE, Pair, quoted
from tests.tables.test_merge import SHOP
from tui.model.difference import UndoneTable
from tui.model.errors import Refused
from tui.operations.restore import tables
from tui.postgres.merge.merge import MergeOptions

ASIDE = "pgdr_undo_1"
HOW = MergeOptions(update_changed=True, aside=ASIDE)


def back(pair: Pair, triggers: bool = True) -> dict[str, tuple[int, int, int]]:
    """Takes the merge back; rows removed, put back and left of each table."""
    done = tables.take_merge_back(pair.database, pair.restored, ASIDE, triggers=triggers)
    return {t.name: (t.removed, t.put_back, t.left) for t in done}


def everything(pair: Pair) -> str:
    return pair.sql("TABLE users ORDER BY 1; TABLE orders ORDER BY 1; TABLE lines ORDER BY 1, 2")


def test_a_merge_is_taken_back_to_the_letter(pair: Pair) -> None:
    pair.made(SHOP)
    pair.sql("DELETE FROM lines WHERE order_id > 60; DELETE FROM orders WHERE id > 60;"
             "UPDATE users SET email = 'new' || id || '@x' WHERE id < 5")  # fmt: skip
    before = everything(pair)
    pair.merge(["users", "orders", "lines"], HOW)
    assert all(d.same for d in pair.compare())
    assert back(pair) == {"lines": (120, 0, 0), "orders": (40, 0, 0), "users": (0, 4, 0)}
    assert everything(pair) == before
    assert pair.old("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgdr_undo%'") == "0"


def test_what_was_written_or_referred_to_since_stays(pair18: Pair) -> None:
    pair18.made(SHOP)
    pair18.sql("DELETE FROM lines; DELETE FROM orders; UPDATE users SET email = 'mine@x' WHERE id = 1")
    pair18.merge(["users", "orders"], HOW)
    pair18.sql("INSERT INTO lines VALUES (100, 1, 'after'); UPDATE orders SET cents = 7 WHERE id = 99;"
               "UPDATE users SET email = 'later@x' WHERE id = 1")  # fmt: skip
    # 100 is referred to by a line, 99 was written to, and 50, 49 … 1 are the parents of those two
    done = back(pair18)
    assert done["users"] == (0, 0, 1) and done["orders"][0] == 100 - done["orders"][2]
    assert pair18.sql("SELECT count(*) FROM lines") == "1"
    assert pair18.sql("SELECT cents FROM orders WHERE id = 99") == "7"
    assert pair18.sql("SELECT email FROM users WHERE id = 1") == "later@x"
    # it is all that tells of the user's former address
    assert pair18.old(f"SELECT email FROM {ASIDE}.former_0") == "mine@x"
    assert set(tables.chosen_tables(pair18.database, pair18.restored)) == {
        ("public", "users"), ("public", "orders"), ("public", "lines"),
    }  # fmt: skip


def test_without_a_key_as_many_are_removed_as_were_put_in(pair18: Pair) -> None:
    name = quoted(HOSTILE)
    pair18.made(f"CREATE TABLE {name} (a int, {name} json, c float8);"
                f"INSERT INTO {name} SELECT n % 3, '{{\"a\":[1]}}', n / 3.0 FROM generate_series(0, 8) n;"
                f"INSERT INTO {name} SELECT * FROM {name}")  # fmt: skip
    pair18.sql(f"DELETE FROM {name} WHERE a = 1 AND ctid IN (SELECT min(ctid) FROM {name} GROUP BY c)")
    pair18.merge([HOSTILE], MergeOptions(aside=ASIDE))
    assert pair18.sql(f"SELECT count(*) FROM {name}") == "18"
    assert back(pair18) == {HOSTILE: (3, 0, 0)}
    assert pair18.sql(f"SELECT count(*) FROM {name}") == "15"


def test_a_merge_that_fails_keeps_nothing(pair18: Pair) -> None:
    pair18.made(SHOP)
    pair18.sql("ALTER TABLE lines DROP CONSTRAINT lines_order_id_fkey; DELETE FROM lines WHERE n = 1;"
               "ALTER TABLE lines ADD CONSTRAINT odd CHECK (n > 1)")  # fmt: skip
    with pytest.raises(Exception, match="odd"):
        pair18.merge(["lines"], HOW)
    assert pair18.old("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgdr_undo%'") == "0"
    with pytest.raises(Refused, match="no longer there"):
        back(pair18)


def test_triggers_stay_quiet_when_they_were_quiet(pair18: Pair) -> None:
    pair18.made(SHOP)
    pair18.sql("DELETE FROM lines; CREATE TABLE log (what text);"
               "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS"
               " $$BEGIN INSERT INTO log VALUES (TG_OP); RETURN COALESCE(NEW, OLD); END$$;"
               "CREATE TRIGGER t AFTER INSERT OR DELETE ON lines"
               " FOR EACH ROW EXECUTE FUNCTION tell()")  # fmt: skip
    pair18.merge(["lines"], MergeOptions(triggers=False, aside=ASIDE))
    done = tables.take_merge_back(pair18.database, pair18.restored, ASIDE, triggers=False)
    assert done == (UndoneTable("public", "lines", 300, 0, 0),)
    assert pair18.sql("SELECT count(*) FROM log") == "0"
    assert pair18.sql("SELECT tgenabled FROM pg_trigger WHERE tgname = 't'") == "O"
