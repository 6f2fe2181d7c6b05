"""Checks of a database that is right, and of what can be wrong with one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from tests.postgres.conftest import Ground
from tui.model.backup import ArchiveFormat, Manifest
from tui.model.fleet import Database, SqlCheck
from tui.model.verdict import Check
from tui.postgres.catalog.snapshot import Snapshot
from tui.postgres.checks.checks import analyze, run_checks, structure_checks

SCHEMA = """
    CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE);
    INSERT INTO users (email) SELECT 'u' || i FROM generate_series(1, 100) i;
    CREATE TABLE orders (id serial PRIMARY KEY, user_id int REFERENCES users, at timestamptz);
    INSERT INTO orders (user_id, at) SELECT 1, '2026-11-21 02:00Z' FROM generate_series(1, 50);
    CREATE TABLE trades (at int) PARTITION BY RANGE (at);
    CREATE TABLE trades_1 PARTITION OF trades FOR VALUES FROM (0) TO (10);
    CREATE TABLE trades_2 PARTITION OF trades FOR VALUES FROM (10) TO (20);
    INSERT INTO trades SELECT i % 20 FROM generate_series(1, 60) i;
    CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER quiet BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION quiet();
    ANALYZE;
"""


def manifest_of(ground: Ground) -> Manifest:
    with Snapshot(ground.endpoint, ground.name) as snapshot:
        found = snapshot.facts()
    return Manifest(
        version=1,
        key="k",
        database=ground.name,
        created_at=datetime(2026, 11, 21, 3, 0, tzinfo=timezone.utc),
        duration_s=1.0,
        size_bytes=1,
        sha256="",
        format=ArchiveFormat.CUSTOM,
        dump_version="18.6",
        **{name: getattr(found, name) for name in found.__dataclass_fields__},
    )


@pytest.fixture
def filled(ground: Ground) -> tuple[Ground, Manifest, Database]:
    ground.sql(SCHEMA)
    database = Database(
        "shop",
        ground.name,
        "svc",
        endpoint=ground.endpoint,
        rpo=timedelta(hours=2),
        key_tables=("users", "public.trades"),
        freshness=("orders.at",),
        checks=(SqlCheck("has users", "SELECT count(*) > 99 FROM users", "t"),),
    )
    return ground, manifest_of(ground), database


Filled = tuple[Ground, Manifest, Database]


def asked(filled: Filled, **changed: object) -> dict[str, Check]:
    ground, manifest, database = filled
    told: list[Check] = []
    given = replace(manifest, **changed) if manifest else None  # type: ignore[arg-type]
    made = run_checks(ground.endpoint, ground.name, database, given, told.append)
    assert list(made) == told
    assert len({c.name for c in made}) == len(made)
    return {c.name: c for c in made}


def failed(found: dict[str, Check]) -> set[str]:
    return {name for name, check in found.items() if check.passed is not True}


def test_a_database_that_is_right_passes_every_check(filled: Filled) -> None:
    found = asked(filled)
    assert failed(found) == set()
    assert set(found) == {
        "tables",
        "columns",
        "extensions",
        "indexes",
        "constraints",
        "invalid indexes",
        "constraints not validated",
        "disabled triggers",
        "rows of users",
        "rows of public.trades",
        "rows of 1 other table",
        "sequences",
        "newest orders.at",
        "sequences past their columns",
        "collation versions",
        "statistics",
        "large objects",
        "materialized views",
        "owners",
        "grants",
        "has users",
    }
    assert (found["rows of public.trades"].expected, found["rows of public.trades"].found) == ("60", "60")


def test_rows_that_differ_are_named(filled: Filled) -> None:
    filled[0].sql(
        "DELETE FROM orders WHERE id < 4; DELETE FROM trades_1; INSERT INTO users (email) VALUES ('x')"
    )
    found = asked(filled)
    assert failed(found) == {"rows of users", "rows of public.trades", "rows of 1 other table"}
    assert found["rows of users"].found == "101"
    assert found["rows of public.trades"].found == "30"
    assert "public.orders: 47 of 50" in found["rows of 1 other table"].found


def test_rows_that_move_between_partitions_are_no_match(filled: Filled) -> None:
    filled[0].sql("UPDATE trades SET at = 15 WHERE at = 5")
    assert failed(asked(filled)) == {"rows of public.trades"}


def test_missing_parts_are_named(filled: Filled) -> None:
    filled[0].sql("""
        DROP TABLE trades; ALTER TABLE users DROP COLUMN email;
        ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey;
    """)
    found = asked(filled)
    assert "public.trades_1" in found["tables"].found
    assert found["columns"].found == "public.users lacks email"
    assert found["constraints"].passed is False and found["indexes"].passed is False
    assert found["rows of public.trades"].passed is False


def test_extensions_that_are_missing_or_of_another_version(filled: Filled) -> None:
    missing = asked(filled, extensions={"plpgsql": "1.0", "postgis": "3.4"})["extensions"]
    assert missing.passed is False and "postgis" in missing.found and missing.mend
    assert asked(filled, extensions={"plpgsql": "0.9"})["extensions"].passed is None


def test_sequences_that_are_behind(filled: Filled) -> None:
    ground, _, _ = filled
    ground.sql("SELECT setval('users_id_seq', 50)")
    found = asked(filled)
    assert failed(found) == {"sequences", "sequences past their columns"}
    assert "is at 50, was at 100" in found["sequences"].found
    ground.sql("SELECT setval('users_id_seq', 100, false)")
    assert failed(asked(filled)) == {"sequences", "sequences past their columns"}
    ground.sql("SELECT setval('users_id_seq', 5000)")
    assert failed(asked(filled)) == set()


def test_what_must_not_be_in_any_database(filled: Filled) -> None:
    ground, _, _ = filled
    ground.sql("""
        ALTER TABLE orders ADD CONSTRAINT late CHECK (id > 0) NOT VALID;
        ALTER TABLE users DISABLE TRIGGER quiet;
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_email_key'::regclass;
    """)
    found = asked(filled)
    assert (found["invalid indexes"].passed, found["invalid indexes"].found) == (
        False,
        "public.users_email_key",
    )
    assert found["constraints not validated"].passed is None
    assert (found["disabled triggers"].passed, found["disabled triggers"].found) == (
        False,
        "public.users quiet",
    )
    assert asked(filled, disabled_triggers=("public.users quiet",))["disabled triggers"].passed is True
    assert asked(filled, disabled_triggers=None)["disabled triggers"].passed is None
    ground.sql("ALTER TABLE orders DISABLE TRIGGER ALL")
    assert asked(filled)["disabled triggers"].passed is False


def test_freshness(filled: Filled) -> None:
    ground, manifest, database = filled
    ground.sql("UPDATE orders SET at = '2026-11-20 20:00Z'")
    found = asked(filled)["newest orders.at"]
    assert found.passed is False and found.found == "2026-11-20 20:00:00 UTC"
    stamps = replace(database, freshness=("orders.nosuch", "public.users.email"))
    answers = run_checks(ground.endpoint, ground.name, stamps, manifest)
    assert [c.passed for c in answers if c.name.startswith("newest")] == [False, False]
    ground.sql("TRUNCATE orders")
    assert asked(filled)["newest orders.at"].found == "no row"


def test_the_fleets_own_questions(filled: Filled) -> None:
    ground, manifest, database = filled
    own = (
        SqlCheck("text", "SELECT 1.50::numeric", "1.50"),
        SqlCheck("percent", "SELECT '100%' WHERE 'a' LIKE 'a%'", "100%"),
        SqlCheck("null", "SELECT NULL", "x"),
        SqlCheck("none", "SELECT 1 WHERE false", "1"),
        SqlCheck("writes", "DELETE FROM users", "0"),
        SqlCheck("wrong", "SELEKT", "1"),
        SqlCheck("slow", "SELECT pg_sleep(30)", ""),
        SqlCheck("after", "SELECT count(*) FROM users", "100"),
    )
    asked_so = replace(database, checks=own)
    answers = run_checks(ground.endpoint, ground.name, asked_so, manifest, limit_s=2.0)
    found = {c.name: c for c in answers[-len(own) :]}
    assert [c.passed for c in found.values()] == [True, True, False, False, False, False, None, True]
    assert (found["null"].found, found["none"].found) == ("NULL", "no row")
    assert "read-only" in found["writes"].found and "syntax" in found["wrong"].found


def test_without_a_manifest_nothing_is_judged_by_it(filled: Filled) -> None:
    ground, _, database = filled
    wrong = replace(database, key_tables=("users", "nosuch"))
    found = {c.name: c for c in run_checks(ground.endpoint, ground.name, wrong, None)}
    assert (found["rows of users"].passed, found["rows of users"].found) == (None, "100")
    assert found["rows of nosuch"].passed is False and found["newest orders.at"].passed is None
    assert "tables" not in found and found["sequences past their columns"].passed


def test_only_what_was_restored_is_asked_for(filled: Filled) -> None:
    ground, manifest, database = filled
    ground.sql("DROP TABLE trades; DROP TABLE orders")
    only = replace(database, key_tables=("users",), freshness=())
    found = run_checks(ground.endpoint, ground.name, only, manifest, tables=(("public", "users"),))
    assert all(c.passed for c in found), found
    schema_only = replace(manifest, selection="schema")
    names = [c.name for c in run_checks(ground.endpoint, ground.name, only, schema_only)]
    assert not [n for n in names if n.startswith("rows")] and "sequences" not in names


def test_a_live_database_may_have_moved_on(filled: Filled) -> None:
    ground, manifest, database = filled
    ground.sql("INSERT INTO users (email) VALUES ('new'); DELETE FROM orders; CREATE INDEX ON orders (at)")
    assert all(c.passed for c in structure_checks(ground.endpoint, ground.name, database, manifest))


def test_a_database_that_cannot_be_reached_is_one_failed_check(filled: Filled) -> None:
    ground, manifest, database = filled
    (check,) = run_checks(ground.endpoint, "nosuch", database, manifest)
    assert (check.name, check.passed) == ("connection", False) and "does not exist" in check.found


def test_a_connection_that_breaks_half_way_is_told(filled: Filled) -> None:
    ground, manifest, database = filled

    def cut(check: Check) -> None:
        if check.name == "extensions":
            ground.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgdr'",
                "postgres",
            )

    made = run_checks(ground.endpoint, ground.name, database, manifest, cut)
    after = [c.passed for c in made[3:]]
    assert after[0] is False and True not in after


def test_analyze_gives_every_table_its_statistics(ground: Ground) -> None:
    ground.sql(SCHEMA + """; CREATE MATERIALIZED VIEW "m v" AS SELECT 1; CREATE TABLE "o""d" ()""")
    told: list[tuple[str, str]] = []
    assert analyze(ground.endpoint, ground.name, told.append) == len(told) == 7
    assert ground.sql("SELECT reltuples FROM pg_class WHERE relname = 'users'") == [(100.0,)]
