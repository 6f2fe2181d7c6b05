"""Writes kept out of real databases and let in again, through swaps and their undoing."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.recovery.world import utc_now
from tests.servers import FreshDatabase
from tui.model.errors import PgdrError, Refused
from tui.model.fleet import Database, Endpoint
from tui.model.paused import FreezeHow, PauseState
from tui.operations.pause import freeze as operation
from tui.operations.pause.freeze import Froze, freeze, give_up, thaw
from tui.operations.pause.pause import Cause
from tui.operations.pause.paused import frozen, paused
from tui.operations.swap.swap import plan_swap, swap_in, undo
from tui.postgres.catalog.properties import apply_properties, left_out
from tui.postgres.connection import connect
from tui.postgres.databases import databases
from tui.postgres.databases.freeze import is_on, writes

CAUSE = Cause("ann@db1", "a drop without a where", "shop", "7")
READ_ONLY, NO_CONNECTIONS = FreezeHow.READ_ONLY, FreezeHow.NO_CONNECTIONS


@pytest.fixture(params=["18", "15"])
def fresh(request: pytest.FixtureRequest) -> FreshDatabase:
    """A database on PostgreSQL 18, and one on 15."""
    found: FreshDatabase = request.getfixturevalue(f"db{request.param}")
    found.sql("CREATE TABLE who AS SELECT 'live' AS name")
    return found


def shop(fresh: FreshDatabase) -> Database:
    return Database("shop", fresh.name, "db", endpoint=fresh.endpoint)


def now_of(fresh: FreshDatabase, name: str | None = None) -> tuple[str | None, bool]:
    """A database's own setting, and whether it takes connections."""
    found = writes(fresh.endpoint, name or fresh.name)
    assert found is not None
    return found.setting, found.connections


def frozen_by(fresh: FreshDatabase, state: Path, how: FreezeHow = READ_ONLY, **more: Any) -> Froze:
    return freeze(state, shop(fresh), how, CAUSE, utc_now, **more)


@contextmanager
def session(fresh: FreshDatabase, endpoint: Endpoint | None = None) -> Iterator[psycopg.Connection[Any]]:
    with connect(endpoint or fresh.endpoint, fresh.name, application="web") as connection:
        yield connection


def may_write(fresh: FreshDatabase, name: str | None = None) -> bool:
    try:
        fresh.server.sql("INSERT INTO who VALUES ('x')", name or fresh.name)
    except (PgdrError, subprocess.CalledProcessError):
        return False
    return True


def test_there_and_back(fresh: FreshDatabase, tmp_path: Path) -> None:
    with session(fresh) as held:
        done = frozen_by(fresh, tmp_path)
        with pytest.raises(psycopg.OperationalError):
            held.execute("SELECT 1")
    assert done.sessions_ended == 1 and now_of(fresh) == ("on", True)
    assert not may_write(fresh) and fresh.sql("SELECT name FROM who") == "live"
    (record,) = paused(tmp_path).databases
    assert (record.database, record.how, record.state, record.incident) == (
        "shop", READ_ONLY, PauseState.PAUSED, "7",
    )  # fmt: skip
    assert operation.view(tmp_path, shop(fresh)).state is PauseState.PAUSED
    thaw(tmp_path, shop(fresh))
    assert now_of(fresh) == (None, True) and may_write(fresh) and paused(tmp_path).databases == ()
    assert operation.view(tmp_path, shop(fresh)).state is PauseState.RUNNING


def test_letting_nobody_in(fresh: FreshDatabase, tmp_path: Path) -> None:
    with session(fresh):
        frozen_by(fresh, tmp_path, NO_CONNECTIONS)
    assert now_of(fresh) == (None, False)
    with pytest.raises(PgdrError, match="refused a connection") as caught, session(fresh):
        pass
    assert "pgdr paused" in str(caught.value.mend)
    thaw(tmp_path, shop(fresh))
    assert now_of(fresh) == (None, True)


def test_sessions_that_are_kept_may_write_on_and_that_is_said(fresh: FreshDatabase, tmp_path: Path) -> None:
    with session(fresh) as held:
        done = frozen_by(fresh, tmp_path, end_sessions=False)
        assert (done.sessions_ended, done.sessions_left) == (0, 1)
        held.execute("INSERT INTO public.who VALUES ('on')")
    with session(fresh) as new:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            new.execute("INSERT INTO public.who VALUES ('no')")
        new.execute("SET default_transaction_read_only = off")  # as the screen and README say
        new.execute("INSERT INTO public.who VALUES ('by its own will')")


