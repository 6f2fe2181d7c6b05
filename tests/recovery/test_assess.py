"""Every finding of an assessment, made on a real server, and what is proposed because of it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.recovery.world import World, make_world, utc_now
from tests.servers import Bucket, FreshDatabase
from tui.config.write import text_of
from tui.files import write_whole
from tui.incident.assess import Assessment, assess
from tui.incident.assess_server import reach_of, tell_disk, tell_reached
from tui.incident.evidence import Reach
from tui.incident.parts import Parts
from tui.model.facts import DatabaseFacts, ServerFacts, Status
from tui.model.fleet import Database, LocalStore, S3Store
from tui.model.plan import Finding, Level
from tui.model.scenario import Scenario
from tui.model.secret import Secret
from tui.model.text import clean
from tui.postgres.troubles.refusal import refusal


def assessed(world: World, change: Any = None, **how: Any) -> Assessment:
    """The assessment of a world's database, maybe with something of its configuration changed."""
    database: Database = replace(world.database, **(change or {}))
    fleet = replace(world.fleet, databases=(database,))
    told: list[Finding] = []
    found = assess(fleet, database, told.append, utc_now, state=world.state, **how)
    assert sorted(told, key=str) == sorted(found.findings, key=str)  # each was told as it was made
    levels = [list(Level).index(f.level) for f in found.findings]
    assert levels == sorted(levels, reverse=True)  # worst first
    for finding in found.findings:
        assert clean(finding.what) == finding.what and finding.what[-1] in ".:"
    return found


def said(found: Assessment, level: Level) -> str:
    return "\n".join(f.what for f in found.findings if f.level is level)


def at_end(world: World, **endpoint: Any) -> dict[str, Any]:
    """A change of the database's endpoint."""
    return {"endpoint": replace(world.database.endpoint, **endpoint)}


def test_a_database_that_is_well(world: World) -> None:
    world.back_up()
    world.sql("INSERT INTO users (email) VALUES ('late@example.org')")
    found = assessed(world, {"freshness": ("public.orders.at",)})
    well = said(found, Level.OK)
    assert said(found, Level.STOP) == "" and found.proposal.scenario is None
    assert "answers" in well and "1 of 1 check of the fleet's own pass" in well
    assert "structure" in {f.about for f in found.findings} and "as in the last backup" in well
    assert "The last write seen is of" in well and "orders.at" in well
    assert "The newest good backup in local (on-site) is" in well and "within the RPO of 6h" in well
    assert "free on the server's disk" in well
    assert {(c.name, c.found) for c in found.counts} == {("users", 401), ("wallets", 2000), ("orders", 500)}


def test_an_older_server_is_asked_the_same(db15: FreshDatabase, tmp_path: Path) -> None:
    world = make_world(db15, tmp_path)
    world.back_up()
    (young,) = [f.what for f in assessed(world).findings if f.level is not Level.OK]
    assert young.startswith("The server was started")  # for this test
    world.sql("DROP VIEW rich; ALTER TABLE wallets DROP COLUMN note; TRUNCATE orders")
    found = assessed(world, {"freshness": ("orders.at",)})
    assert "orders is empty" in said(found, Level.STOP) and "its column note" in said(found, Level.STOP)
    assert found.proposal.scenario is Scenario.BAD_MIGRATION
    assert not any("pgdr itself went wrong" in f.what for f in found.findings)


def test_tables_emptied_shrunk_grown_and_gone(world: World) -> None:
    world.back_up()
    world.sql("TRUNCATE orders; DELETE FROM wallets WHERE id > 1500")
    world.sql("INSERT INTO users (email) SELECT 'more' || n FROM generate_series(1, 2000) n")
    world.sql("DROP TABLE orders")
    found = assessed(world)
    assert "Table public.orders is not there. The last backup had 500 rows of it." in said(found, Level.STOP)
    warned = said(found, Level.WARNING)
    assert "wallets has 1,500 rows, 500 fewer" in warned
    assert "users has grown from 400 to 2,400 rows" in warned
    assert (found.evidence.gone, found.evidence.shrunk) == (("public.orders",), ("public.wallets",))
    assert found.proposal.scenario is Scenario.TABLE_CORRUPTION
    assert found.proposal.tables == ("public.orders",)


