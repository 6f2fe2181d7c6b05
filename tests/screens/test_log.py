"""The whole log of a job: from its beginning, also while it grows, with thousands of lines and errors."""

from __future__ import annotations

from pathlib import Path

from tests.looks.world import app_of
from tests.recovery_screens.pictures import ROLE_MISSING
from tests.recovery_screens.test_restore_screen import JOB, STARTED, Job
from tests.screens.eyes import screen_text, until
from tui.jobs.lock import held
from tui.model.backup import Verdict
from tui.model.event import (
    ErrorSeen,
    Item,
    ItemFinished,
    ItemLaunched,
    ItemsListed,
    JobEnded,
    JobState,
    Phase,
)
from tui.screens import go
from tui.screens.log import LogScreen
from tui.widgets.line_table import LineTable

MANY = 3000
ITEMS = tuple(
    Item(number, "TABLE DATA", "public", f"day_{number}", Phase.DATA, f"day_{number}", 10, 7)
    for number in range(MANY)
)


async def test_the_whole_log_is_read_while_it_grows(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.tell([STARTED, ItemsListed(ITEMS)])
    job.tell([event for item in ITEMS for event in (ItemLaunched(item.dump_id), ItemFinished(item.dump_id))])
    job.tell([ErrorSeen(ROLE_MISSING)] * MANY)
    app = app_of(tmp_path)
    with held(job.files.lock, {}):
        async with app.run_test(size=(120, 40)) as pilot:
            app.on_attach(go.Attach(JOB))
            await until(pilot, lambda: f"{MANY} of {MANY} tables" in screen_text(app))
            await pilot.press("e")
            await until(pilot, lambda: "explained" in screen_text(app))
            await pilot.press("end")
            assert "2,700 more" in screen_text(app) and 'role "reporting" missing' in screen_text(app)
            await pilot.press("t", "end")
            assert "day_2999" in screen_text(app)
            await pilot.press("L")
            await until(pilot, lambda: isinstance(app.screen, LogScreen))
            table = app.screen.query_one(LineTable)
            await until(pilot, lambda: table.count == (3 * MANY, 3 * MANY))
            assert "explained: could not execute query" in screen_text(app)
            # what comes is seen, until someone moves up
            job.tell([ErrorSeen(ROLE_MISSING)])
            await until(pilot, lambda: table.count[0] == 3 * MANY + 1)
            assert table.cursor_row is table.rows[-1]
            await pilot.press("home")
            first = table.cursor_row
            assert first is not None and "loading TABLE DATA public.day_0" in first
            job.tell([JobEnded(JobState.FAILED, Verdict.FAILED, 9.0, "Cut off.")])
            await until(pilot, lambda: "the job has ended" in screen_text(app))
            assert table.cursor_row is first and "Cut off." in str(table.rows[-1])
            await pilot.press("slash", *"day_2999", "enter")
            assert "2 of 9,002 lines" in screen_text(app) and table.count[0] == 2
            await pilot.press("y")
            await until(pilot, lambda: "finished TABLE DATA public.day_2999" in app.clipboard)
            assert len(app.clipboard.splitlines()) == 2


async def test_a_log_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    app = app_of(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        from tui.jobs.watch import WholeLog

        app.push_screen(LogScreen(app._bearings, "gone", WholeLog(tmp_path, "gone").read_on))
        await until(pilot, lambda: "There is no job gone" in screen_text(app))
