"""Which tables are damaged? Those that are marked are restored, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.model import amounts as show
from tui.model.incident import Incident, TableCount
from tui.model.text import clean
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.mark_table import MarkTable
from tui.widgets.tones import BAD, WARN, Cell, Piece

_COLUMNS = (
    Column("", 1, gap=0),
    Column("table", 34, wide=60, gap=1),
    Column("in the backup", 14, right=True),
    Column("found now", 14, right=True),
)


class WhichTablesScreen(ModalScreen[tuple[str, ...] | None]):
    """Given an incident that was assessed, dismisses with the tables that were marked ("schema.table"), None
    for none. Those decided on, else those proposed, are marked to begin with."""

    CSS = """
    WhichTablesScreen { background: $background; }
    WhichTablesScreen #box { border: solid $warning; border-title-style: bold; height: 1fr; }
    WhichTablesScreen #about { height: auto; padding: 0 1; border-bottom: solid $rule; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("which_tables")
    help_page = "which_tables"

    def __init__(self, incident: Incident) -> None:
        super().__init__()
        proposed = incident.proposal.tables if incident.proposal else ()
        self._begin = incident.tables or proposed
        counts = {f"{c.schema}.{c.name}": c for c in incident.counts}
        for table in self._begin:
            schema, _, name = table.partition(".")
            counts.setdefault(table, TableCount(schema, name, None, None, reason="not counted"))
        # Those to begin with first: nobody looks for them at three in the morning.
        self._rows = sorted(counts.items(), key=lambda item: item[0] not in self._begin)

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        with Vertical(id="box") as box:
            box.border_title = "Which tables are damaged?"
            yield Static("", markup=False, id="about")
            yield MarkTable[tuple[str, TableCount]](
                _COLUMNS, self._cells, lambda row: row[0], empty="No table is known.", enter="these are it"
            )
        yield KeyFooter()

    def on_mount(self) -> None:
        """Shows the tables, with those to begin with marked."""
        table = self._table
        table.set_rows(self._rows)
        table.set_marks(self._begin)
        table.focus()
        self._show()

    @property
    def _table(self) -> MarkTable[tuple[str, TableCount]]:
        return self.query_one(MarkTable)

    def _cells(self, row: tuple[str, TableCount]) -> Sequence[Piece]:
        name, count = row
        found: Piece = show.count(count.found)
        if count.found is None and count.reason is None:
            found = Cell("GONE", BAD)
        elif count.found == 0 and count.expected:
            found = Cell("EMPTY", BAD)
        elif count.expected is not None and count.found is not None and count.found < count.expected:
            found = Cell(show.count(count.found), WARN)
        return self._table.sign(row), clean(name.removeprefix("public.")), show.count(count.expected), found

    def _show(self) -> None:
        marked = len(self._table.marked)
        said = f"{show.plural(marked, 'table')} marked" if marked else "None is marked: space marks one"
        about = f"{said}. Only these are restored; look at those that refer to them too."
        self.query_one("#about", Static).update(about)

    @on(MarkTable.Marked)
    def _marked(self) -> None:
        self._show()

    @on(LineTable.Chosen)
    def _chosen(self, event: LineTable.Chosen) -> None:
        event.stop()
        marked = tuple(name for name, _ in self._rows if name in self._table.marked)
        self.dismiss(marked or (event.row[0],))

    def action_cancel(self) -> None:
        """Closes; nothing is decided."""
        self.dismiss(None)
