"""What stands on the screen, and waiting until it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from tui.screens.recovery.reason import ReasonScreen

_PATIENCE_S = 30.0


def text_of(pilot: Pilot[Any]) -> str:
    """Returns the screen as text, as a terminal would show it."""
    app = pilot.app
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def settle(pilot: Pilot[Any]) -> None:
    """Lets everything that was begun come to its end. Not for a pane that watches a running job alone."""
    for _ in range(4):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


async def until(pilot: Pilot[Any], true: Callable[[], bool], patience_s: float = _PATIENCE_S) -> None:
    """Waits until something is true; fails with the screen when it doesn't become so in time."""
    deadline = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"this was still on the screen:\n{text_of(pilot)}")
        await pilot.pause(0.05)


async def give_reason(pilot: Pilot[Any], reason: str) -> None:
    """Writes a reason where one is asked for, and goes on with it, each step once the one before is seen."""
    await until(pilot, lambda: isinstance(pilot.app.screen, ReasonScreen) and pilot.app.focused is not None)
    asked = pilot.app.screen
    await pilot.press(*reason)
    await until(pilot, lambda: asked.query_one(Input).value == reason)
    await pilot.press("enter")
    await until(pilot, lambda: asked.query_one("#action").has_focus)
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen is not asked)
