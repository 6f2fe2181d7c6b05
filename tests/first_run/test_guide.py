"""The guide by keys alone, at 80x24, on real servers; and what `pgdr` does where there is no terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.first_run.conftest import Near
from tests.recovery_screens.seen import text_of, until
from tests.terminal.terminal import Terminal
from tui.app import PgdrApp
from tui.config.load import load
from tui.config.paths import first_places
from tui.model.fleet import Endpoint, Fleet, LocalStore
from tui.operations.first_run.nearby import Surroundings
from tui.screens.first_run import FirstRunScreen, FoundTable
from tui.screens.fleet import FleetScreen


@asynccontextmanager
async def guide(around: Surroundings, home: Path, *, read_only: bool = False) -> AsyncIterator[Pilot[int]]:
    """The app in the guide, all looked at."""
    app = PgdrApp(
        Fleet("no configuration"),
        home / "state",
        read_only,
        ascii_only=True,
        guide=lambda bearings: FirstRunScreen(bearings, around, first_places()),
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(
            pilot, lambda: "found; ticked" in text_of(pilot) and "looking around" not in text_of(pilot)
        )
        yield pilot


async def test_from_nothing_to_the_fleet(near: Near, home: Path) -> None:
    async with guide(near.with_socket(home), home) as pilot:
        await until(pilot, lambda: "answers" in text_of(pilot) and "shop" in text_of(pilot))
        await pilot.press("enter")
        await until(
            pilot, lambda: any("Nothing is ticked yet" in n.message for n in pilot.app._notifications)
        )
        await pilot.press("space")  # the server: all its databases
        await until(pilot, lambda: "ticked: 2 databases, 0 stores" in text_of(pilot))
        await pilot.press("home", "down")
        row = pilot.app.screen.query_one(FoundTable).cursor_row
        assert row is not None and row.database is not None
        await pilot.press(*(["down"] if row.database.name == "shop" else []), "space")
        await until(pilot, lambda: "ticked: 1 database, 0 stores" in text_of(pilot))
        await pilot.press("n")
        await until(pilot, lambda: "Add a server or a store" in text_of(pilot))
        await pilot.press(*"ann:hidden@db1")
        await until(pilot, lambda: "holds a password" in text_of(pilot))
        await pilot.press("ctrl+u", *str(near.sockets.parent / "nowhere"), "enter")
        await until(pilot, lambda: "= the store" in text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "can't be read" in text_of(pilot))
        await pilot.press("end", "space")
        await until(pilot, lambda: "ticked: 1 database, 1 store" in text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "PostgreSQL 18" in " ".join(text_of(pilot).split()))
        assert "store local" in text_of(pilot)
        await until(pilot, lambda: "1 of" not in text_of(pilot) and "write it" in text_of(pilot))
        assert not (home / ".config").exists() and not (home / "state").exists()
        await pilot.press("p")
        await until(pilot, lambda: str(home / "pgdr.toml") in text_of(pilot).replace("\n ", ""))
        await pilot.press("w")
        await until(pilot, lambda: "not all of it answers" in text_of(pilot))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, FleetScreen))
        await until(pilot, lambda: "shop" in text_of(pilot) and " up " in text_of(pilot))
    written = load(home / "pgdr.toml")
    (database,) = written.databases
    assert (database.name, database.endpoint) == ("shop", Endpoint(str(near.sockets), near.port, "postgres"))
    assert written.stores == (LocalStore("local", near.sockets.parent / "nowhere"),)
    assert (home / "pgdr.toml").stat().st_mode & 0o777 == 0o600


async def test_read_only_looks_and_writes_nothing(near: Near, home: Path) -> None:
    async with guide(near.with_socket(home), home, read_only=True) as pilot:
        assert "READ-ONLY: all can be looked at" in text_of(pilot)
        await until(pilot, lambda: "shop" in text_of(pilot))
        await pilot.press("a", "enter")
        await until(pilot, lambda: "READ-ONLY: it is not written" in text_of(pilot))
        await pilot.press("w")
        await pilot.pause()
        assert "write it" not in text_of(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "ticked: 2 databases" in text_of(pilot))
        await pilot.press("q")
    assert list(home.iterdir()) == []


async def test_nothing_near_says_how_to_go_on(near: Near, home: Path) -> None:
    nothing = replace(near.with_socket(home), sockets=())
    async with guide(nothing, home) as pilot:
        assert "n adds what you name, d starts the demo" in text_of(pilot)
        await pilot.press("d")
        await until(pilot, lambda: "Start the demo" in text_of(pilot))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: getattr(pilot.app, "demo_wanted", False))
    assert list(home.iterdir()) == []


def test_a_terminal_gets_the_guide_and_leaving_it_writes_nothing(home: Path) -> None:
    with Terminal(cwd=home) as terminal:
        terminal.see("no configuration", "first run", "? keys")
        terminal.press("q")
        assert terminal.end() == 0
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("argv", [(), ("inventory",)])
def test_without_a_terminal_it_is_an_error_as_ever(argv: tuple[str, ...], home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", *argv],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 2 and "There is no configuration." in done.stderr and "pgdr demo" in done.stderr