def test_when_tables_were_emptied_is_known_by_the_server_s_files(world: World) -> None:
    made = world.back_up()
    time.sleep(1.1)  # a file's time has whole seconds
    before = utc_now()
    world.sql("TRUNCATE wallets CASCADE")
    found = assessed(world, {"freshness": ("orders.at",)})
    assert "Nothing tells of the last write: orders.at." in said(found, Level.WARNING)
    assert found.proposal.scenario is Scenario.ACCIDENTAL_DELETION
    assert set(found.proposal.tables) == {"public.wallets", "public.orders"}
    assert found.proposal.good_at == made.manifest.created_at
    at = found.proposal.damaged_at
    assert at is not None and before - timedelta(seconds=1) <= at <= utc_now()


def test_the_newest_backup_has_lost_it_already(world: World) -> None:
    first = world.back_up()
    world.sql("TRUNCATE wallets CASCADE")
    second = world.back_up()
    found = assessed(world)
    assert "later ones have none" in said(found, Level.STOP)
    assert found.proposal.scenario is Scenario.ACCIDENTAL_DELETION
    assert found.proposal.good_at == first.manifest.created_at
    assert found.proposal.damaged_at == second.manifest.created_at


def test_what_it_is_made_of(world: World) -> None:
    world.sql("CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'")
    world.back_up()
    world.sql(
        "DROP VIEW rich; ALTER TABLE wallets DROP COLUMN note; DROP INDEX wallets_user;"
        " ALTER TABLE orders DROP CONSTRAINT orders_wallet_id_fkey; DROP FUNCTION twice;"
        " CREATE TABLE extra (id int PRIMARY KEY); ALTER TABLE users ADD COLUMN age int"
    )
    found = assessed(world)
    stopped = said(found, Level.STOP)
    assert "Table public.wallets has lost its column note" in stopped
    assert "The index wallets_user is gone" in stopped
    assert "The constraint orders orders_wallet_id_fkey is gone" in stopped
    assert "function twice, view rich" in stopped
    new = said(found, Level.OK)
    assert "table public.extra, column public.users.age, constraint extra extra_pkey" in new
    assert found.proposal.scenario is Scenario.BAD_MIGRATION
    assert "wallets.note" in found.proposal.why


def test_a_backup_without_a_manifest_tells_the_structure_too(world: World) -> None:
    world.back_up()
    (local,) = (store.path for store in world.fleet.stores if isinstance(store, LocalStore))
    for beside in local.glob("*.manifest.json"):
        beside.unlink()
    (archive,) = local.glob("*.dump")
    (local / f"{archive.name}.verified.20260101T000000Z.clean.json").write_text("{}")
    world.sql(
        "DROP VIEW rich; ALTER TABLE wallets DROP COLUMN note; DROP INDEX wallets_user; TRUNCATE orders"
    )
    found = assessed(world)
    stopped = said(found, Level.STOP)
    assert "wallets has lost its column note" in stopped and "wallets_user is gone" in stopped
    assert "Table public.orders has 0 rows; no manifest says how many" in said(found, Level.OK)


def test_the_fleet_s_checks(world: World) -> None:
    world.back_up()
    world.sql("UPDATE wallets SET balance = -1 WHERE id = 7")
    found = assessed(world)
    assert "No negative balances: expected 0, found 1." in said(found, Level.STOP)
    assert found.proposal.scenario is Scenario.TABLE_CORRUPTION
    assert found.proposal.tables == ("public.wallets",)
    assert found.proposal.damaged_at is None


def test_a_database_that_is_gone(world: World) -> None:
    made = world.back_up()
    world.drop_live()
    found = assessed(world)
    assert "does not exist" in found.findings[0].what
    assert found.proposal.scenario is Scenario.DATABASE_CORRUPTION
    assert found.proposal.good_at == made.manifest.created_at


def test_a_database_that_nobody_has_ever_backed_up(world: World) -> None:
    found = assessed(world, {"dbname": "never_there"})
    assert "No backup of this database was found in any store." in said(found, Level.STOP)
    assert found.proposal.scenario is None and "never seen there" in found.proposal.why


def test_a_login_that_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "no such password")
    world.back_up()
    found = assessed(world, at_end(world, password=Secret(env="WRONG"), passfile=None))
    assert found.evidence.reach is Reach.REFUSED and found.proposal.scenario is None
    assert "refuses" in said(found, Level.STOP)


