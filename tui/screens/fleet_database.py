"""One database of the fleet: all that is known of it, its tables among it."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Static

from tui.model import amounts as show
from tui.model.errors import PgdrError
from tui.model.facts import Status, TableFacts
from tui.screens import go
from tui.screens.fleet_rows import Entry, details
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.tones import DIM, Cell, Piece, lines

_COLUMNS = (
    Column("schema", 14, wide=24, gap=0, value=lambda t: t.schema),
    Column("table", 26, wide=60, value=lambda t: t.name),
    Column("size", 8, right=True, value=lambda t: t.size_bytes, down=True),
    Column("rows, estimated", 15, right=True),
)


class DatabaseScreen(ListScreen):
    """The tables of one database, biggest first, under its details."""

    CSS_PATH = "fleet_database.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("database")
    help_page = "database"

    class Read(Message):
        """The tables as they are now, or why they couldn't be read."""

        def __init__(self, tables: tuple[TableFacts, ...], problem: str | None = None) -> None:
            super().__init__()
            self.tables = tables
            self.problem = problem

    def __init__(self, house: House, entry: Entry) -> None:
        super().__init__()
        self._house = house
        self._entry = entry

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, self._entry.database.name)
        yield Static("", markup=False, id="details")
        yield FilterBar(hint="schema or table")
        yield LineTable[TableFacts](
            _COLUMNS,
            _cells,
            lambda table: (table.schema, table.name),
            words=lambda table: f"{table.schema}.{table.name}",
            order=lambda table: -table.size_bytes,
            empty="No table of it is known.",
        )
        yield KeyFooter()

    def on_mount(self) -> None:
        """Shows what is known already."""
        self.query_one(LineTable).set_rows(self._entry.tables or ())
        self.query_one(LineTable).focus()
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Fits the details to the width."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        told = self.query_one("#details", Static)
        width = max(40, told.content_size.width)
        told.update(lines(*details(self._entry, self._house.bearings.now(), width, tables=False)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        if action in ("recover", "back_up"):
            return not self._house.bearings.read_only
        if action == "refresh":
            return self._entry.facts is not None and self._entry.facts.status is Status.UP
        return True

    def action_refresh(self) -> None:
        """Reads the tables anew."""
        self.waits(True)
        self._read()

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _read(self) -> None:
        try:
            self.post_message(self.Read(self._house.rooms.schema(self._entry.database)))
        except PgdrError as error:
            self.post_message(self.Read((), str(error)))

    def on_database_screen_read(self, message: Read) -> None:
        """Shows them."""
        self.waits(False)
        if message.problem:
            self.notify(message.problem, severity="error", markup=False)
        else:
            self.query_one(LineTable).set_rows(message.tables)

    def action_recover(self) -> None:
        """Begins the guided recovery."""
        self.post_message(go.Recover(self._entry.database.name))

    def action_kept(self) -> None:
        """Shows the databases that are kept beside it."""
        self.post_message(go.Kept(self._entry.database.name))

    def action_back_up(self) -> None:
        """Takes a backup of it."""
        self.post_message(go.BackUp(self._entry.database.name))

    def action_backups(self) -> None:
        """Shows its backups."""
        self.post_message(go.BackupsOf(self._entry.database.name))


def _cells(table: TableFacts) -> list[Piece]:
    rows = Cell("not analyzed", DIM) if table.rows is None else Cell(show.count(table.rows))
    return [table.schema, table.name, show.size(table.size_bytes), rows]