@pytest.mark.parametrize("before", ["on", "off", "true"])
def test_what_it_had_of_its_own_is_given_back(db18: FreshDatabase, tmp_path: Path, before: str) -> None:
    db18.server.sql(f"ALTER DATABASE \"{db18.name}\" SET default_transaction_read_only = '{before}'")
    db18.server.sql(f"ALTER DATABASE \"{db18.name}\" SET work_mem = '5MB'")
    frozen_by(db18, tmp_path)
    frozen_by(db18, tmp_path, NO_CONNECTIONS)  # another way from now on
    assert now_of(db18) == (before, False)
    frozen_by(db18, tmp_path)
    assert now_of(db18) == ("on", True)
    assert len(paused(tmp_path).databases) == 1
    thaw(tmp_path, shop(db18))
    assert now_of(db18) == (before, True) and is_on(before) is (before != "off")
    assert db18.sql("SHOW work_mem") == "5MB"


def test_a_database_that_was_closed_stays_closed(db18: FreshDatabase, tmp_path: Path) -> None:
    db18.server.sql(f'ALTER DATABASE "{db18.name}" ALLOW_CONNECTIONS false')
    frozen_by(db18, tmp_path)
    thaw(tmp_path, shop(db18))
    assert now_of(db18) == (None, False)


def test_a_role_that_is_exempt_is_named(db18: FreshDatabase, tmp_path: Path) -> None:
    role = f'{db18.name}_job"s'
    quoted = role.replace('"', '""')
    db18.server.sql(f'CREATE ROLE "{quoted}"')
    db18.server.sql(
        f'ALTER ROLE "{quoted}" IN DATABASE "{db18.name}" SET default_transaction_read_only = off'
    )
    assert frozen_by(db18, tmp_path).exempt == (role,)
    assert operation.view(tmp_path, shop(db18)).exempt == (role,)
    db18.server.sql(f'DROP OWNED BY "{quoted}"')


def test_who_doesn_t_own_it_may_not_and_nothing_is_written_down(db18: FreshDatabase, tmp_path: Path) -> None:
    role = f"{db18.name}_app"
    db18.server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    mine = db18.endpoint.passfile
    assert mine is not None
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"{mine.read_text()}\n*:*:*:{role}:x\n")
    passfile.chmod(0o600)
    theirs = replace(shop(db18), endpoint=replace(db18.endpoint, user=role, passfile=passfile))
    with pytest.raises(PgdrError, match="may not freeze or thaw") as caught:
        freeze(tmp_path, theirs, READ_ONLY, CAUSE, utc_now)
    assert "Connect as its owner" in str(caught.value.mend)
    assert paused(tmp_path).databases == () and now_of(db18) == (None, True)
    db18.server.sql(f'ALTER DATABASE "{db18.name}" OWNER TO {role}')
    freeze(tmp_path, theirs, NO_CONNECTIONS, CAUSE, utc_now)
    thaw(tmp_path, theirs)
    db18.server.sql(f'ALTER DATABASE "{db18.name}" OWNER TO CURRENT_USER')
    assert now_of(db18) == (None, True)


def restored(fresh: FreshDatabase, settings: tuple[str, ...] = ()) -> str:
    name = databases.fresh_name(fresh.name, "restore", utc_now())
    databases.create(fresh.endpoint, name)
    fresh.server.sql("CREATE TABLE who AS SELECT 'restored' AS name", name)
    apply_properties(fresh.endpoint, name, (), settings)
    return name


@pytest.mark.parametrize("how", list(FreezeHow))
def test_a_swap_and_its_undo(fresh: FreshDatabase, tmp_path: Path, how: FreezeHow) -> None:
    database = shop(fresh)
    frozen_by(fresh, tmp_path, how)
    was = now_of(fresh)
    # As from a backup that was taken while it was frozen: the freeze isn't brought along.
    name = restored(fresh, ("default_transaction_read_only=on", "work_mem=5MB"))
    shown = plan_swap(database, name, utc_now(), state=tmp_path).commands
    assert sum("ALLOW_CONNECTIONS true" in command for command in shown) == (2 if how is READ_ONLY else 1)
    swap = swap_in(tmp_path, database, name, "ann", utc_now)
    assert swap.kept_as is not None
    assert now_of(fresh) == (None, True) and may_write(fresh) and fresh.sql("SHOW work_mem") == "5MB"
    assert now_of(fresh, swap.kept_as) == was and not may_write(fresh, swap.kept_as)
    (record,) = paused(tmp_path).databases
    assert (record.dbname, record.aside) == (swap.kept_as, True)
    assert operation.view(tmp_path, database).state is PauseState.RUNNING

    undo(tmp_path, database, "ann", utc_now)
    assert now_of(fresh) == was and not may_write(fresh)
    (record,) = paused(tmp_path).databases
    assert (record.dbname, record.aside) == (fresh.name, False)
    thaw(tmp_path, database)
    assert now_of(fresh) == (None, True) and may_write(fresh) and now_of(fresh, name) == (None, True)
    assert fresh.sql("SELECT DISTINCT name FROM who WHERE name <> 'x'") == "live"


