"""Merging back what a live table has lost: all of it, in one transaction, or nothing."""

from __future__ import annotations

import threading
import time

import pytest

from tests.tables.conftest import HOSTILE, Pair, quoted
from tui.model.difference import MergeBlocked
from tui.model.errors import PgdrError, Refused
from tui.operations.restore import tables
from tui.postgres.databases.databases import target_lock
from tui.postgres.merge.merge import MergeOptions, Planned

SHOP = """
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int NOT NULL REFERENCES users,
    parent bigint REFERENCES orders, cents int, euros numeric GENERATED ALWAYS AS (cents / 100.0) STORED
);
CREATE TABLE lines (
    order_id bigint REFERENCES orders ON DELETE CASCADE, n int, what text, PRIMARY KEY (order_id, n)
);
INSERT INTO users (email) SELECT 'u' || n || '@x' FROM generate_series(1, 40) n;
INSERT INTO orders (user_id, parent, cents)
    SELECT 1 + n % 40, NULLIF(n / 2, 0), n FROM generate_series(1, 100) n;
INSERT INTO lines SELECT n, k, 'thing' FROM generate_series(1, 100) n, generate_series(1, 3) k;
"""


def test_missing_rows_come_back_in_the_order_of_their_foreign_keys(pair: Pair) -> None:
    pair.made(SHOP)
    pair.sql(
        "TRUNCATE users, orders, lines; ALTER SEQUENCE users_id_seq RESTART; "
        "ALTER TABLE orders ALTER id RESTART"
    )
    counts = pair.merge(["lines", "orders", "users"])
    assert list(counts) == [("public", "users"), ("public", "orders"), ("public", "lines")]
    assert counts[("public", "orders")] == (0, 100, 100) and counts[("public", "lines")] == (0, 300, 300)
    assert all(d.same for d in pair.compare())
    assert pair.sql("INSERT INTO users (email) VALUES ('new@x') RETURNING id") == "41"
    assert (
        pair.sql("INSERT INTO orders (user_id, cents) VALUES (1, 250) RETURNING id, euros")
        == "101|2.5000000000000000"
    )


def test_only_what_is_missing_is_touched(pair: Pair) -> None:
    pair.made(SHOP)
    pair.sql("DELETE FROM lines WHERE order_id IN (4, 5); UPDATE lines SET what = 'newer' WHERE order_id = 6;"
             "INSERT INTO lines VALUES (7, 9, 'extra')")  # fmt: skip
    assert pair.merge(["lines"]) == {("public", "lines"): (295, 301, 6)}
    found = pair.one("lines")
    assert (found.missing, found.extra, found.changed) == (0, 1, 3)
    assert pair.sql("SELECT DISTINCT what FROM lines WHERE order_id = 6") == "newer"


def test_changed_rows_only_when_asked(pair: Pair) -> None:
    pair.made(SHOP)
    pair.sql("UPDATE orders SET cents = 0 WHERE id IN (3, 4); DELETE FROM lines WHERE order_id = 100;"
             "DELETE FROM orders WHERE id = 100")  # fmt: skip
    assert pair.merge(["orders"], MergeOptions(update_changed=True)) == {("public", "orders"): (99, 100, 1)}
    assert pair.one("orders").same


def test_a_row_whose_parent_is_gone_ends_it_with_nothing_changed(pair: Pair) -> None:
    pair.made(SHOP)
    pair.sql("DELETE FROM lines; DELETE FROM orders; DELETE FROM users WHERE id IN (3, 4)")
    with pytest.raises(MergeBlocked) as caught:
        pair.merge(["orders", "lines"])
    assert caught.value.exit_code == 4
    first = caught.value.blocked[0]
    assert (first.name, first.constraint) == ("orders", "orders_user_id_fkey") and first.rows == 6
    assert "public.users" in first.why and any(
        b.constraint == "lines_order_id_fkey" for b in caught.value.blocked
    )
    assert pair.sql("SELECT count(*) FROM orders") == "0"
    counts = pair.merge(["orders", "lines"], MergeOptions(skip_blocked=True))
    gone = int(pair.sql("SELECT count(*) FROM orders o WHERE parent NOT IN (SELECT id FROM orders)"))
    left = counts[("public", "orders")][2]
    assert gone == 0 and 0 < left < 95 and counts[("public", "lines")][2] == left * 3


