"""The screen of services and writes, on real processes and a real server, at 80 columns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.pausing.conftest import Little
from tests.recovery.world import World
from tests.recovery_screens.seen import give_reason, text_of, until
from tui.app import PgdrApp
from tui.incident.book import Book
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.fleet import FleetScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.pause import PauseScreen
from tui.screens.recovery.screen import RecoveryScreen
from tui.widgets.paused_line import PausedLine


def app_of(world: World, read_only: bool = False) -> PgdrApp:
    return PgdrApp(world.fleet, world.state, read_only, operator="ann@db1")


@asynccontextmanager
async def at_services(
    world: World, read_only: bool = False, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[int]]:
    """From the fleet to the services of its database."""
    app = app_of(world, read_only)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "tables:" in text_of(pilot))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PauseScreen) and "let in" in text_of(pilot))
        await until(pilot, lambda: text_of(pilot).count("200 OK") >= 2)
        yield pilot


def at_rest(pilot: Pilot[int]) -> bool:
    """Whether nothing is being changed, so that the screen can be left."""
    return isinstance(pilot.app.screen, PauseScreen) and not pilot.app.screen.must_finish


async def confirm(pilot: Pilot[int], name: str = "") -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    await pilot.press(*name)
    await pilot.press(*(("enter", "enter") if name else ("tab", "enter")))


async def test_all_are_paused_and_resumed(world: World, two: tuple[Little, Little]) -> None:
    async with at_services(world) as pilot:
        lines = text_of(pilot).splitlines()
        assert "1" not in lines[0][:1] and all(len(line) <= 80 for line in lines)
        await pilot.press("P")
        await until(pilot, lambda: "1. server (command): running" in text_of(pilot))
        await pilot.press("enter", "enter")  # Cancel has the focus
        await until(pilot, lambda: isinstance(pilot.app.screen, PauseScreen))
        assert all(one.log == [] for one in two)
        await pilot.press("P")
        await confirm(pilot, world.live.name)
        await until(pilot, lambda: text_of(pilot).count("‖") >= 2 and at_rest(pilot))
        assert not any(one.runs for one in two)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, FleetScreen))
        await until(pilot, lambda: "Still paused of shop: server, payment-processor" in text_of(pilot))
        await pilot.press("p")
        await until(pilot, lambda: text_of(pilot).count("‖") >= 2)
        await pilot.press("U")
        await until(pilot, lambda: "1. payment-processor" in text_of(pilot))
        await confirm(pilot)
        await until(pilot, lambda: text_of(pilot).count("● ") >= 3 and at_rest(pilot))
        assert all(one.runs and one.log == ["stop", "start"] for one in two)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, FleetScreen))
        await until(pilot, lambda: not pilot.app.screen.query_one(PausedLine).display)


async def test_one_that_fails_is_told_tried_again_and_gone_past(
    world: World, two: tuple[Little, Little]
) -> None:
    (two[0].directory / "fail").touch()
    async with at_services(world) as pilot:
        await pilot.press("p")
        await confirm(pilot, "server")
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorScreen))
        await until(pilot, lambda: "exited with 7" in text_of(pilot))
        assert "See what it says by hand" in text_of(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "✘ server" in text_of(pilot) and "failed" in text_of(pilot))
        # It says failed from the first word of it; it can be gone past once the record was read again.
        await until(pilot, lambda: "go past" in text_of(pilot).splitlines()[-1])
        await pilot.press("b")
        await give_reason(pilot, "it only reads")
        await until(pilot, lambda: "● server" in text_of(pilot))
        (two[0].directory / "fail").unlink()
        await pilot.press("p")
        await confirm(pilot, "server")
        await until(pilot, lambda: "‖ server" in text_of(pilot) and "Paused" in text_of(pilot))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_freeze_and_thaw(world: World, size: tuple[int, int]) -> None:
    name = world.live.name
    async with at_services(world, size=size) as pilot:
        await pilot.press("f")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
        assert "let nobody in" in text_of(pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "SET default_transaction_read_only" in text_of(pilot))
        assert "a session can turn it off for itself" in text_of(pilot)
        await confirm(pilot, name)
        await until(pilot, lambda: "FROZEN" in text_of(pilot) and "read-only" in text_of(pilot))
        assert world.answer("paused")["databases"][0]["how"] == "read-only"
        await pilot.press("end")
        await until(pilot, lambda: "by ann@db1: by hand" in text_of(pilot))
        await pilot.press("t")
        await confirm(pilot)
        await until(pilot, lambda: "let in" in text_of(pilot))
    assert world.answer("paused")["databases"] == []


async def test_read_only_only_looks(world: World, two: tuple[Little, Little]) -> None:
    async with at_services(world, read_only=True) as pilot:
        keys = text_of(pilot).splitlines()[-1]
        assert "pause" not in keys and "freeze" not in keys and "back" in keys
        for key in ("p", "P", "u", "U", "f", "t", "b"):
            await pilot.press(key)
        await pilot.pause()
        assert isinstance(pilot.app.screen, PauseScreen)
    assert all(one.runs for one in two)


async def test_in_a_recovery_it_lands_in_the_timeline(world: World, two: tuple[Little, Little]) -> None:
    guide = world.guide()
    app = app_of(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, RecoveryScreen))
        await pilot.press("p")
        await until(
            pilot, lambda: isinstance(app.screen, PauseScreen) and text_of(pilot).count("200 OK") >= 2
        )
        await pilot.press("P")
        await confirm(pilot, world.live.name)
        await until(pilot, lambda: text_of(pilot).count("‖") >= 2 and at_rest(pilot))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, RecoveryScreen))
    told = [(e.kind, e.text) for e in Book(world.state).load(guide.incident.id).timeline]
    assert [text for kind, text in told if kind == "fact" and "is paused" in text] == [
        "Service server is paused (it doesn't run).",
        "Service payment-processor is paused (it doesn't run).",
    ]
    assert any(kind == "command" and "little.py" in text for kind, text in told)
    assert world.answer("paused")["services"][0]["incident"] == guide.incident.id
