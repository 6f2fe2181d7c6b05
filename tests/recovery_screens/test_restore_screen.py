"""A job on the screen, from its journal alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from textual.app import App
from textual.pilot import Pilot

from tests.recovery_screens.pictures import BAD_ROW, ROLE_MISSING
from tests.recovery_screens.scripted import copied
from tests.recovery_screens.seen import text_of, until
from tui.jobs.job import JobFiles, JobSpec, write_spec
from tui.jobs.journal import Journal
from tui.jobs.lock import held
from tui.model.backup import Verdict
from tui.model.event import (
    CheckDone,
    ErrorSeen,
    Event,
    IndexAdvanced,
    Item,
    ItemFinished,
    ItemLaunched,
    ItemsListed,
    JobEnded,
    JobKind,
    JobStarted,
    JobState,
    LoadAdvanced,
    Phase,
    PhaseBegan,
)
from tui.model.verdict import Check
from tui.screens.restore import RestoreScreen
from tui.widgets.header import Bearings

BEGAN = datetime(2026, 11, 21, 3, 18, tzinfo=timezone.utc)
JOB = "restore-20261121T031800Z-a3f2"
ITEMS = (
    Item(1, "TABLE", "public", "trades", Phase.SCHEMA),
    Item(2, "TABLE DATA", "public", "trades", Phase.DATA, "trades", 1_000_000, 12_000),
    Item(3, "TABLE DATA", "public", "users", Phase.DATA, "users", 10_000, 1_200),
    Item(4, "INDEX", "public", "trades_at_idx", Phase.INDEXES, "trades"),
    Item(5, "FK CONSTRAINT", "public", "trades_user_fkey", Phase.FOREIGN_KEYS, "trades"),
)
STARTED = JobStarted(
    JOB, JobKind.RESTORE, "shop", "offsite:shop.dump", "shop_restore", "anna", "bastion", 1, 2, 1800.0
)
LIVE: tuple[Event, ...] = (
    STARTED,
    ItemsListed(ITEMS, 60.0, 120.0, "learned from 4 restores"),
    PhaseBegan(Phase.SCHEMA),
    ItemLaunched(1),
    ItemFinished(1),
    ItemLaunched(2),
    ItemLaunched(3),
    LoadAdvanced("public", "trades", 7_900, 3_000_000),
    ItemFinished(3),
    ErrorSeen(ROLE_MISSING),
)

SCANNING = IndexAdvanced("public", "trades", "trades_at_idx", "building index: scanning table", 31, 100, 0, 0)
FAILED = JobEnded(JobState.FAILED, Verdict.FAILED, 90.0, "One error is not harmless.", "Pick another.")


class Job:
    """A job whose journal the test writes; the clock is the test's."""

    def __init__(self, state: Path) -> None:
        spec = JobSpec(
            JOB, JobKind.RESTORE, state / "pgdr.toml", "shop", "anna", "offsite:shop.dump", "shop_restore"
        )
        self.files: JobFiles = write_spec(state, spec)
        self.now = BEGAN
        self.journal = Journal(self.files.journal, lambda: self.now)
        self.state = state

    def tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self.now += timedelta(seconds=1)
            self.journal.append(event)


class Attached(App[None]):
    """An app with nothing but one job."""

    def __init__(self, job: Job, name: str = JOB) -> None:
        super().__init__()
        self._job, self._wanted = job, name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"foreground-muted": "#808080", "rule": "#505050"}

    def on_mount(self) -> None:
        bearings = Bearings("Shop", False, lambda: self._job.now)
        self.push_screen(RestoreScreen(bearings, self._job.state, self._wanted, "bob", copied))


@asynccontextmanager
async def attached(job: Job, size: tuple[int, int] = (80, 24), name: str = JOB) -> AsyncIterator[Pilot[None]]:
    async with Attached(job, name).run_test(size=size) as pilot:
        yield pilot


async def test_what_the_journal_says_stands_on_the_screen_and_goes_on(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.tell(LIVE)
    with held(job.files.lock, {}):
        async with attached(job) as pilot:
            await until(pilot, lambda: "trades" in text_of(pilot) and "1 loading" in text_of(pilot))
            assert "into shop_restore" in text_of(pilot) and "(RTO 03:48)" in text_of(pilot)
            assert "! 1 explained" in text_of(pilot)
            job.tell(
                [
                    ItemFinished(2),
                    ItemLaunched(4),
                    IndexAdvanced(
                        "public", "trades", "trades_at_idx", "building index: scanning table", 31, 100, 0, 0
                    ),
                ]
            )
            await until(pilot, lambda: "indexing" in text_of(pilot))
            await pilot.press("t")
            assert "12,000 of 12,000" in text_of(pilot) and "trades_at_idx" in text_of(pilot)
            await pilot.press("e")
            assert 'role "reporting" missing' in text_of(pilot) and "4123 ACL public.users" in text_of(pilot)
            await pilot.press("l")
            assert "03:18" in text_of(pilot)
            await pilot.press("l")
            assert "indexing" in text_of(pilot)


async def test_the_end_is_shown_with_verdict_errors_and_checks(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.tell(LIVE)
    job.tell([CheckDone(Check("rows of trades", False, "12,000", "11,999"))])
    job.tell(
        [
            ErrorSeen(BAD_ROW),
            FAILED,
        ]
    )
    for size in ((80, 24), (200, 50)):
        async with attached(job, size) as pilot:
            await until(pilot, lambda: "✘ FAILED" in text_of(pilot))
            assert "next  Pick another." in text_of(pilot) and "x stop" not in text_of(pilot)
            await pilot.press("c")
            assert "expected  12,000" in text_of(pilot)
            await pilot.press("e")
            assert "The rows of public.trades were not loaded." in text_of(pilot)


async def test_a_job_whose_supervisor_is_gone_is_lost_and_says_what_to_do(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.tell(LIVE)
    async with attached(job) as pilot:
        await until(pilot, lambda: "✘ LOST" in text_of(pilot))
        assert "supervisor ended without a word" in text_of(pilot)


async def test_stop_is_asked_for_and_written_where_the_supervisor_looks(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.tell(LIVE)
    with held(job.files.lock, {}):
        async with attached(job) as pilot:
            await until(pilot, lambda: "x stop" in text_of(pilot))
            await pilot.press("x")
            await until(pilot, lambda: "[ go on ]" in text_of(pilot))
            await pilot.press("down", "down", "enter")
            await until(pilot, job.files.cancel.exists)
    assert '"keep": false' in job.files.cancel.read_text()


async def test_a_job_that_is_not_there_says_which_are(tmp_path: Path) -> None:
    job = Job(tmp_path)
    async with attached(job, name="restore-nothing") as pilot:
        await until(pilot, lambda: "There is no job restore-nothing" in text_of(pilot))
        assert JOB in text_of(pilot)