def test_a_row_that_clashes_with_a_newer_one(pair: Pair) -> None:
    pair.made(SHOP)
    pair.sql("DELETE FROM lines; DELETE FROM orders; DELETE FROM users WHERE id < 5;"
             "INSERT INTO users (email) VALUES ('u2@x')")  # fmt: skip
    with pytest.raises(MergeBlocked, match="1 of the rows") as caught:
        pair.merge(["users"])
    assert caught.value.blocked[0].constraint == "users_email_key" and "u2@x" in caught.value.blocked[0].why
    assert pair.merge(["users"], MergeOptions(skip_blocked=True)) == {("public", "users"): (37, 40, 3)}


def test_other_unique_rules_than_plain_ones(pair18: Pair) -> None:
    pair18.made("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE UNIQUE INDEX ON t (lower(v));"
                "INSERT INTO t VALUES (1, 'a'), (2, 'b')")  # fmt: skip
    pair18.sql("DELETE FROM t; INSERT INTO t VALUES (9, 'A')")
    with pytest.raises(MergeBlocked, match="1 of the rows"):
        pair18.merge(["t"])
    assert pair18.merge(["t"], MergeOptions(skip_blocked=True)) == {("public", "t"): (1, 2, 1)}


def test_hostile_names_composite_keys_and_no_key(pair: Pair) -> None:
    table, column = quoted(HOSTILE), quoted(HOSTILE + "c")
    pair.made(
        f"CREATE SCHEMA {table}; CREATE TABLE {table}.{table} ({column} text, n serial, v jsonb, "
        f"PRIMARY KEY ({column}, n));"
        f"INSERT INTO {table}.{table} ({column}, v) SELECT E'a\\tb\\\\' || n, "
        f"'[1]' FROM generate_series(1, 9) n;"
        "CREATE TABLE log (a int, b text); INSERT INTO log SELECT 1, NULL FROM generate_series(1, 5)"
    )
    pair.sql(f"DELETE FROM {table}.{table} WHERE n > 4; DELETE FROM log WHERE ctid < '(0,3)'")
    counts = pair.merge([f"{HOSTILE}.{HOSTILE}", "log"])
    assert counts == {(HOSTILE, HOSTILE): (4, 9, 5), ("public", "log"): (3, 5, 2)}
    assert all(d.same for d in pair.compare())


def test_triggers_fire_unless_switched_off_and_are_as_before_after_it(pair: Pair) -> None:
    pair.made(
        "CREATE TABLE audit (what text); CREATE TABLE t (id int PRIMARY KEY);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN INSERT INTO audit VALUES (TG_NAME); RETURN NEW; END$$;"
        "CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION note();"
        "CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION note();"
        "CREATE TRIGGER c BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION note();"
        "CREATE TRIGGER d BEFORE DELETE ON t EXECUTE FUNCTION note();"
        "ALTER TABLE t DISABLE TRIGGER b; ALTER TABLE t ENABLE ALWAYS TRIGGER c;"
        "ALTER TABLE t DISABLE TRIGGER a; INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE TRIGGER a;"
        "TRUNCATE audit"
    )
    enabled = (
        "SELECT string_agg(tgname || tgenabled::text, ',' ORDER BY tgname)"
        " FROM pg_trigger WHERE tgrelid = 't'::regclass"
    )
    before = pair.sql(enabled)
    pair.sql("DELETE FROM t WHERE id = 1")
    plan = tables.plan_merge(pair.database, pair.restored, pair.compare("t"))
    assert plan.tables[0].triggers == ("a", "c") and any("will fire" in f.what for f in plan.findings)
    pair.sql("TRUNCATE audit")
    pair.merge(["t"], MergeOptions(triggers=False))
    assert pair.sql("SELECT count(*) FROM audit") == "0" and pair.sql(enabled) == before
    pair.sql("DELETE FROM t WHERE id = 2; TRUNCATE audit")
    pair.merge(["t"])
    assert (
        pair.sql("SELECT string_agg(what, ',' ORDER BY what) FROM audit") == "a,c"
        and pair.sql(enabled) == before
    )


