"""The drills: what is due, who did the last, what it measured against its targets, what it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Static

from tui.model.backup import StoreProblem
from tui.model.errors import PgdrError
from tui.operations.verify.drill import DrillRow
from tui.operations.verify.due import Duty
from tui.screens import go
from tui.screens.drill_history import DrillHistoryScreen
from tui.screens.drills_rows import COLUMNS, DueRow, due_cells, due_details, due_rows
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import LineTable
from tui.widgets.tones import WARN, Cell, lines, told


class DrillsScreen(ListScreen):
    """What is due of each database, the overdue first; enter shows all drills of it, d begins one."""

    CSS_PATH = "drills.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("drills")
    help_page = "drills"

    class Listed(Message):
        """What is due, as far as known: `known` once the stores were read, with those that couldn't be."""

        def __init__(
            self,
            duties: Sequence[Duty],
            drills: Sequence[DrillRow],
            known: bool,
            problems: Sequence[StoreProblem] = (),
        ) -> None:
            super().__init__()
            self.rows = due_rows(duties, drills, known)
            self.known = known
            self.problems = tuple(problems)

    class Failed(Message):
        """It couldn't be found out."""

        def __init__(self, error: PgdrError) -> None:
            super().__init__()
            self.error = error

    def __init__(self, house: House, database: str | None = None) -> None:
        super().__init__()
        self._house = house
        self._first = database
        self._problems: tuple[StoreProblem, ...] = ()

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, "drills")
        yield FilterBar(hint="database, what, overdue")
        yield LineTable[DueRow](
            COLUMNS,
            lambda row: due_cells(row, self._house.bearings.now()),
            lambda row: row.key,
            words=_words,
            empty="Reading…",
            enter="history",
        )
        yield Static("", markup=False, id="details")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Gives the rows the focus."""
        self.query_one(LineTable).focus()

    def on_screen_resume(self) -> None:
        """Reads them, also when someone comes back."""
        self.action_refresh()

    def action_refresh(self) -> None:
        """Reads what is known here at once, then what only the stores know."""
        self.waits(True)
        self._read()

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _read(self) -> None:
        rooms = self._house.rooms
        problems: list[StoreProblem] = []
        try:
            drills = rooms.drills()
            self.post_message(self.Listed(rooms.duties(None), drills, False))
            self.post_message(self.Listed(rooms.duties(problems.append), drills, True, problems))
        except PgdrError as error:
            self.post_message(self.Failed(error))

    def on_drills_screen_listed(self, message: Listed) -> None:
        """Shows them."""
        if message.known:
            self.waits(False)
        table = self.query_one(LineTable)
        table.empty = "The configuration says that nothing is due: see [fleet] drill_every and the like."
        self._problems = message.problems
        table.set_rows(message.rows)
        if self._first is not None:
            wanted = next((row for row in message.rows if row.duty.database == self._first), None)
            if wanted is not None:
                table.go_to(wanted.key)
            self._first = None
        self._tell()

    def on_drills_screen_failed(self, message: Failed) -> None:
        """Shows why not."""
        self.waits(False)
        from tui.screens.error import ErrorScreen

        self.app.push_screen(ErrorScreen.of(self._house.bearings, message.error))

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows what is known of the chosen one."""
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        """Fits the details to the width."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        row: DueRow | None = self.query_one(LineTable).cursor_row
        shown = self.query_one("#details", Static)
        width = max(40, shown.content_size.width or self.size.width - 2)
        made = due_details(row, self._house.bearings.now(), width) if row is not None else []
        for problem in self._problems:
            said = f"{problem.what} {problem.why or ''}".rstrip()
            made.append(told(Cell(f"{problem.store}: ", WARN), said))
        shown.update(lines(*made))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        if action == "drill":
            tables = self.query(LineTable)
            return not self._house.bearings.read_only and bool(tables and tables.first().cursor_row)
        return True

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter: every drill of the database."""
        row: DueRow | None = self.query_one(LineTable).cursor_row
        if row is not None:
            self.app.push_screen(DrillHistoryScreen(self._house, row.duty.database))

    def action_drill(self) -> None:
        """Does what is due: a verification, or a drill."""
        row: DueRow | None = self.query_one(LineTable).cursor_row
        if row is None:
            return
        if row.duty.what == "verification":
            self.post_message(go.VerifyNewest(row.duty.database))
        else:
            self.post_message(go.Drill(row.duty.database, row.duty.what))


def _words(row: DueRow) -> str:
    state = "overdue" if row.duty.overdue else "done"
    return f"{row.duty.database} {row.duty.what} {state} {row.duty.by or ''}"
