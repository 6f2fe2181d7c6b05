"""pgdr killed in the midst of it: whatever was begun is listed, and can be finished or taken back."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.pausing.conftest import Little
from tests.recovery.world import World, utc_now
from tui.model.paused import FreezeHow, FrozenDatabase, PausedService, PauseState
from tui.operations.pause import pause as operation
from tui.operations.pause.freeze import freeze, thaw, view
from tui.operations.pause.pause import Cause
from tui.operations.pause.paused import paused, write_frozen, write_service
from tui.postgres.connection import connect
from tui.postgres.databases.freeze import put, writes


def until(true: Callable[[], bool]) -> None:
    """Waits, half a minute at most."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def killed(world: World, ready: Callable[[], bool], *arguments: str) -> None:
    """Runs a verb and kills it as soon as it is where the test wants it."""
    quiet = subprocess.DEVNULL
    verb = subprocess.Popen(world.argv(*arguments), stdout=quiet, stderr=quiet)
    try:
        until(ready)
    finally:
        os.kill(verb.pid, signal.SIGKILL)
        verb.wait(30)


def test_while_a_service_is_stopped(world: World, two: tuple[Little, Little]) -> None:
    server, processor = two
    (processor.directory / "hang").touch()
    killed(world, (processor.directory / "hung").exists, "pause", "shop", "--confirm", "shop")
    listed = world.answer("paused")["services"]
    assert [(s["service"], s["state"]) for s in listed] == [
        ("server", "paused"),
        ("payment-processor", "pausing"),
    ]
    states = {s["service"]: s["state"] for s in world.answer("services", "shop")["services"]}
    assert states == {"server": "paused", "payment-processor": "failed"}

    (processor.directory / "hang").unlink()
    answer = world.answer("pause", "shop", "--confirm", "shop")
    assert [s["state"] for s in answer["services"]] == ["paused", "paused"]
    assert server.log == ["stop"] and not processor.runs

    (server.directory / "hang").touch()
    killed(world, lambda: (server.directory / "hung").exists(), "unpause", "shop")
    assert [(s["service"], s["state"]) for s in world.answer("paused")["services"]] == [
        ("server", "resuming")
    ]
    assert processor.runs
    (server.directory / "hang").unlink()
    world.answer("unpause", "shop")
    assert server.runs and world.answer("paused") == {"services": [], "databases": [], "problems": []}


@pytest.mark.parametrize(
    "state", [PauseState.PAUSING, PauseState.PAUSED, PauseState.RESUMING, PauseState.FAILED]
)
@pytest.mark.parametrize("runs", [True, False])
def test_at_any_other_moment(tmp_path: Path, little: Little, state: PauseState, runs: bool) -> None:
    """Whatever was written down last, and whatever had been done of it, resuming ends well."""
    if not runs:
        little.end()
        (little.directory / "pid").unlink()
    write_service(tmp_path, PausedService("little", "command", "shop", state, utc_now(), "ann", "x"))
    shown = operation.view(tmp_path, "little", little.spec).state
    assert shown is not PauseState.STOPPED and shown is not PauseState.UNKNOWN
    operation.resume(tmp_path, little.spec, lambda event: None)
    assert little.runs and paused(tmp_path).services == ()


def test_before_the_server_has_frozen_it(alone: World) -> None:
    name = alone.live.name
    with connect(alone.live.endpoint, autocommit=False) as other:
        # The row of the database is taken: the freeze waits for it.
        other.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET work_mem = '6MB'").format(psycopg.sql.Identifier(name))
        )

        def waits() -> bool:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return alone.live.server.sql(f"{query} AND application_name = 'pgdr'") == "1"

        killed(alone, waits, "freeze", "shop", "--confirm", "shop")
        other.rollback()
    (listed,) = alone.answer("paused")["databases"]
    assert (listed["database"], listed["state"], listed["setting"]) == ("shop", "pausing", None)
    until(lambda: view(alone.state, alone.database).state is PauseState.FAILED)
    assert "Freezing it was cut off. Now: takes writes." in view(alone.state, alone.database).what
    assert alone.answer("freeze", "shop", "--confirm", "shop")["state"] == "paused"
    assert alone.answer("thaw", "shop")["state"] == "running"
    assert alone.answer("paused")["databases"] == []


@pytest.mark.parametrize("how", list(FreezeHow))
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("state", [PauseState.PAUSING, PauseState.RESUMING, PauseState.FAILED])
def test_at_any_moment_of_a_freeze(alone: World, how: FreezeHow, done: bool, state: PauseState) -> None:
    there = writes(alone.live.endpoint, alone.live.name)
    assert there is not None
    record = FrozenDatabase(
        "shop", there.dbname, there.oid, there.system_identifier or "", how, state, utc_now(), "ann", "x"
    )
    write_frozen(alone.state, record)
    if done:
        setting, connections = ("on", True) if how is FreezeHow.READ_ONLY else (None, False)
        put(
            alone.live.endpoint, there.oid, there.dbname,
            setting=setting, connections=connections, end_sessions=False,
        )  # fmt: skip
    # Frozen again, what was before is still what was before all of it.
    freeze(alone.state, alone.database, how, Cause("bob", "y"), utc_now)
    thaw(alone.state, alone.database)
    after = writes(alone.live.endpoint, alone.live.name)
    assert after is not None and (after.setting, after.connections) == (None, True)
    assert paused(alone.state).databases == ()
