"""The incidents: those that are open can be taken up, of the others there is a report."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.model import amounts as show
from tui.model.errors import PgdrError
from tui.model.incident import Incident, StepStatus
from tui.screens import go
from tui.screens.error import ErrorScreen
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.tones import BAD, DIM, PLAIN, STRONG, Cell, Piece

_COLUMNS = (
    Column("no.", 4, right=True, gap=0),
    Column("database", 16, wide=34, value=lambda i: i.database),
    Column("state", 11),
    Column("declared (UTC)", 16),
    Column("lasted", 7, right=True, gap=1),
    Column("steps done", 10, right=True, gap=1, priority=2),
    Column("by", 10, wide=20, priority=1, value=lambda i: i.operator),
    Column("backup", 30, wide=70, priority=3),
)


class IncidentsScreen(ListScreen):
    """All incidents of this state directory, the newest first."""

    BINDINGS: ClassVar[list[BindingType]] = bound("incidents")
    help_page = "incidents"

    class Listed(Message):
        """The incidents, or why they can't be listed."""

        def __init__(self, outcome: tuple[Incident, ...] | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, "incidents")
        yield FilterBar(hint="number, database, who")
        yield LineTable[Incident](
            _COLUMNS,
            lambda incident: _cells(incident, self._house.bearings.now()),
            lambda incident: incident.id,
            words=lambda i: f"{i.id} {i.database} {i.operator} {i.outcome or 'open'}",
            empty="Reading…",
            enter="open",
        )
        yield KeyFooter()

    def on_mount(self) -> None:
        """Gives the rows the focus."""
        self.query_one(LineTable).focus()

    def on_screen_resume(self) -> None:
        """Reads them, also when someone comes back."""
        self.action_refresh()

    @work(thread=True, exit_on_error=False, exclusive=True)
    def action_refresh(self) -> None:
        """Reads the incidents anew."""
        try:
            self.post_message(self.Listed(self._house.rooms.incidents()))
        except PgdrError as error:
            self.post_message(self.Listed(error))

    def on_incidents_screen_listed(self, message: Listed) -> None:
        """Shows them."""
        if isinstance(message.outcome, PgdrError):
            self.app.push_screen(ErrorScreen.of(self._house.bearings, message.outcome))
            return
        table = self.query_one(LineTable)
        table.empty = "No incident has been declared yet."
        table.set_rows(message.outcome)
        self.refresh_bindings()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter takes the chosen one up, or shows its report."""
        incident: Incident | None = self.query_one(LineTable).cursor_row
        if incident is not None:
            self.post_message(go.TakeUp(incident.id))


def _cells(incident: Incident, now: datetime) -> list[Piece]:
    is_open = incident.closed_at is None
    done = sum(record.status in (StepStatus.DONE, StepStatus.SKIPPED) for record in incident.steps)
    return [
        incident.id,
        Cell(incident.database, STRONG if is_open else PLAIN),
        Cell("▲ OPEN", BAD) if is_open else Cell(incident.outcome or "closed"),
        show.minute(incident.declared_at),
        show.age((incident.closed_at or now) - incident.declared_at),
        f"{done} of {len(incident.steps)}",
        incident.operator,
        Cell(incident.ref or show.UNKNOWN, PLAIN if incident.ref else DIM),
    ]