def test_no_connection_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    role = f"{world.live.name}_app"
    world.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 1")
    monkeypatch.setenv("APP_PASSWORD", "secret")
    own = {"user": role, "password": Secret(env="APP_PASSWORD"), "passfile": None}
    end = world.database.endpoint
    taken = psycopg.connect(
        host=end.host, port=end.port, user=role, password="secret", dbname=world.live.name
    )
    with taken:
        found = assessed(world, at_end(world, **own))
    assert found.evidence.reach is Reach.FULL
    assert "is out of connections" in said(found, Level.STOP) and found.proposal.scenario is None


def test_read_only_and_closed(world: World) -> None:
    world.back_up()
    world.live.server.sql(f'ALTER DATABASE "{world.live.name}" SET default_transaction_read_only = on')
    found = assessed(world)
    assert "answers but is read-only" in said(found, Level.WARNING) and found.evidence.read_only
    world.live.server.sql(f'ALTER DATABASE "{world.live.name}" ALLOW_CONNECTIONS false')
    found = assessed(world)
    assert found.evidence.reach is Reach.CLOSED and "takes no connections" in said(found, Level.STOP)


def test_nobody_answers(world: World) -> None:
    world.back_up()
    away = at_end(world, port=9)
    found = assessed(world, away)
    assert found.evidence.reach is Reach.DOWN and "Nothing answers at" in said(found, Level.STOP)
    assert found.proposal.scenario is Scenario.RESTART
    waited = assessed(world, away, waited=timedelta(minutes=11))
    assert waited.proposal.scenario is Scenario.INSTANCE_LOST
    nowhere = world.fleet.stores[0].path  # type: ignore[union-attr]
    nowhere.rename(nowhere.with_name("elsewhere"))
    found = assessed(world, away)
    assert found.proposal.scenario is Scenario.SITE_LOST and "local can't be read" in found.proposal.why


def test_a_server_that_hangs_keeps_nothing_else_from_being_seen(world: World) -> None:
    world.back_up()
    with world.hung_server():
        found = assessed(world, at_end(world, connect_timeout_s=2))
    assert found.evidence.reach is Reach.HUNG and "does not answer" in said(found, Level.STOP)
    assert found.proposal.scenario is Scenario.RESTART
    assert "The newest good backup in local" in said(found, Level.OK)


def test_a_store_that_hangs_keeps_nothing_else_from_being_seen(world: World) -> None:
    world.back_up()
    world.sql("TRUNCATE orders")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        key = Secret(env="HOME")
        far = S3Store("far", "bucket", endpoint_url=url, path_style=True, access_key=key, secret_key=key)
        fleet = replace(world.fleet, stores=(*world.fleet.stores, far))
        policy = replace(world.database.backup, stores=("local", "far"))
        write_whole(
            world.config, text_of(replace(fleet, databases=(replace(world.database, backup=policy),)))
        )
        found = assessed(world, within_s=6)
    assert "There was no answer about the store far within 6 s." in said(found, Level.WARNING)
    assert "orders is empty" in said(found, Level.STOP)
    assert found.proposal.scenario is Scenario.TABLE_CORRUPTION


def test_each_store_is_told_by_itself(two_stores: World, bucket: Bucket) -> None:
    two_stores.back_up()
    (manifest,) = bucket.directory.glob("*.manifest.json")
    manifest.unlink()
    found = assessed(two_stores)
    assert "The newest good backup in local (on-site)" in said(found, Level.OK)
    none = "The off-site store offsite has 1 backup of it, none of which can be counted on"
    assert none in said(found, Level.WARNING)


def test_who_is_at_work(world: World) -> None:
    world.sql("CREATE TABLE plain (id int)")
    end = world.database.endpoint
    passfile = str(end.passfile)
    with (
        psycopg.connect(
            host=end.host, port=end.port, user=end.user, passfile=passfile, dbname=world.live.name,
            application_name="payment-processor",
        ) as one,
        psycopg.connect(
            host=end.host, port=end.port, user=end.user, passfile=passfile, dbname=world.live.name,
            application_name="server",
        ) as other,
    ):  # fmt: skip
        one.execute("LOCK TABLE plain")
        waiting = other.pgconn
        waiting.send_query(b"SELECT count(*) FROM plain")
        deadline = time.monotonic() + 20
        while "Lock" not in world.sql("SELECT wait_event_type FROM pg_stat_activity WHERE pid = "
                                      f"{other.info.backend_pid}"):  # fmt: skip
            assert time.monotonic() < deadline
            time.sleep(0.05)
        found = assessed(world, {"key_tables": ("users",), "checks": ()})
        one.rollback()
        while waiting.get_result() is not None:
            pass
    well = said(found, Level.OK)
    assert "2 sessions: " in well and f"1 payment-processor ({end.user} from 127.0.0.1)" in well
    assert "idle in transaction" in well and "The longest transaction, of payment-processor" in well
    assert "1 session waits for a lock." in said(found, Level.WARNING)


