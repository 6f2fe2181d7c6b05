"""The app when names are hostile and the state can't be written: a sentence on the screen, and it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.recovery.world import World, make_world
from tests.recovery_screens.seen import text_of, until
from tests.servers import FreshDatabase
from tui.app import PgdrApp
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.screen import RecoveryScreen

EVIL = "x\"; \x1b[2J\u202e=[red]\n'"


@pytest.fixture
def hostile(db18: FreshDatabase, tmp_path: Path) -> Iterator[World]:
    """A database and a table with everything in their names that a name can hold."""
    name = '"' + EVIL.replace('"', '""') + '"'
    db18.sql(f"CREATE TABLE {name} (a int, {name} text); INSERT INTO {name} VALUES (1, $$x$$)")
    world = make_world(db18, tmp_path)
    db18.server.sql(f'ALTER DATABASE "{db18.name}" RENAME TO {name}')
    world.config.write_text(world.config.read_text().replace(f'dbname = "{db18.name}"', f"dbname = {toml()}"))
    yield World(replace(db18, name=EVIL), world.config, world.state)
    db18.server.sql(f'ALTER DATABASE {name} RENAME TO "{db18.name}"')


def toml() -> str:
    return '"' + "".join(f"\\u{ord(c):04x}" for c in EVIL) + '"'


def safe(pilot: Pilot[int]) -> str:
    """What stands on the screen; fails when any of it could command the terminal."""
    shown = text_of(pilot)
    assert not [c for c in shown if c != "\n" and not c.isprintable()], shown
    return shown


async def test_hostile_names_on_every_screen(hostile: World) -> None:
    hostile.back_up()
    app = PgdrApp(hostile.fleet, hostile.state, operator="ann@db1")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "4 tables" in text_of(pilot))
        safe(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "wallets" in text_of(pilot))
        assert "\\x1b[2J" in safe(pilot)
        await pilot.press("escape", "b")
        await until(pilot, lambda: "\\x1b[2J" in text_of(pilot) and "wallets" in text_of(pilot))
        safe(pilot)
        await pilot.press("escape", "r")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        safe(pilot)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoveryScreen))
        await until(pilot, lambda: "enter next step" in text_of(pilot))
        safe(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "ADVISED" in text_of(pilot))
        safe(pilot)


async def test_an_incident_that_can_not_be_written_down_is_told(world: World) -> None:
    world.state.mkdir(mode=0o700)
    app = PgdrApp(world.fleet, world.state, operator="ann@db1")
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "Up: PostgreSQL" in text_of(pilot))
        incidents = world.state / "incidents"
        if incidents.exists():
            incidents.rmdir()
        incidents.write_text("in the way")
        await pilot.press("r")
        await until(pilot, lambda: "could not be written" in " ".join(text_of(pilot).split()))
        await pilot.press("escape")
        await until(pilot, lambda: "Up: PostgreSQL" in text_of(pilot))
