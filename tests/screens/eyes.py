"""What a test sees of the app: the terminal's lines as text, and a bounded wait for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from textual.app import App
from textual.pilot import Pilot

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=timezone.utc)
NARROW = (80, 24)
WIDE = (200, 50)


def screen_lines(app: App[int]) -> list[str]:
    """The screen as it is drawn, line by line, as the terminal gets it; blank before it is laid out."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    if len(strips) != height:
        return [" " * width] * height
    return ["".join(segment.text for segment in strip).ljust(width) for strip in strips]


def screen_text(app: App[int]) -> str:
    """The screen as one text."""
    return "\n".join(line.rstrip() for line in screen_lines(app))


async def until(pilot: Pilot[int], holds: Callable[[], bool], what: str = "") -> None:
    """Waits until something holds, at most thirty seconds."""
    for _ in range(600):
        if holds():
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise AssertionError(f"never came true: {what}\n{screen_text(pilot.app)}")


async def until_seen(pilot: Pilot[int], *texts: str) -> str:
    """Waits until every text can be read on the screen; returns the screen."""
    await until(pilot, lambda: all(text in screen_text(pilot.app) for text in texts), f"seeing {texts}")
    return screen_text(pilot.app)
