"""The keys that copy and that write a screen down; test_screens.py looks at what they make of each."""

from __future__ import annotations

from pathlib import Path

from tests.looks.world import ODD, app_of, opened, settle


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