def test_replication(world: World, tmp_path: Path) -> None:
    world.sql("SELECT pg_create_physical_replication_slot('abandoned', true)")
    end = world.database.endpoint
    program = str(world.live.server.bin_directory / "pg_receivewal")
    target = tmp_path / "wal"
    target.mkdir()
    environment = {**os.environ, "PGPASSFILE": str(end.passfile), "PGAPPNAME": "standby-1"}
    argv = [program, "-h", str(end.host), "-p", str(end.port), "-U", str(end.user), "-w", "-D", str(target)]
    with subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL) as receiver:
        try:
            deadline = time.monotonic() + 20
            while world.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") != "1":
                assert time.monotonic() < deadline
                time.sleep(0.05)
            found = assessed(world)
        finally:
            receiver.kill()
    warned = said(found, Level.WARNING)
    assert "Nobody uses the replication slot abandoned, " in warned and "of WAL kept for it" in warned
    assert "Standby standby-1 at 127.0.0.1: streaming" in said(found, Level.OK)


def test_hostile_names_are_cleaned(world: World) -> None:
    world.sql(
        'CREATE TABLE "we\x1b[31mird \u202e" (id int, "c\x07" int);'
        'INSERT INTO "we\x1b[31mird \u202e" VALUES (1)'
    )
    world.back_up()
    world.sql('TRUNCATE "we\x1b[31mird \u202e"; ALTER TABLE "we\x1b[31mird \u202e" DROP COLUMN "c\x07"')
    found = assessed(world)  # which asserts that every sentence is clean
    assert r"we\x1b[31mird \u202e is empty" in said(found, Level.STOP)
    assert found.proposal.tables == ("public.we\x1b[31mird \u202e",)
    assert clean(found.proposal.why) == found.proposal.why


def test_a_table_that_the_disk_has_damaged(world: World) -> None:
    world.back_up()
    server, port = world.live.server, world.live.server.port
    world.sql("CHECKPOINT")
    path = server.data / world.sql("SELECT pg_relation_filepath('orders')")
    server.stop()
    with path.open("r+b") as file:
        file.seek(200)
        file.write(b"\xff" * 300)
    server.start(port)
    found = assessed(world)
    assert "Table public.orders can't be read from the server's disk" in said(found, Level.STOP)
    assert found.evidence.unreadable == ("public.orders",)
    assert found.proposal.scenario is Scenario.TABLE_CORRUPTION
    assert found.proposal.tables == ("public.orders",)


@pytest.mark.parametrize(
    ("message", "reach", "says"),
    [
        ("FATAL:  sorry, too many clients already", Reach.FULL, "is out of connections"),
        ("FATAL:  could not write init file: No space left on device", Reach.NO_DISK, "is out of disk"),
        ("FATAL:  the database system is starting up", Reach.STARTING, "is not ready"),
        ("FATAL:  password authentication failed for user x", Reach.REFUSED, "refuses"),
    ],
)
def test_what_a_server_says_when_it_says_no(world: World, message: str, reach: Reach, says: str) -> None:
    failure = refusal(None, message)
    facts = DatabaseFacts(
        "shop", Status.REFUSED, utc_now(), failure.why, failure.mend, "db", 5432, kind=failure.kind
    )
    assert reach_of(facts) is reach
    parts = Parts(lambda finding: None, 1)
    tell_reached(parts, world.database, facts)
    (finding,) = parts.end()
    assert finding.level is Level.STOP and says in finding.what and finding.mend


@pytest.mark.parametrize(
    ("free", "level", "full"),
    [(0, Level.STOP, True), (200_000_000, Level.WARNING, False), (10**12, Level.OK, False)],
)
def test_the_server_s_disk(free: int, level: Level, full: bool) -> None:
    parts = Parts(lambda finding: None, 1)
    facts = ServerFacts(
        None, None, "u", 180000, "18.0", "1", False, True, True, 100, 1, 6400, None, (), (), (), {}, free
    )
    assert tell_disk(parts, facts) is full
    (finding,) = parts.end()
    assert finding.level is level
