"""What a look finds, on both versions, and with few rights."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.postgres.conftest import HOSTILE, Ground
from tests.servers import server
from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin
from tui.model.facts import Status
from tui.model.fleet import Database, Endpoint
from tui.postgres.connection import connect
from tui.postgres.databases import databases
from tui.postgres.facts import facts
from tui.postgres.facts.facts import count_tables, look, schema, server_facts, sessions

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)


def database(at: Endpoint, dbname: str) -> Database:
    return Database("shop", dbname, "svc", endpoint=at)


def test_server_facts(ground: Ground) -> None:
    found = server_facts(ground.endpoint)
    assert found.version_num // 10000 in (15, 18)
    assert found.version.startswith(str(found.version_num // 10000))
    assert (found.host, found.port) == ("127.0.0.1", ground.endpoint.port)
    assert found.system_identifier and found.system_identifier.isdigit()
    assert found.is_superuser and found.can_create_db and not found.in_recovery
    assert (found.max_locks, found.max_connections) == (64 * (60 + 5), 60)
    assert found.connections >= 1
    assert ground.name in found.databases and "template0" not in found.databases
    assert "pg_default" in found.tablespaces and ground.endpoint.user in found.roles
    assert "plpgsql" in found.extensions
    # The data directory is on this machine, and this user may read it or not.
    readable = os.access(Path(found.data_directory or "") / "global" / "pg_control", os.R_OK)
    assert (found.free_bytes is not None) == readable


def test_server_facts_with_few_rights(ground: Ground) -> None:
    weak = ground.role("weak")
    ground.sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public", "postgres")
    try:
        found = server_facts(weak)
    finally:
        ground.sql("GRANT EXECUTE ON FUNCTION pg_control_system() TO public", "postgres")
    assert not found.is_superuser and not found.can_create_db and found.connections >= 1
    assert found.system_identifier is None and found.data_directory is None and found.free_bytes is None


def test_free_space_is_only_told_of_the_servers_own_disk(ground: Ground, tmp_path: Path) -> None:
    other = tmp_path / "global"
    other.mkdir()
    (other / "pg_control").write_bytes((12345).to_bytes(8, "little"))
    at = ground.endpoint
    assert facts._free_bytes(at, str(tmp_path), "12345") is not None
    assert facts._free_bytes(at, str(tmp_path), "54321") is None
    assert facts._free_bytes(replace(at, host="db.example"), str(tmp_path), "12345") is None


def test_a_look_at_a_database_that_is_up(ground: Ground) -> None:
    ground.sql(f"ALTER DATABASE {ground.name} SET default_transaction_read_only = on")
    with ground.connect():
        seen = look(database(ground.endpoint, ground.name), NOW)
    assert (seen.status, seen.why, seen.seen_at) == (Status.UP, None, NOW)
    assert seen.sessions == 1 and seen.read_only and not seen.in_recovery
    assert (seen.size_bytes or 0) > 1_000_000
    assert (seen.server_version or "").split(".")[0] in ("18", "15")
    assert (seen.host, seen.port) == ("127.0.0.1", ground.endpoint.port)


def test_missing_down_and_refused_are_told_apart(ground: Ground) -> None:
    at = ground.endpoint
    missing = look(database(at, HOSTILE), NOW)
    assert missing.status is Status.MISSING and "does not exist" in (missing.why or "") and missing.mend
    assert "\x1b" not in (missing.why or "")
    assert look(database(replace(at, maintenance_db="gone"), "gone too"), NOW).status is Status.MISSING
    assert look(database(replace(at, maintenance_db="gone"), ground.name), NOW).status is Status.UP
    assert look(database(replace(at, port=1), ground.name), NOW).status is Status.DOWN
    refused = look(database(replace(at, user="nobody_here"), ground.name), NOW)
    assert refused.status is Status.REFUSED and refused.mend
    databases.create(at, HOSTILE)
    assert look(database(at, HOSTILE), NOW).status is Status.UP


def test_a_database_that_takes_no_connections_is_refused(ground: Ground) -> None:
    ground.sql(f"ALTER DATABASE {ground.name} ALLOW_CONNECTIONS false", "postgres")
    seen = look(database(ground.endpoint, ground.name), NOW)
    assert seen.status is Status.REFUSED and "ALLOW_CONNECTIONS" in (seen.mend or "")
    assert seen.size_bytes


def test_a_database_without_the_right_to_connect_is_refused(ground: Ground) -> None:
    weak = ground.role("weak")
    ground.sql(f"REVOKE CONNECT ON DATABASE {ground.name} FROM PUBLIC")
    seen = look(database(weak, ground.name), NOW)
    assert (seen.status, seen.size_bytes) == (Status.REFUSED, None)


def test_a_server_that_hangs_cannot_hang_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with server("hung", reachable_bin(server_account())) as hung:
        connection = connect(hung.endpoint)
        pid = connection.info.backend_pid
        os.kill(pid, signal.SIGSTOP)
        monkeypatch.setattr(facts, "_CUT_S", 0.3)
        monkeypatch.setattr(facts, "connect", lambda *_, **__: connection)
        try:
            seen = look(database(hung.endpoint, "postgres"), NOW)
        finally:
            os.kill(pid, signal.SIGCONT)
    assert seen.status is Status.DOWN


def test_schema_lists_tables_with_their_sizes(ground: Ground) -> None:
    ground.sql("""
        CREATE TABLE big AS SELECT i, repeat('x', 500) AS filler FROM generate_series(1, 2000) i;
        CREATE TABLE "odd ""name" (i int);
        CREATE TABLE parts (i int) PARTITION BY RANGE (i);
        CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
    """)
    ground.sql("ANALYZE big")
    tables = schema(database(ground.endpoint, ground.name))
    assert [t.name for t in tables] == ["big", 'odd "name', "part1"]
    assert (tables[0].schema, tables[0].rows) == ("public", 2000)
    assert tables[0].size_bytes > 1_000_000 and tables[1].rows is None


def test_schema_gets_past_a_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.sql("CREATE TABLE big AS SELECT generate_series(1, 2000) i")
    ground.sql("ANALYZE big")
    monkeypatch.setattr(facts, "STATEMENT_S", 0.2)
    with ground.connect() as migration:
        migration.execute("BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE")
        tables = schema(database(ground.endpoint, ground.name))
    assert [(t.name, t.rows) for t in tables] == [("big", 2000)] and tables[0].size_bytes > 50_000


def test_sessions_but_not_ones_own(ground: Ground) -> None:
    with ground.connect(application_name="web\x1b[2J"):
        found = sessions(ground.endpoint, ground.name)
    assert len(found) == 1 and found[0].user == ground.endpoint.user and found[0].since
    assert found[0].application.startswith("web") and "\x1b" not in found[0].application


def test_counts_are_exact_and_none_where_there_is_no_answer(ground: Ground) -> None:
    ground.sql("""CREATE SCHEMA "s "" p"; CREATE TABLE "s "" p"."t;" AS SELECT generate_series(1, 7)""")
    tables = [('s " p', "t;"), ("public", "nosuch")]
    assert count_tables(ground.endpoint, ground.name, tables) == {tables[0]: 7, tables[1]: None}
