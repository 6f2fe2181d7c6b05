"""The inside of one backup: every table in it, read from where it lies."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.model import amounts as show
from tui.model.backup import Backup, TableContents
from tui.model.errors import PgdrError
from tui.operations.catalogue.catalogue import Description
from tui.screens import backups_rows as rows
from tui.screens import go
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.filter import FilterBar
from tui.widgets.format import share
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable, fit
from tui.widgets.tones import BAD, DIM, MARK, Cell, Piece, lines, told

_COLUMNS = (
    Column("schema", 12, wide=24, gap=0, value=lambda t: t.schema),
    Column("table", 24, wide=60, value=lambda t: t.name),
    Column("rows", 14, right=True, value=lambda t: t.rows, down=True),
    Column("compressed", 10, right=True, value=lambda t: t.compressed_bytes, down=True),
    Column("share", 8, wide=50),
)


class ContentsScreen(ListScreen):
    """One backup. `described` is what is known of it already; `database` is the fleet's name of the
    database that it is of, None when it is of no one of them."""

    CSS_PATH = "backups_contents.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("backup")
    help_page = "backup"

    class Read(Message):
        """What is inside, or why that can't be told."""

        def __init__(self, outcome: Description | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(
        self, house: House, backup: Backup, described: Description | None, database: str | None
    ) -> None:
        super().__init__()
        self._house = house
        self._backup = backup
        self._outcome: Description | PgdrError | None = described
        self._database = database
        self._largest = 0

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, "backups › inside")
        yield Static("", markup=False, id="about")
        yield FilterBar(hint="schema or table")
        yield LineTable[TableContents](
            _COLUMNS,
            self._cells,
            lambda table: (table.schema, table.name),
            words=lambda table: f"{table.schema}.{table.name}",
        )
        yield KeyFooter()

    def on_mount(self) -> None:
        """Shows what is known, or reads it."""
        self.query_one(LineTable).focus()
        self.call_after_refresh(self._show)
        if self._outcome is None:
            self._read()

    @work(thread=True, exit_on_error=False)
    def _read(self) -> None:
        try:
            self.post_message(self.Read(self._house.rooms.describe(self._backup)))
        except PgdrError as error:
            self.post_message(self.Read(error))

    def on_contents_screen_read(self, message: Read) -> None:
        """Shows what was read."""
        self._outcome = message.outcome
        self._show()

    def on_resize(self) -> None:
        """Fits the lines to the width."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        about, table = self.query_one("#about", Static), self.query_one(LineTable)
        width = max(40, about.content_size.width)
        outcome, backup, now = self._outcome, self._backup, self._house.bearings.now()
        described = outcome if isinstance(outcome, Description) else None
        age = f"{show.age(now - backup.sort_time)} ago"
        facts = [f"taken {show.minute(backup.sort_time)} UTC, {age}", show.size(backup.size_bytes)]
        if described is not None:
            facts.append(f"read {show.size(described.fetched_bytes)} of it")
        made: list[Content | Piece] = [rows.heading(backup, outcome, width), " · ".join(facts)]
        checked = rows.verified(backup, now) if backup.verification else Cell("never", DIM)
        made.append(told("verified ", checked))
        if isinstance(outcome, PgdrError):
            made.append(told(Cell("✖ ", BAD), str(outcome)))
        elif described is not None:
            made += _more(described)
            made += rows.problems(described, width)
            self._largest = max((found.compressed_bytes or 0 for found in described.tables), default=0)
            table.set_rows(described.tables)
        failed = "It could not be looked into." if isinstance(outcome, PgdrError) else "No table data in it."
        table.empty = "Reading…" if outcome is None else failed
        about.update(lines(*made))

    def _cells(self, table: TableContents) -> list[Piece]:
        width = self.query_one(LineTable).scrollable_content_region.width
        column = dict(fit(_COLUMNS, width))[len(_COLUMNS) - 1]
        return [
            table.schema,
            table.name,
            Cell("not known", DIM) if table.rows is None else show.count(table.rows),
            show.size(table.compressed_bytes),
            Cell(share(table.compressed_bytes, self._largest, column), MARK),
        ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        if action in ("recover", "verify", "copy_to", "tables"):
            known = action != "tables" or bool(self._tables)
            known = known and not rows.is_gone(self._outcome)
            return known and not self._house.bearings.read_only and self._database is not None
        return True

    def action_recover(self) -> None:
        """Begins the guided recovery with this backup."""
        if self._database is not None:
            self.post_message(go.Recover(self._database, self._backup.ref))

    def action_verify(self) -> None:
        """Verifies this backup."""
        if self._database is not None:
            self.post_message(go.Verify(self._database, self._backup.ref))

    def action_copy_to(self) -> None:
        """Copies this backup into another store."""
        if self._database is not None:
            self.post_message(go.CopyTo(self._database, self._backup.ref))

    @property
    def _tables(self) -> tuple[TableContents, ...]:
        outcome = self._outcome
        return () if outcome is None or isinstance(outcome, PgdrError) else outcome.tables

    def action_tables(self) -> None:
        """Restores single tables of this backup beside the live ones."""
        if self._database is not None:
            self.post_message(go.Tables(self._database, self._backup, self._tables))

    def action_copy(self) -> None:
        """Copies the backup's name."""
        self.post_message(go.Copy("backup", self._backup.ref))


def _more(described: Description) -> list[Piece]:
    """What the archive and its manifest tell beside the tables."""
    made: list[str] = []
    contents, manifest = described.contents, described.manifest
    if contents is not None:
        made.append(
            f"{contents.compression} · pg_dump {contents.dump_version or '?'} · "
            f"{show.plural(len(contents.entries), 'entry', 'entries')}"
        )
    if manifest is not None:
        made.append(
            f"{show.plural(manifest.rows, 'row')} in {show.plural(len(manifest.tables), 'table')}, "
            f"{show.size(manifest.database_bytes)} when it was taken · {manifest.selection} · "
            f"sha256 {manifest.sha256[:12]}…"
        )
    return [*made]
