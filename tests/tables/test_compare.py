"""Comparing restored tables with live ones."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from tests.tables.conftest import HOSTILE, Pair, quoted
from tui.model.errors import PgdrError, Refused, UsageError
from tui.operations.restore import tables


def test_rows_missing_extra_and_changed_by_key(pair: Pair) -> None:
    pair.made(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, n FROM generate_series(1, 50) n"
    )
    same = pair.one("t")
    assert same.same and (same.live_rows, same.restored_rows) == (50, 50)
    pair.sql(
        "DELETE FROM t WHERE id IN (3, 12); UPDATE t SET v = 'x' WHERE id = 20; "
        "INSERT INTO t VALUES (-7, 'n')"
    )
    found = pair.one("public.t")
    assert (found.missing, found.extra, found.changed) == (2, 1, 1)
    assert (found.missing_keys, found.extra_keys, found.changed_keys) == (("3", "12"), ("-7",), ("20",))
    assert found.key == ("id",) and (found.live_rows, found.restored_rows) == (49, 50) and not found.same


@pytest.mark.parametrize(
    ("declared", "values", "gone"),
    [
        ("text", "'b', 'a', 'Ä', 'aa', 'A', 'z z', '', '€', '\U0001f600'", "'Ä', '€', ''"),
        ("numeric", "10, 9, -1.50, 0, 1e20, 'NaN'", "9, 'NaN'"),
        ("uuid", "'00000000-0000-0000-0000-0000000000ff', 'ffffffff-0000-0000-0000-000000000000'",
         "'00000000-0000-0000-0000-0000000000ff'"),
        ("timestamptz", "'2020-01-01', 'infinity', '0044-03-15 BC', '20000-01-01', "
                        "'-infinity'", "'infinity', '2020-01-01'"),
        ("float8", "0.1, 1e-300, -2, 'Infinity', 3", "0.1, 1e-300"),
        ("bytea", "'\\x00', '\\xff00', '\\x7f'", "'\\xff00'"),
        ("bool", "true, false", "true"),
        ("text COLLATE \"C\"", "'b', 'B', 'é'", "'B'"),
        ("interval", "'1 day', '-3 hours', '1 year 2 mons'", "'-3 hours'"),
    ],
)  # fmt: skip
def test_keys_of_every_kind_have_one_order_on_both_sides(
    pair18: Pair, declared: str, values: str, gone: str
) -> None:
    rows = values.replace(", '", "), ('").replace(", ", "), (") if "'" not in values else None
    listed = (
        f"VALUES ({rows})" if rows else f"SELECT unnest(ARRAY[{values}]::{declared.split(' COLLATE')[0]}[])"
    )
    pair18.made(f"CREATE TABLE t (k {declared} PRIMARY KEY, v int DEFAULT 1); INSERT INTO t (k) {listed}")
    assert pair18.one("t").same
    kind = declared.split(" COLLATE")[0]
    removed = int(pair18.sql(f"WITH d AS (DELETE FROM t WHERE k = ANY (ARRAY[{gone}]::{kind}[]) RETURNING 1) "
                             "SELECT count(*) FROM d"))  # fmt: skip
    found = pair18.one("t")
    assert removed == found.missing and found.extra == 0 and found.changed == 0


def test_composite_keys_and_hostile_names(pair: Pair) -> None:
    table, column = quoted(HOSTILE), quoted(HOSTILE + "c")
    pair.made(
        f"CREATE SCHEMA {table}; CREATE TABLE {table}.{table} ({column} text, n bigint, v jsonb,"
        f" PRIMARY KEY (n, {column}));"
        f"INSERT INTO {table}.{table} SELECT 'k' || n % 7, n, '{{\"a\": 1}}' FROM generate_series(1, 100) n"
    )
    pair.sql(f"DELETE FROM {table}.{table} WHERE n = 9; UPDATE {table}.{table} SET v = '2' WHERE n = 10")
    found = pair.one(f"{HOSTILE}.{HOSTILE}")
    assert (found.missing, found.extra, found.changed) == (1, 0, 1)
    assert found.missing_keys == ("(9, k2)",) and found.key == ("n", HOSTILE + "c")


def test_without_a_key_rows_are_compared_as_wholes(pair: Pair) -> None:
    pair.made("CREATE TABLE log (a int, b text); INSERT INTO log SELECT n % 10, "
              "'x' FROM generate_series(1, 100) n;"
              "INSERT INTO log VALUES (NULL, NULL), (NULL, NULL)")  # fmt: skip
    assert pair.one("log").same
    pair.sql("DELETE FROM log WHERE ctid IN (SELECT ctid FROM log WHERE a = 3 LIMIT 4);"
             "DELETE FROM log WHERE ctid IN (SELECT ctid FROM log WHERE a IS NULL LIMIT 1);"
             "INSERT INTO log VALUES (99, 'new')")  # fmt: skip
    found = pair.one("log")
    assert (found.missing, found.extra, found.changed, found.key) == (5, 1, None, ())
    assert found.missing_keys == ()


def test_columns_that_only_one_side_has_and_generated_ones(pair: Pair) -> None:
    pair.made(
        "CREATE TABLE t (id int PRIMARY KEY, a int, gone text, twice int GENERATED ALWAYS AS (a * 2) STORED);"
        "INSERT INTO t (id, a, gone) SELECT n, n, n FROM generate_series(1, 20) n"
    )
    pair.sql("ALTER TABLE t DROP gone; ALTER TABLE t ADD fresh int DEFAULT 4; "
             "ALTER TABLE t ALTER id TYPE bigint;"
             "UPDATE t SET a = 0 WHERE id = 5")  # fmt: skip
    found = pair.one("t")
    assert (found.only_live, found.only_restored, found.generated) == (("fresh",), ("gone",), ("twice",))
    assert (found.missing, found.extra, found.changed) == (0, 0, 1) and not found.same


def test_a_live_table_that_lost_its_key_and_a_partitioned_one(pair: Pair) -> None:
    pair.made(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3);"
        "CREATE TABLE p (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');"
        "INSERT INTO p SELECT n, date '2026-01-01' + n % 50 FROM generate_series(1, 200) n"
    )
    pair.sql("ALTER TABLE t DROP CONSTRAINT t_pkey; INSERT INTO t VALUES (2), (2); "
             "DELETE FROM t WHERE id = 3;"
             "TRUNCATE p2")  # fmt: skip
    by_name = {d.name: d for d in pair.compare()}
    assert set(by_name) == {"t", "p"}
    assert (by_name["t"].missing, by_name["t"].extra) == (1, 2)
    assert by_name["p"].missing == int(pair.old("SELECT count(*) FROM p2")) > 0
    assert pair.one("p2").missing == by_name["p"].missing and pair.one("p1").same


def test_what_can_not_be_compared_says_why(pair18: Pair) -> None:
    pair18.made("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int); CREATE TABLE c (id int)")
    pair18.sql("DROP TABLE a; DROP TABLE b; CREATE VIEW b AS SELECT 1 AS id")
    by_name = {d.name: d for d in pair18.compare()}
    assert "has no table public.a" in str(by_name["a"].reason) and by_name["a"].mend
    assert by_name["b"].reason == "public.b is a view, not a table." and by_name["a"].missing is None
    assert by_name["c"].same
    with pytest.raises(UsageError, match="no table d"):
        pair18.compare("d")
    with pytest.raises(Refused, match="live database itself"):
        tables.chosen_tables(pair18.database, pair18.live.name)


def test_what_decides_how_values_look_is_the_same_on_both_sides(pair: Pair) -> None:
    pair.made("CREATE TABLE t (id int PRIMARY KEY, f float8, d timestamptz, i interval, b bytea, m money);"
              "INSERT INTO t VALUES (1, 0.1::float8 * 3, now(), '1 day 2 hours', '\\x0102', "
              "12.5)")  # fmt: skip
    pair.live.server.sql(
        f'ALTER DATABASE "{pair.restored}" SET extra_float_digits = -5;'
        f"ALTER DATABASE \"{pair.restored}\" SET timezone = 'Asia/Tokyo';"
        f"ALTER DATABASE \"{pair.restored}\" SET datestyle = 'German';"
        f"ALTER DATABASE \"{pair.restored}\" SET bytea_output = 'escape';"
        f"ALTER DATABASE \"{pair.restored}\" SET intervalstyle = 'iso_8601'"
    )
    assert pair.one("t").same


def test_big_tables_are_streamed(pair18: Pair) -> None:
    pair18.made("CREATE TABLE t (id bigint PRIMARY KEY, code text UNIQUE NOT NULL, v text);"
                "INSERT INTO t SELECT n, md5(n::text), repeat('x', 50) FROM generate_series(1, "
                "200000) n")  # fmt: skip
    pair18.sql("DELETE FROM t WHERE id % 1000 = 0; UPDATE t SET v = 'y' WHERE id = 77")
    seen: list[tuple[int, int]] = []
    found = tables.compare_tables(
        pair18.database, pair18.restored, [("public", "t")], on_rows=lambda t, a, b: seen.append((a, b))
    )[0]
    assert (found.missing, found.extra, found.changed, found.restored_rows) == (200, 0, 1, 200_000)
    assert len(found.missing_keys) == 10 and len(seen) > 10 and seen[-1] == (199_800, 200_000)


def test_a_comparison_can_be_ended_in_the_middle(pair18: Pair) -> None:
    pair18.made("CREATE TABLE t (id int PRIMARY KEY, v text);"
                "INSERT INTO t SELECT n, 'x' FROM generate_series(1, 20) n;"
                "CREATE FUNCTION slow(int) RETURNS int LANGUAGE sql AS 'SELECT $1'")  # fmt: skip

    class Enough(Exception):
        pass

    # The server waits for a lock: nothing comes, and the wish to stop is heard all the same.
    held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 't'::regclass"

    def hold() -> None:
        with contextlib.suppress(PgdrError):  # it is ended from outside below
            pair18.sql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(120); COMMIT")

    holding = threading.Thread(target=hold)
    holding.start()
    deadline = time.monotonic() + 60
    while pair18.sql(held).strip() != "1":
        assert time.monotonic() < deadline, "the lock was never taken"
        time.sleep(0.05)

    def enough(table: object, live: int, restored: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        tables.compare_tables(pair18.database, pair18.restored, [("public", "t")], on_rows=enough)
    assert holding.is_alive()  # it ended while the lock was still held
    pair18.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
               "WHERE query LIKE '%pg_sleep(120)%' AND pid <> pg_backend_pid()")  # fmt: skip
    holding.join()
