"""`y` copies what is at hand on every screen, and any screen can be written down as text and as a picture."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.looks.world import ODD, SCREENS, app_of, opened, settle
from tests.screens.eyes import screen_text

# In these a letter is meant for a field, or there is nothing at hand but the question itself.
_QUESTIONS = {"confirm", "confirm without a name", "choose", "reason", "find"}


@pytest.mark.parametrize("name", SCREENS)
async def test_any_screen_is_copied_and_written_as_text_and_as_a_picture(name: str, tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with opened(app, name, (100, 30)) as pilot:
        seen = screen_text(app).rstrip()
        told = app.export(app.screen)
        (text,) = (tmp_path / "exports").glob("*.txt")
        (picture,) = (tmp_path / "exports").glob("*.svg")
        assert str(text) in told and text.read_text(encoding="utf-8").rstrip() == seen
        assert text.stat().st_mode & 0o077 == 0
        svg = picture.read_text(encoding="utf-8")
        assert ElementTree.fromstring(svg).tag.endswith("svg")
        assert not re.search(r"url\(|href|@import", svg.replace("url(#", "")), "it loads something"
        if name in _QUESTIONS:
            return
        await pilot.press("y")
        await settle(pilot)
        (written,) = (tmp_path / "copied").iterdir()
        copied = written.read_text(encoding="utf-8")
        assert copied.strip() and app.clipboard.strip() == copied.strip()
        assert any(str(written) in notice.message for notice in app._notifications)


async def test_y_in_a_list_copies_the_row(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with opened(app, "incidents", (100, 30)) as pilot:
        await pilot.press("down", "y")
        await settle(pilot)
        text = app.clipboard
        assert ODD in text and "recovered" in text and "by" in text


async def test_the_key_writes_it(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with opened(app, "pick", (100, 30)) as pilot:
        await pilot.press("ctrl+e")
        await settle(pilot)
        assert [path.suffix for path in sorted((tmp_path / "exports").iterdir())] == [".svg", ".txt"]
        assert all("incident-7-pick" in path.name for path in (tmp_path / "exports").iterdir())