def test_a_trigger_that_takes_rows_away_is_noticed(pair18: Pair) -> None:
    pair18.made(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3);"
        "CREATE FUNCTION eat() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN DELETE FROM t WHERE id = 3; RETURN NULL; END$$;"
        "CREATE TRIGGER eat AFTER INSERT ON t EXECUTE FUNCTION eat()"
    )
    pair18.sql("DELETE FROM t WHERE id = 1")
    with pytest.raises(PgdrError, match="would have 2 rows, not 3") as caught:
        pair18.merge(["t"])
    assert "switched off" in str(caught.value.mend)
    assert pair18.sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM t") == "2,3"


def test_what_has_moved_on_since_it_was_confirmed_is_not_merged(pair18: Pair) -> None:
    pair18.made(SHOP)
    pair18.sql("DELETE FROM lines WHERE order_id = 1")
    with pytest.raises(Refused, match="has moved on"):
        tables.merge_tables(
            pair18.database,
            pair18.restored,
            [("public", "lines")],
            MergeOptions(),
            {("public", "lines"): Planned(2)},
        )
    assert pair18.one("lines").missing == 3


def test_a_locked_table_and_a_second_merge_are_refused(pair18: Pair) -> None:
    pair18.made("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    pair18.sql("DELETE FROM t WHERE id = 1")
    holding = threading.Thread(
        target=lambda: pair18.sql("BEGIN; UPDATE t SET id = 2 WHERE id = 2; SELECT pg_sleep(8); COMMIT")
    )
    holding.start()
    time.sleep(1)
    with pytest.raises(Refused, match=r"could not be locked within 0\.5 s") as caught:
        pair18.merge(["t"], MergeOptions(lock_timeout_s=0.5))
    assert "process" in str(caught.value.why) and "pgdr-demo" in str(caught.value.why)
    with target_lock(pair18.live.endpoint, pair18.live.name), pytest.raises(Refused, match="Another pgdr"):
        pair18.merge(["t"])
    holding.join()
    assert pair18.merge(["t"]) == {("public", "t"): (1, 2, 1)}


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_merge_that_is_ended_in_the_middle_changes_nothing(pair18: Pair, end: str) -> None:
    pair18.made(
        "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT FROM generate_series(1, 9);"
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3); "
        "RETURN NEW; END';"
        "CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    pair18.sql("DELETE FROM t WHERE id > 2")
    caught: list[PgdrError] = []

    def merge() -> None:
        try:
            pair18.merge(["t"])
        except PgdrError as error:
            caught.append(error)

    merging = threading.Thread(target=merge)
    merging.start()
    ended = (
        f"SELECT count({end}(pid)) FROM pg_stat_activity"
        " WHERE query LIKE 'INSERT%' AND wait_event = 'PgSleep'"
    )
    until = time.monotonic() + 30
    while pair18.sql(ended) == "0" and time.monotonic() < until:
        time.sleep(0.1)
    merging.join(30)
    assert caught and caught[0].what == "Nothing was merged." and caught[0].why
    assert pair18.sql("SELECT count(*) FROM t") == "2"
    assert pair18.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgdr merge'") == "0"


def test_columns_that_have_changed_since_the_backup(pair18: Pair) -> None:
    pair18.made(
        "CREATE TABLE t (id int PRIMARY KEY, a text, gone text); INSERT INTO t VALUES (1, 'x', 'y'), (2, "
        "'x', 'y')"
    )
    pair18.sql("DELETE FROM t WHERE id = 1; ALTER TABLE t DROP gone; "
               "ALTER TABLE t ADD must int NOT NULL DEFAULT 5;"
               "ALTER TABLE t ALTER id TYPE bigint")  # fmt: skip
    pair18.merge(["t"])
    assert pair18.sql("SELECT * FROM t WHERE id = 1") == "1|x|5"
    pair18.sql("DELETE FROM t WHERE id = 1; ALTER TABLE t ALTER must DROP DEFAULT")
    with pytest.raises(Refused, match="can't be merged") as caught:
        pair18.merge(["t"])
    assert "must" in str(caught.value.why)


def test_partitions_and_many_rows(pair: Pair) -> None:
    pair.made(
        "CREATE TABLE p (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');"
        "INSERT INTO p SELECT n, date '2026-01-01' + n % 50, 'v' FROM generate_series(1, 200000) n"
    )
    pair.sql("TRUNCATE p2; DELETE FROM p1 WHERE id % 3 = 0")
    missing = pair.one("p").missing
    assert missing is not None and missing > 100_000
    assert pair.merge(["p"]) == {("public", "p"): (200_000 - missing, 200_000, missing)}
    assert pair.one("p").same
