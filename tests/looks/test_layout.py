"""Every screen at every size: nothing is cut without a mark, nothing overlaps, the footer's keys fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.looks.flaws import flaws
from tests.looks.world import SCREENS, SIZES, app_of, opened, settle
from tests.screens.eyes import screen_text
from tui.screens.fleet import FleetScreen
from tui.screens.small import FLOOR, SmallScreen


@pytest.mark.parametrize("name", SCREENS)
async def test_a_screen_at_every_size(name: str, tmp_path: Path) -> None:
    """Begins small, grows and shrinks again while it is shown."""
    app = app_of(tmp_path)
    async with opened(app, name, FLOOR) as pilot:
        found = {FLOOR: flaws(app)}
        for size in (*SIZES, SIZES[0]):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            found[size] = flaws(app)
        assert {size: what for size, what in found.items() if what} == {}, screen_text(app)


async def test_below_the_floor_it_says_so_and_comes_back_by_itself(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for width, height in ((59, 24), (80, 15), (20, 4), (3, 1)):
            await pilot.resize_terminal(width, height)
            await settle(pilot)
            assert isinstance(app.screen, SmallScreen)
            assert screen_text(app).startswith("Too small: "[:width].rstrip()[: width - 1])
        await pilot.press("b", "r", "enter")  # nothing is pressed blindly
        await pilot.resize_terminal(*FLOOR)
        await settle(pilot)
        assert isinstance(app.screen, FleetScreen) and "recover" in screen_text(app)
        await pilot.press("b")
        await settle(pilot)
        await pilot.resize_terminal(20, 5)
        await settle(pilot)
        app.pop_screen()  # what goes on beneath may come to its end there
        await settle(pilot)
        assert isinstance(app.screen, SmallScreen)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert isinstance(app.screen, FleetScreen) and len(app.screen_stack) == 2
