"""ctrl+p: commands, databases, backups, incidents and jobs by a few letters; and how they are ranked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.looks.world import BACKUPS, FLEET, ROOMS, app_of, settle
from tests.recovery_screens.pictures import NOW
from tests.screens.eyes import screen_text, until, until_seen
from tui.app import PgdrApp
from tui.model.backup import Backup
from tui.screens.backups import BackupsScreen
from tui.screens.backups_contents import ContentsScreen
from tui.screens.find import FindScreen
from tui.screens.fleet import FleetScreen
from tui.screens.jobs import JobsScreen
from tui.screens.restore import RestoreScreen
from tui.widgets.line_table import LineTable
from tui.widgets.ranking import Candidate, best, distance


async def _find(pilot: Pilot[int], typed: str) -> list[str]:
    """Opens it and gives it what a person types; returns what is found, best first."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: isinstance(pilot.app.screen, FindScreen), "finding")
    screen = pilot.app.screen
    assert isinstance(screen, FindScreen)
    screen.query_one("#query", Input).value = typed
    await settle(pilot)
    await until(pilot, lambda: not screen._reading and not screen._stale, "all is read")
    await settle(pilot)
    return [row.what for row in screen.query_one(LineTable).seen]


async def test_a_command_of_this_screen_or_of_any_is_found_and_done(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        found = await _find(pilot, "backups")
        assert found[0] == "backups" and "backups of all databases" in found
        assert "kong: backups" in found
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BackupsScreen), "the first is done")
        assert "jobs" in await _find(pilot, "jobs")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen), "one of another screen, too")
        await _find(pilot, "goalert")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FleetScreen), "a database is gone to")
        row = app.screen.query_one(LineTable).cursor_row
        assert row is not None and row.database.name == "goalert"
        await _find(pilot, "theme light")
        await pilot.press("enter")
        await settle(pilot)
        assert app.theme == "light"


async def test_a_backup_an_incident_and_a_job_are_found(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        found = await _find(pilot, "azure kong-3")
        assert found[0] == "azure:kong-3.dump"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ContentsScreen), "the backup is looked into")
        assert any(what.startswith("7 crypto_exchange, open") for what in await _find(pilot, "incident 7"))
        await pilot.press("escape")
        found = await _find(pilot, "031800Z-verify")
        assert found[0].startswith("20261121T031800Z-verify")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen), "the job is watched")


async def test_a_store_that_hangs_holds_up_nothing(tmp_path: Path) -> None:
    hang = threading.Event()

    def backups(store: str, page: Callable[[tuple[Backup, ...]], None], problem: Callable[..., Any]) -> None:
        if store == "azure":
            hang.wait(20)
        page(tuple(backup for backup in BACKUPS if backup.store == store))

    app = PgdrApp(
        FLEET, tmp_path, rooms=replace(ROOMS, backups=backups, incidents=lambda: ()), now=lambda: NOW
    )
    async with app.run_test(size=(100, 24)) as pilot:
        try:
            await pilot.press("ctrl+p", *"kong dump")
            text = await until_seen(pilot, "offsite:kong-0.dump", "azure: still reading")
            assert "azure:kong" not in text
            hang.set()
            await until_seen(pilot, "azure:kong-0.dump")
            assert "still reading" not in screen_text(app)
        finally:
            hang.set()


async def test_in_read_only_mode_nothing_that_changes_is_found(tmp_path: Path) -> None:
    app = app_of(tmp_path, read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for typed in ("recover", "back up now"):
            found = await _find(pilot, typed)
            assert [what for what in found if what == typed or what.endswith(f": {typed}")] == []
            await pilot.press("escape")
            await pilot.pause()


@pytest.mark.parametrize(
    ("word", "text", "points"),
    [
        ("jobs", "jobs command", 0),
        ("job", "jobs command", 1),
        ("change", "crypto_exchange", 2),
        ("exchange", "crypto_exchange", 0),
        ("bkp", "backups", 4),
        ("bkp", "a long text of backups " * 5, None),
        ("xyz", "backups", None),
        ("ups", "kups ups", 0),
    ],
)
def test_how_near_a_word_is(word: str, text: str, points: int | None) -> None:
    assert distance(word, text) == points


def test_the_best_come_first() -> None:
    texts = ["kong backups", "jobs", "backups", "kong-1.dump backup", "gone"]
    kinds = [1, 0, 0, 4, 1]
    candidates = [Candidate(n, text, kind) for n, (text, kind) in enumerate(zip(texts, kinds, strict=True))]
    assert best("backups", candidates, 9) == [2, 0]
    assert best("kong", candidates, 9) == [0, 3]
    assert best("dump", [*candidates, Candidate(5, "copy", 0, "copies a dump")], 9) == [3, 5]
    assert best("jobs", [Candidate(7, "my jobs", 0), *candidates], 9) == [1, 7]
    assert best("", candidates, 3) == [1, 2, 0]
    assert best("kong back", candidates, 9) == [0, 3]
    many = [Candidate(n, f"kong-{n}.dump", 4) for n in range(1000)]
    assert best("kong", many, 5) == [0, 1, 2, 3, 4]
