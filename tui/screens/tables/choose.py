"""Which tables of a backup are to be restored beside the live ones."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static

from tui.model import amounts as show
from tui.model.backup import Backup, TableContents
from tui.model.errors import PgdrError
from tui.model.text import clean
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.tables.desk import TableDesk
from tui.screens.tables.follow import TableRestoreScreen
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.mark_table import MarkTable
from tui.widgets.tones import DIM, Cell, Piece

_COLUMNS = (
    Column("", 1, gap=0),
    Column("schema", 12, wide=24, gap=1),
    Column("table", 30, wide=70),
    Column("rows", 14, right=True),
    Column("compressed", 10, right=True),
)


class ChooseTablesScreen(Screen[None]):
    """Given a backup and its tables, restores those that are marked (else the one under the cursor) into a
    scratch database, by a job."""

    CSS = """
    ChooseTablesScreen { background: $background; }
    ChooseTablesScreen #about { height: auto; padding: 0 1; border-bottom: solid $border; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("choose_tables")
    help_page = "choose_tables"

    def __init__(self, desk: TableDesk, backup: Backup, tables: tuple[TableContents, ...]) -> None:
        super().__init__()
        self._desk = desk
        self._backup = backup
        self._tables = tables
        self._starting = False

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._desk.bearings, "backups › tables")
        yield Static("", markup=False, id="about")
        yield FilterBar(hint="schema or table")
        yield MarkTable[TableContents](
            _COLUMNS,
            self._cells,
            lambda table: (table.schema, table.name),
            words=lambda table: f"{table.schema}.{table.name}",
            empty="No table data in it.",
            enter="restore marked",
        )
        yield KeyFooter()

    def on_mount(self) -> None:
        """Shows the tables."""
        table = self._table
        table.set_rows(self._tables)
        table.focus()
        self._show()

    @property
    def _table(self) -> MarkTable[TableContents]:
        return self.query_one(MarkTable)

    def _cells(self, table: TableContents) -> list[Piece]:
        return [
            self._table.sign(table),
            table.schema,
            table.name,
            Cell("not known", DIM) if table.rows is None else show.count(table.rows),
            show.size(table.compressed_bytes),
        ]

    def _show(self) -> None:
        marked = len(self._table.marked)
        said = f"{clean(self._backup.ref)}\n"
        said += f"{show.plural(marked, 'table')} marked" if marked else "Mark the tables that you want"
        said += "; they are restored whole beside the live ones, which stay as they are."
        self.query_one("#about", Static).update(said)

    def on_mark_table_marked(self) -> None:
        """Says how many are marked."""
        self._show()

    def action_filter(self) -> None:
        """Begins to type a filter."""
        self.query_one(FilterBar).open()

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Filters as it is typed."""
        self._table.filter(message.text)

    def on_filter_bar_closed(self) -> None:
        """Gives the rows the focus again."""
        self._table.focus()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Asks, then restores."""
        marked = self._table.marked
        chosen = [f"{t.schema}.{t.name}" for t in self._tables if (t.schema, t.name) in marked]
        chosen = chosen or [f"{message.row.schema}.{message.row.name}"]
        names = ", ".join(clean(table) for table in chosen[:8])
        more = f" and {len(chosen) - 8} more" if len(chosen) > 8 else ""
        facts = [
            ("backup", clean(self._backup.ref)),
            ("tables", names + more),
            ("makes", f"a scratch database on the server of {self._desk.database.name}"),
            ("touches", "nothing else: the live tables are only compared with, afterwards"),
        ]

        def answered(yes: bool | None) -> None:
            if yes and not self._starting:
                self._starting = True
                self._start(chosen)

        self.app.push_screen(ConfirmScreen("Restore tables", facts, action="restore"), answered)

    @work(thread=True, exit_on_error=False)
    def _start(self, tables: list[str]) -> None:
        try:
            job, target = self._desk.restore(self._backup.ref, tables)
        except PgdrError as error:
            self.app.call_from_thread(self._failed, error)
        else:
            self.app.call_from_thread(self._started, job, target, tables)

    def _failed(self, error: PgdrError) -> None:
        self._starting = False
        self.app.push_screen(ErrorScreen.of(self._desk.bearings, error, copy=self._desk.copy))

    def _started(self, job: str, target: str, tables: list[str]) -> None:
        self._starting = False
        self.app.push_screen(TableRestoreScreen(self._desk, job, target, tables))
