"""What holds for every screen, on one opening of each: its layout at every size, its contrast in every theme,
ASCII, what it copies and what it writes. Opening costs more than looking, so all is looked at together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.color import ColorSystem, ColorType
from textual.pilot import Pilot

from tests.looks.colours import PALETTES, drawn, faint
from tests.looks.flaws import flaws
from tests.looks.world import SCREENS, SIZES, app_of, opened, settle
from tests.screens.eyes import screen_lines, screen_text
from tui.app import PgdrApp
from tui.config.resources import themes_directory
from tui.screens.small import FLOOR
from tui.widgets.ascii import AsciiFilter
from tui.widgets.themes import load_themes

FULL = [name for name, theme in load_themes(themes_directory()).themes.items() if not theme.ansi]
SIXTEEN = ["ansi16", "incident-ansi16"]
NONE = ["mono", "incident-mono"]
# In these a letter is meant for a field, or there is nothing at hand but the question itself.
_QUESTIONS = {"confirm", "confirm without a name", "choose", "reason", "find", "first_add"}


@pytest.mark.parametrize("name", SCREENS)
async def test_a_screen(name: str, tmp_path: Path) -> None:
    """Begins at the floor, grows, shrinks and grows again while it is shown."""
    app = app_of(tmp_path)
    found: dict[str, Any] = {}
    async with opened(app, name, FLOOR) as pilot:
        found["layout at the floor"] = flaws(app)
        for width, height in (*SIZES, SIZES[0]):
            await _resize(pilot, width, height)
            found[f"layout at {width}x{height}"] = flaws(app)
        assert not any(found.values()), (found, screen_text(app))
        await _resize(pilot, 120, 40)
        found |= await _contrast(app, pilot)
        await _resize(pilot, 100, 30)
        await _copies(app, pilot, name, tmp_path)
        app._filters.append(AsciiFilter())
        for width, height in (SIZES[0], SIZES[-1]):
            await _resize(pilot, width, height)
            found[f"ASCII at {width}x{height}"] = [line for line in screen_lines(app) if not line.isascii()]
    assert {what: texts[:5] for what, texts in found.items() if texts} == {}


async def _resize(pilot: Pilot[int], width: int, height: int) -> None:
    await pilot.resize_terminal(width, height)
    for _ in range(3):
        await pilot.pause()


async def _contrast(app: PgdrApp, pilot: Pilot[int]) -> dict[str, Any]:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1, in every pair of colours that is really drawn."""
    found: dict[str, Any] = {}
    worn = app.theme
    for theme in (*FULL, *SIXTEEN, *NONE):
        app.theme = theme
        await pilot.pause()
        await pilot.pause()
        if theme in FULL:
            found[theme] = faint(app)
            found[f"{theme}, 256 colours"] = faint(app, system=ColorSystem.EIGHT_BIT)
        elif theme in SIXTEEN:
            found |= {f"{theme} on {terminal}": faint(app, PALETTES[terminal]) for terminal in PALETTES}
        else:
            found[theme] = [
                text
                for text, *pair in drawn(app)
                if any(colour is not None and colour.type is not ColorType.DEFAULT for colour, _ in pair)
            ]
    app.theme = worn
    await pilot.pause()
    return found


async def _copies(app: PgdrApp, pilot: Pilot[int], name: str, state: Path) -> None:
    """It can be written down as text and as a picture, and `y` copies what is at hand."""
    await settle(pilot)
    seen = screen_text(app).rstrip()
    told = app.export(app.screen)
    (text,) = (state / "exports").glob("*.txt")
    (picture,) = (state / "exports").glob("*.svg")
    assert str(text) in told and text.read_text(encoding="utf-8").rstrip() == seen
    assert text.stat().st_mode & 0o077 == 0
    svg = picture.read_text(encoding="utf-8")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert not re.search(r"url\(|href|@import", svg.replace("url(#", "")), "it loads something"
    if name in _QUESTIONS:
        return
    await pilot.press("y")
    await settle(pilot)
    (written,) = (state / "copied").iterdir()
    copied = written.read_text(encoding="utf-8")
    assert copied.strip() and app.clipboard.strip() == copied.strip()
    assert any(str(written) in notice.message for notice in app._notifications)
