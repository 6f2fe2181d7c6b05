"""`y` copies what is at hand on every screen, and any screen can be written down as text and as a picture."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.looks.world import ODD, SCREENS, app_of, opened, settle
from tests.screens.eyes import screen_text

# In these every letter that is typed is meant for a field.
_TYPED = {"confirm", "reason", "find"}


@pytest.mark.parametrize("name", [name for name in SCREENS if name not in _TYPED])
async def test_y_copies_what_is_at_hand(name: str, tmp_path: Path) -> None:
    if name == "confirm without a name" or name == "choose":
        pytest.skip("a question: it has nothing to be copied but itself")
    app = app_of(tmp_path)
    async with opened(app, name, (100, 30)) as pilot:
        await pilot.press("y")
        await settle(pilot)
        (written,) = (tmp_path / "copied").iterdir()
        text = written.read_text(encoding="utf-8")
        assert text.strip() and app.clipboard.strip() == text.strip()
        assert any(str(written) in notice.message for notice in app._notifications)


async def test_y_in_a_list_copies_the_row(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with opened(app, "incidents", (100, 30)) as pilot:
        await pilot.press("down", "y")
        await settle(pilot)
        text = app.clipboard
        assert ODD in text and "recovered" in text and "by" in text


@pytest.mark.parametrize("name", SCREENS)
async def test_a_screen_is_written_as_text_and_as_a_picture(name: str, tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with opened(app, name, (100, 30)) as pilot:
        seen = screen_text(app).rstrip()
        told = app.export(app.screen)
        texts = sorted((tmp_path / "exports").glob("*.txt"))
        pictures = sorted((tmp_path / "exports").glob("*.svg"))
        assert len(texts) == len(pictures) == 1 and str(texts[0]) in told
        assert texts[0].read_text(encoding="utf-8").rstrip() == seen
        svg = pictures[0].read_text(encoding="utf-8")
        assert ElementTree.fromstring(svg).tag.endswith("svg")
        assert not re.search(r"url\(|href|@import", svg.replace("url(#", "")), "it loads something"
        assert texts[0].stat().st_mode & 0o077 == 0
        await pilot.pause()


async def test_the_key_writes_it(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with opened(app, "pick", (100, 30)) as pilot:
        await pilot.press("ctrl+e")
        await settle(pilot)
        assert [path.suffix for path in sorted((tmp_path / "exports").iterdir())] == [".svg", ".txt"]
        assert all("incident-7-pick" in path.name for path in (tmp_path / "exports").iterdir())
