"""A server or a store that hangs in the middle of a recovery: it is said for how long, keys are answered, the
way out is open, and it goes on when it answers again."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.recovery.world import World, make_world
from tests.recovery_screens.seen import text_of, until
from tests.recovery_screens.test_scenarios_by_keys import declared, pick
from tests.servers import Bucket, FreshDatabase
from tui.app import PgdrApp
from tui.model.fleet import LocalStore
from tui.screens.fleet import FleetScreen
from tui.screens.sessions import SessionsScreen


@pytest.fixture
def far(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> World:
    """A dropped database whose only backup lies in a bucket."""
    world = make_world(db18, tmp_path, offsite=bucket.store)
    world.back_up()
    local = next(s.path for s in world.fleet.stores if isinstance(s, LocalStore))
    for path in local.iterdir():
        path.unlink()
    world.drop_live()
    return world


@contextmanager
def hung_bucket(bucket: Bucket) -> Iterator[None]:
    """The store takes connections, as its kernel does, and says nothing."""
    process = bucket.server._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


async def waits(pilot: Pilot[int], said: str) -> None:
    """Until the screen tells of waiting, and for how long; the clock goes on."""
    seconds = re.compile(rf"{said}.*?(\d+)s")

    def told() -> int:
        found = seconds.search(text_of(pilot))
        return int(found[1]) if found else 0

    await until(pilot, lambda: told() >= 1)
    first = told()
    await until(pilot, lambda: told() > first)


async def answers(pilot: Pilot[int], *keys: str) -> None:
    """Presses keys; each is taken within a second, whatever hangs."""
    for key in keys:
        began = time.monotonic()
        await pilot.press(key)
        assert time.monotonic() - began < 1, key


@pytest.mark.parametrize("what", ["server", "store"])
async def test_planning_waits_and_can_be_left(far: World, bucket: Bucket, what: str) -> None:
    hung: Callable[[], AbstractContextManager[None]] = (
        far.hung_server if what == "server" else lambda: hung_bucket(bucket)
    )
    async with declared(far, "Full database corruption") as pilot:
        await pilot.press("2")
        await pick(pilot)
        await until(pilot, lambda: "restore…" in text_of(pilot))
        with hung():
            await pilot.press("P")
            await waits(pilot, "planning: looking at the server and into the backup")
            await answers(pilot, "question_mark", "escape", "5", "4")
            assert "planning" in text_of(pilot)
            await answers(pilot, "q")
            await until(pilot, lambda: isinstance(pilot.app.screen, FleetScreen))
        # it answers again: the incident is where it was, and the plan is made
        await pilot.press("r")
        await until(pilot, lambda: "NOTIFY" in text_of(pilot))
        await pilot.press("4")
        await until(pilot, lambda: "RESTORE" in text_of(pilot) and "restore…" in text_of(pilot), 60)


async def test_sessions_are_waited_for_and_can_be_left(db18: FreshDatabase, tmp_path: Path) -> None:
    world = make_world(db18, tmp_path)
    app = PgdrApp(world.fleet, world.state, operator="ann@db1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "up" in text_of(pilot))
        with world.hung_server():
            app.push_screen(SessionsScreen(app._bearings, world.database))
            await waits(pilot, "waiting")
            await answers(pilot, "question_mark", "escape", "escape")
            await until(pilot, lambda: isinstance(app.screen, FleetScreen))
        app.push_screen(SessionsScreen(app._bearings, world.database))
        await until(pilot, lambda: "waiting" not in text_of(pilot) and "sessions" in text_of(pilot))
