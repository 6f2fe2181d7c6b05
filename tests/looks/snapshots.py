"""A few screens as a terminal of 80x24 gets them, kept as files that `cat` shows: `python -m
tests.looks.snapshots` writes them anew after the looks were changed on purpose."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.color import ColorSystem
from rich.style import Style
from textual.app import App

from tests.looks.world import app_of, opened, settle
from tests.screens.eyes import until_seen

HERE = Path(__file__).parent / "snapshots"
# Each screen, and what stands on it when all that it asks for has been answered.
NAMES = {
    "fleet": ("DOWN", "RTO 30m", "Newest backup"),
    "incidents": ("recovered",),
    "confirm": ("Cancel",),
    "job": ("48 %",),
}
WAYS: Mapping[str, ColorSystem | None] = {
    "truecolor": ColorSystem.TRUECOLOR,
    "256": ColorSystem.EIGHT_BIT,
    "ascii": None,
}


def picture(app: App[Any], system: ColorSystem | None) -> str:
    """Given an app and how many colours there are (None: none), returns its screen as lines, each piece of
    text with the codes that a terminal gets."""
    rows = []
    for strip in app.screen._compositor.render_strips(app.size):
        pieces = [_coded(text, style, system) for text, style, _ in strip.simplify()]
        rows.append("".join(pieces).rstrip())
    return "\n".join(rows) + "\n"


def _coded(text: str, style: Style | None, system: ColorSystem | None) -> str:
    if style is None or system is None:
        return text
    fresh = style.copy()
    fresh._ansi = None  # rich keeps the codes that it has made once, whatever the colours were
    return fresh.render(text, color_system=system)


async def take(name: str, way: str, state: Path) -> str:
    """Given a screen's name, how it is drawn and a state directory, returns its picture."""
    app = app_of(state, theme="dark", ascii_only=way == "ascii")
    async with opened(app, name, (80, 24)) as pilot:
        await until_seen(pilot, *NAMES[name])
        await settle(pilot)
        return picture(app, WAYS[way])


def main() -> None:
    """Writes all of them anew."""
    HERE.mkdir(exist_ok=True)
    for name in NAMES:
        for way in WAYS:
            with tempfile.TemporaryDirectory() as state:
                taken = asyncio.run(take(name, way, Path(state)))
            (HERE / f"{name}.{way}").write_text(taken, encoding="utf-8")


if __name__ == "__main__":
    main()
