"""The jobs: what is running or has run, whoever started it. Enter watches one."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.model import amounts as show
from tui.model.backup import Verdict
from tui.model.errors import PgdrError
from tui.model.event import JobState
from tui.model.progress import Progress
from tui.screens import go
from tui.screens.error import ErrorScreen
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.detail import Detail
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.tones import BAD, DIM, GOOD, PLAIN, STRONG, WARN, Cell, Piece, lines

_STATES = {
    JobState.RUNNING: ("▶", "running", STRONG),
    JobState.DONE: ("✔", "done", PLAIN),
    JobState.FAILED: ("✖", "FAILED", BAD),
    JobState.CANCELLED: ("✖", "cancelled", WARN),
    JobState.LOST: ("?", "LOST", BAD),
}
_VERDICTS = {Verdict.CLEAN: GOOD, Verdict.EXPLAINED: WARN, Verdict.FAILED: BAD}
_COLUMNS = (
    Column("", 1, gap=0),
    Column("state", 9, gap=1, value=lambda j: j.state.value),
    Column("kind", 7, gap=1, value=lambda j: j.kind.value),
    Column("database", 16, wide=34, gap=1, value=lambda j: j.database),
    Column("began (UTC)", 11),
    Column("took", 7, right=True, value=lambda j: j.duration_s, down=True),
    Column("done", 5, right=True, gap=1, priority=2),
    Column("verdict", 9, priority=1),
    Column("by", 12, wide=20, priority=3),
    Column("on", 12, wide=24, priority=4),
    Column("job", 32, priority=5),
)
_EVERY_S = 2.0  # while one runs; an idle list asks nothing


class JobsScreen(ListScreen):
    """All jobs of this state directory, the newest first."""

    CSS_PATH = "jobs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("jobs")
    help_page = "jobs"

    class Listed(Message):
        """The jobs as they are now, or why they can't be listed."""

        def __init__(self, outcome: tuple[Progress, ...] | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house

    @property
    def _now(self) -> datetime:
        return self._house.bearings.now()

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, "jobs")
        yield FilterBar(hint="state, kind, database, who")
        yield LineTable[Progress](
            _COLUMNS,
            lambda job: _cells(job, self._now),
            lambda job: job.job,
            words=lambda job: f"{job.job} {job.state.value} {job.kind.value} {job.database} {job.operator}",
            empty="Reading…",
            enter="watch",
        )
        yield Detail(id="details")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Reads the jobs, and again every two seconds while one runs."""
        self.query_one(LineTable).focus()
        self.action_refresh()

    def on_screen_resume(self) -> None:
        """Reads them anew when someone comes back."""
        self.action_refresh()

    @work(thread=True, exit_on_error=False, exclusive=True)
    def action_refresh(self) -> None:
        """Reads the jobs anew."""
        try:
            self.post_message(self.Listed(self._house.rooms.jobs()))
        except PgdrError as error:
            self.post_message(self.Listed(error))

    def on_jobs_screen_listed(self, message: Listed) -> None:
        """Shows them."""
        if isinstance(message.outcome, PgdrError):
            self.app.push_screen(ErrorScreen.of(self._house.bearings, message.outcome))
            return
        table = self.query_one(LineTable)
        table.empty = "No job has been started yet."
        table.set_rows(message.outcome)
        if self.is_current and any(job.state is JobState.RUNNING for job in message.outcome):
            self.set_timer(_EVERY_S, self.action_refresh)

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows the details of the chosen one."""
        job: Progress | None = message.row
        self.query_one("#details", Detail).update(lines(*_details(job)) if job else "")
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        tables = self.query(LineTable)
        return action != "copy" or bool(tables and tables.first().rows)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter watches the chosen one."""
        self.action_attach()

    def action_attach(self) -> None:
        """Watches the chosen one."""
        job: Progress | None = self.query_one(LineTable).cursor_row
        if job is not None:
            self.post_message(go.Attach(job.job))

    def action_copy(self) -> None:
        """Copies the chosen one's name."""
        job: Progress | None = self.query_one(LineTable).cursor_row
        if job is not None:
            self.post_message(go.Copy("job", job.job))


def _cells(job: Progress, now: datetime) -> list[Piece]:
    shape, word, tone = _STATES[job.state]
    took = job.duration_s
    if took is None and job.started_at is not None:
        took = ((job.ended_at or now) - job.started_at).total_seconds()
    return [
        Cell(shape, tone),
        Cell(word, tone),
        job.kind.value,
        job.database,
        show.day_minute(job.started_at),
        show.duration(took),
        show.percent(job.fraction) if job.state is JobState.RUNNING else "",
        Cell(job.verdict.value, _VERDICTS[job.verdict]) if job.verdict else Cell(show.UNKNOWN, DIM),
        job.operator,
        job.host,
        job.job,
    ]


def _details(job: Progress) -> list[Piece]:
    made: list[Piece] = [Cell(job.job, STRONG)]
    if job.ref:
        made.append(f"from {job.ref}")
    if job.target:
        made.append(f"into {job.target}")
    if job.made_ref:
        made.append(f"made {job.made_ref}")
    if job.errors:
        bad = sum(not error.harmless for error in job.errors)
        made.append(f"{show.plural(len(job.errors), 'error')}, {len(job.errors) - bad} of them explained")
    if job.message:
        made.append(" ".join(part for part in (job.message, job.mend) if part))
    return made
