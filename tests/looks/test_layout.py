"""What has to fit: below the floor a plain message, and back to where it was; bars whole."""

from __future__ import annotations

from pathlib import Path

from tests.looks.world import app_of, opened, settle
from tests.screens.eyes import screen_lines, screen_text
from tui.screens.fleet import FleetScreen
from tui.screens.small import FLOOR, SmallScreen


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


async def test_a_bar_against_its_target_is_never_cut(tmp_path: Path) -> None:
    """Its end says how far above the target something is."""
    app = app_of(tmp_path)
    async with opened(app, "drill_history", (60, 15)) as pilot:
        for width in (60, 80, 100, 110, 120, 135, 200):
            await pilot.resize_terminal(width, 30)
            await pilot.pause(0.1)
            rows = [line for line in screen_lines(app) if "recovery" in line]
            assert len(rows) == 3 and not any("…" in row for row in rows), (width, rows)