def test_the_new_live_one_can_be_frozen_too(db18: FreshDatabase, tmp_path: Path) -> None:
    database = shop(db18)
    frozen_by(db18, tmp_path)
    swap = swap_in(tmp_path, database, restored(db18), "ann", utc_now)
    frozen_by(db18, tmp_path)
    assert [r.aside for r in frozen(tmp_path, "shop")] == [False, True]
    thaw(tmp_path, database)  # the live one first
    assert now_of(db18) == (None, True) and now_of(db18, swap.kept_as) == ("on", True)
    thaw(tmp_path, database)
    assert now_of(db18, swap.kept_as) == (None, True) and paused(tmp_path).databases == ()


def test_one_that_is_gone_is_listed_until_it_is_given_up(db18: FreshDatabase, tmp_path: Path) -> None:
    database = shop(db18)
    frozen_by(db18, tmp_path)
    db18.server.sql(f'DROP DATABASE "{db18.name}" WITH (FORCE)')
    with pytest.raises(Refused, match="is no longer on") as caught:
        thaw(tmp_path, database)
    assert "--give-up REASON" in str(caught.value.mend)
    db18.server.sql(f'CREATE DATABASE "{db18.name}"')  # another one, of the same name
    with pytest.raises(Refused, match="is no longer on"):
        thaw(tmp_path, database)
    lost = replace(database, endpoint=replace(database.endpoint, host="127.0.0.1", port=9))
    with pytest.raises(PgdrError, match="No PostgreSQL server answers"):
        thaw(tmp_path, lost)
    assert operation.view(tmp_path, lost).state is PauseState.UNKNOWN
    assert len(paused(tmp_path).databases) == 1
    assert give_up(tmp_path, "shop", "The server is lost.").gone_past == "The server is lost."
    assert paused(tmp_path).databases == ()
    with pytest.raises(Refused, match="was not frozen by pgdr here"):
        thaw(tmp_path, database)


def test_what_someone_else_has_changed_is_told(db18: FreshDatabase, tmp_path: Path) -> None:
    frozen_by(db18, tmp_path)
    db18.server.sql(f'ALTER DATABASE "{db18.name}" RESET default_transaction_read_only')
    seen = operation.view(tmp_path, shop(db18))
    assert seen.state is PauseState.FAILED and "someone else has changed that: takes writes" in seen.what


def test_a_backup_that_is_being_taken_is_left_to_its_end(db18: FreshDatabase, tmp_path: Path) -> None:
    with connect(db18.endpoint, db18.name, application="pg_dump") as dumping, session(db18):
        assert frozen_by(db18, tmp_path).sessions_ended == 1
        assert dumping.execute("SELECT 1").fetchone() == (1,)


def test_a_pool_that_comes_back_at_once_is_no_obstacle(db18: FreshDatabase, tmp_path: Path) -> None:
    """What connects after the freeze is read-only, and is left alone."""
    seen: list[str] = []
    stop = threading.Event()

    def pool() -> None:
        while not stop.is_set():
            try:
                with session(db18) as pooled:
                    while not stop.is_set():
                        row = pooled.execute("SHOW default_transaction_read_only").fetchone()
                        seen.append(row[0] if row else "")
            except (psycopg.OperationalError, PgdrError):
                continue

    threads = [threading.Thread(target=pool) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        until = time.monotonic() + 30
        while len(seen) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        assert frozen_by(db18, tmp_path).sessions_ended >= 1
        count = len(seen)
        while len(seen) < count + 3 and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert (seen[0], seen[-1]) == ("off", "on")


@pytest.mark.parametrize(
    ("value", "on"),
    [
        ("on", True),
        ("ON", True),
        ("t", True),
        ("yes", True),
        ("1", True),
        ("off", False),
        ("f", False),
        ("0", False),
    ],
)
def test_what_postgresql_takes_for_true(value: str, on: bool) -> None:
    assert is_on(value) is on


def test_what_a_restored_one_isn_t_given() -> None:
    settings = ("work_mem=5MB", "Default_Transaction_Read_Only=on", "search_path=a, b")
    assert left_out(settings) == ("Default_Transaction_Read_Only=on",)
