"""A snapshot says exactly what pg_dump writes from it, whatever is written meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres.conftest import HOSTILE, Ground
from tui.model.backup import SequenceState, TableState
from tui.model.errors import PgdrError
from tui.model.fleet import Programs
from tui.postgres.catalog.snapshot import Snapshot
from tui.postgres.commands import dump, restore
from tui.postgres.connection import DatabaseMissing, environment
from tui.postgres.databases import databases
from tui.postgres.facts.counting import count
from tui.postgres.facts.facts import server_facts
from tui.postgres.programs import dump_program, restore_program
from tui.process import run

SCHEMA = """
    CREATE TABLE users (id bigserial PRIMARY KEY, email text UNIQUE, age int CHECK (age > 0));
    INSERT INTO users (email, age) SELECT 'u' || i, 1 + i % 90 FROM generate_series(1, 1000) i;
    CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint REFERENCES users,
                         at date);
    CREATE INDEX ON orders (at);
    CREATE SCHEMA "o""dd";
    CREATE TABLE "o""dd"."t;1" ("c ol" int, dropped int, last int);
    ALTER TABLE "o""dd"."t;1" DROP COLUMN dropped;
    INSERT INTO "o""dd"."t;1" SELECT 1, 2 FROM generate_series(1, 5);
    CREATE TABLE trades (at int, id int) PARTITION BY RANGE (at);
    CREATE TABLE trades_1 PARTITION OF trades FOR VALUES FROM (0) TO (10);
    CREATE TABLE trades_2 PARTITION OF trades FOR VALUES FROM (10) TO (20);
    INSERT INTO trades SELECT i % 20, i FROM generate_series(1, 60) i;
    CREATE SEQUENCE lonely START 5;
    CREATE VIEW v AS SELECT 1;
    CREATE MATERIALIZED VIEW m AS SELECT * FROM users;
"""


@pytest.fixture
def filled(ground: Ground) -> Ground:
    ground.sql(SCHEMA)
    return ground


def test_what_a_snapshot_says(filled: Ground) -> None:
    reader = filled.role("reader")
    filled.sql(f"GRANT SELECT ON users TO reader; GRANT CONNECT ON DATABASE {filled.name} TO reader")
    filled.sql(f"ALTER DATABASE {filled.name} SET work_mem = '8MB'")
    told: list[TableState] = []
    with Snapshot(filled.endpoint, filled.name) as snapshot:
        filled.sql("INSERT INTO users (email) VALUES ('late'); DELETE FROM trades; SELECT nextval('lonely')")
        found = snapshot.facts(told.append)
    rows = {(t.schema, t.name): t.rows for t in found.tables}
    assert rows == {
        ("public", "users"): 1000,
        ("public", "orders"): 0,
        ('o"dd', "t;1"): 5,
        ("public", "trades_1"): 30,
        ("public", "trades_2"): 30,
    }
    assert sorted(told, key=lambda t: (t.schema, t.name)) == list(found.tables)
    columns = {(t.schema, t.name): t.columns for t in found.tables}
    assert columns['o"dd', "t;1"] == ("c ol", "last")
    assert SequenceState("public", "users_id_seq", 1000, True) in found.sequences
    assert SequenceState("public", "lonely", 5, False) in found.sequences
    assert found.extensions == {"plpgsql": "1.0"}
    assert set(found.roles) == {filled.endpoint.user, reader.user}
    assert (found.encoding, found.collate, found.ctype, found.owner) == (
        "UTF8",
        "C",
        "C",
        filled.endpoint.user,
    )
    assert any(item.startswith("reader=c/") for item in found.acl) and found.settings == ("work_mem=8MB",)
    assert found.system_identifier == server_facts(filled.endpoint).system_identifier
    assert (found.indexes, found.constraints) == (4, 5)
    assert found.database_bytes > 1_000_000 and found.server_version.split(".")[0] in ("18", "15")


def test_a_dump_from_it_restores_to_the_same_counts(filled: Ground, tmp_path: Path) -> None:
    at, archive = filled.endpoint, tmp_path / "archive.dump"
    major = server_facts(at).version_num // 10000
    program = dump_program("pg_dump", Programs(), at, major)
    with Snapshot(at, filled.name) as snapshot:
        filled.sql("DELETE FROM trades; SELECT nextval('users_id_seq')")
        env = environment(at)
        done = run(dump(program, env, filled.name, file=archive, snapshot=snapshot.id))
        assert done.code == 0, done.stderr
        found = snapshot.facts()
    databases.create(at, HOSTILE)
    client = restore_program(Programs(), at, major, program.major)
    done = run(restore(client, environment(at), archive, HOSTILE, jobs=2))
    assert done.code == 0, done.stderr
    with filled.connect(HOSTILE) as connection:
        for table in found.tables:
            assert count(connection, (table.schema, table.name)).rows == table.rows
    with Snapshot(at, HOSTILE) as copy:
        again = copy.facts()
    assert (again.indexes, again.constraints) == (found.indexes, found.constraints)
    assert [t.columns for t in again.tables] == [t.columns for t in found.tables]


def test_only_some_tables(filled: Ground) -> None:
    with Snapshot(filled.endpoint, filled.name) as snapshot:
        found = snapshot.facts(only=(("public", "users"),))
    assert [(t.name, t.rows) for t in found.tables] == [("users", 1000)]


def test_what_a_callback_raises_ends_the_counting(filled: Ground) -> None:
    class Enough(Exception):
        pass

    def enough() -> None:
        raise Enough

    with filled.connect() as locker, Snapshot(filled.endpoint, filled.name) as snapshot:
        locker.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Enough):
            snapshot.facts(on_wait=enough, only=(("public", "orders"),))


def test_a_table_that_cannot_be_counted_is_no_guess(filled: Ground) -> None:
    reader = filled.role("reader")
    filled.sql(
        'GRANT USAGE ON SCHEMA "o""dd" TO reader; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader'
    )
    with Snapshot(reader, filled.name) as snapshot, pytest.raises(PgdrError, match="could not be counted"):
        snapshot.facts()


def test_rows_hidden_by_a_policy_are_an_error(filled: Ground) -> None:
    reader = filled.role("reader")
    filled.sql("CREATE TABLE own (id int); INSERT INTO own VALUES (1), (2); GRANT SELECT ON own TO reader")
    filled.sql("ALTER TABLE own ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON own USING (id = 1)")
    filled.sql("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader")
    with Snapshot(reader, filled.name) as snapshot, pytest.raises(PgdrError, match="row-level security"):
        snapshot.facts(only=(("public", "own"),))


def test_no_database_no_snapshot(ground: Ground) -> None:
    with pytest.raises(DatabaseMissing), Snapshot(ground.endpoint, "nosuch"):
        raise AssertionError("entered")


def test_nothing_is_held_afterwards(filled: Ground) -> None:
    with Snapshot(filled.endpoint, filled.name) as snapshot:
        snapshot.facts()
    assert filled.sql(
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{filled.name}'", "postgres"
    ) == [(0,)]
    with pytest.raises(PgdrError, match="held"):
        snapshot.facts()
