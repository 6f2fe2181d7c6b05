"""The drills of one database that were carried out: how they went, and how that goes over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Static

from tui.operations.verify.drill import DrillRow
from tui.screens import go
from tui.screens.drills_rows import BARS, HISTORY, findings, history_cells
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import LineTable, fit
from tui.widgets.tones import lines, told
from tui.widgets.trend import top_of


class DrillHistoryScreen(ListScreen):
    """Every drill of one database, the newest first, each with a bar against its target."""

    CSS_PATH = "drills.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("drill_history")
    help_page = "drills"

    class Listed(Message):
        """The drills."""

        def __init__(self, rows: Sequence[DrillRow]) -> None:
            super().__init__()
            self.rows = tuple(rows)

    def __init__(self, house: House, database: str) -> None:
        super().__init__()
        self._house = house
        self._database = database
        self._top = 1.0

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, f"drills › {self._database}")
        yield FilterBar(hint="what, verdict, who")
        yield LineTable[DrillRow](
            HISTORY,
            lambda row: history_cells(row, self._top, self._bar_cells),
            lambda row: (row.drill.at, row.drill.job, row.drill.incident),
            words=lambda row: f"{row.drill.kind} {row.drill.verdict.value} {row.drill.operator or ''}",
            empty="Reading…",
            enter="report",
            opens=lambda row: row.drill.incident is not None,
        )
        yield Static("", markup=False, id="details")
        yield KeyFooter()

    @property
    def _bar_cells(self) -> int:
        """How wide the column of the bars is: a bar that is cut would end before its target."""
        shown = fit(HISTORY, self.size.width - 1)  # there may be a scrollbar
        return next((width for index, width in shown if HISTORY[index].title == BARS), 0)

    def on_mount(self) -> None:
        """Reads them."""
        self.query_one(LineTable).focus()
        self._read()

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _read(self) -> None:
        own = [row for row in self._house.rooms.drills() if row.database == self._database]
        self.post_message(self.Listed(own))

    def on_drill_history_screen_listed(self, message: Listed) -> None:
        """Shows them."""
        table = self.query_one(LineTable)
        table.empty = "No drill of it was carried out yet: begin one from the fleet, or from the drills."
        if message.rows:
            values = [row.drill.rto_s for row in message.rows]
            self._top = top_of(values, max(row.rto_target_s for row in message.rows))
        table.set_rows(message.rows)
        self._tell()

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows what the chosen one found."""
        self._tell()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter: the report of one that a person went through."""
        row: DrillRow | None = self.query_one(LineTable).cursor_row
        if row is not None and row.drill.incident is not None:
            self.post_message(go.TakeUp(row.drill.incident))

    def _tell(self) -> None:
        row: DrillRow | None = self.query_one(LineTable).cursor_row
        made = []
        if row is not None:
            drill = row.drill
            by = f"job {drill.job}" if drill.job else ""
            by = f"incident {drill.incident} · {by}" if drill.incident else by
            made = [told(f"from {drill.ref or 'an unknown backup'}"), told(by), *findings(row, 6)]
        self.query_one("#details", Static).update(lines(*made))
        self.refresh_bindings()
