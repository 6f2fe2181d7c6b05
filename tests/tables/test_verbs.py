"""A table restored, compared and merged as a person does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recovery.world import World, make_world
from tests.servers import fresh_database

BELONGINGS = """
SELECT 'index ' || indexname FROM pg_indexes WHERE tablename = 'wallets'
UNION ALL SELECT 'constraint ' || conname FROM pg_constraint
           WHERE conrelid = 'wallets'::regclass AND contype IN ('p', 'c', 'u')
UNION ALL SELECT 'sequence ' || pg_get_serial_sequence('wallets', 'id')
UNION ALL SELECT 'at ' || last_value || is_called FROM wallets_id_seq
UNION ALL SELECT 'default ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'wallets'::regclass
UNION ALL SELECT 'grants ' || relacl::text FROM pg_class WHERE oid = 'wallets'::regclass
UNION ALL SELECT 'grants ' || relacl::text FROM pg_class WHERE oid = 'wallets_id_seq'::regclass
UNION ALL SELECT 'comment ' || obj_description('wallets'::regclass)
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgrelid = 'wallets'::regclass AND NOT tgisinternal
ORDER BY 1
"""


@pytest.fixture(params=["pg18", "pg15"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A shop on PostgreSQL 18, then on 15."""
    with fresh_database(request.getfixturevalue(request.param)) as live:
        yield make_world(live, tmp_path)


def restored_wallets(world: World) -> str:
    (row,) = world.answer("backup", "shop", "--store", "local")
    world.sql("DELETE FROM orders; DELETE FROM wallets WHERE id BETWEEN 100 AND 149;"
              "UPDATE wallets SET note = 'new' WHERE id = 7; INSERT INTO wallets (user_id, "
              "balance) VALUES (1, 5)")  # fmt: skip
    answer = world.answer("restore", row["refs"][0], "--table", "public.wallets")
    (difference,) = answer["differences"]
    assert (difference["missing"], difference["extra"], difference["changed"]) == (50, 1, 1)
    assert difference["missing_keys"][:2] == ["100", "101"] and len(difference["missing_keys"]) == 10
    return str(answer["target"])


def test_a_table_comes_whole_and_its_missing_rows_are_merged(world: World) -> None:
    reader = f"reader_{world.live.name}"
    world.sql(
        f"CREATE ROLE {reader}; GRANT SELECT, UPDATE (note) ON wallets TO {reader};"
        f"GRANT USAGE ON SEQUENCE wallets_id_seq TO {reader};"
        "ALTER TABLE wallets ADD CONSTRAINT sane CHECK (balance >= 0);"
        "COMMENT ON TABLE wallets IS 'money';"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER noted BEFORE INSERT ON wallets FOR EACH ROW EXECUTE FUNCTION note()"
    )
    whole = world.sql(BELONGINGS)
    target = restored_wallets(world)
    assert world.live.server.sql(BELONGINGS, target) == whole
    assert all(
        word in whole for word in ("index wallets_user", "constraint sane", "sequence", "trigger noted")
    )

    shown = world.answer("compare", "shop", target, code=3)
    assert [t["name"] for t in shown["tables"]] == ["wallets"] and shown["tables"][0]["same"] is False
    refused = world.answer("merge", "shop", target, "--table", "wallets", code=4)
    assert "needs its confirmation" in refused["error"]["what"] and world.count("wallets") == 1951
    closed = world.pgdr("--read-only", "merge", "shop", target, "--table", "wallets", "--confirm", "shop")
    assert closed.returncode == 4 and "read-only" in closed.stderr
    asked = world.pgdr("merge", "shop", target, "--table", "wallets", "--confirm", "other")
    assert asked.returncode == 4 and "1,951 to 2,001" in asked.stderr and "will fire" in asked.stderr

    done = world.answer("merge", "shop", target, "--table", "wallets", "--confirm", "shop")
    (merged,) = done["merged"]
    assert (merged["before"], merged["after"], merged["inserted"], merged["updated"]) == (1951, 2001, 50, 0)
    assert world.count("wallets") == 2001 and world.sql("SELECT note FROM wallets WHERE id = 7") == "new"
    said = world.pgdr("compare", "shop", target)
    assert said.returncode == 3 and "missing" not in said.stdout and "changed  1 row" in said.stdout


def test_what_is_wrong_is_said(world: World) -> None:
    target = restored_wallets(world)
    world.sql("DELETE FROM wallets WHERE user_id IN (3, 4); DELETE FROM users WHERE id IN (3, 4)")
    blocked = world.pgdr("merge", "shop", target, "--table", "wallets", "--confirm", "shop")
    assert blocked.returncode == 4 and "public.users" in blocked.stderr and "--skip-blocked" in blocked.stderr
    before = world.count("wallets")
    some = world.answer(
        "merge", "shop", target, "--table", "wallets", "--skip-blocked", "--confirm", "shop", code=3
    )
    assert (
        some["merged"][0]["skipped"] > 0 and world.count("wallets") == before + some["merged"][0]["inserted"]
    )
    assert world.pgdr("compare", "shop", target, "--table", "walets").returncode == 2
    assert world.pgdr("compare", "shop", world.live.name).returncode == 4
    gone = world.pgdr("compare", "shop", "nothing_here")
    assert gone.returncode == 1 and "does not exist" in gone.stderr
    world.drop_live()
    gone = world.pgdr("compare", "shop", target)
    assert gone.returncode == 1 and "does not exist" in gone.stdout
