"""The databases that stand beside a live one: what restores, swaps and verifications left on its server."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.model import amounts as show
from tui.model.errors import PgdrError
from tui.model.fleet import Database
from tui.model.kept import KeptDatabase
from tui.screens import go
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.detail import Detail
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.tones import DIM, STRONG, WARN, Cell, Piece, lines

_COLUMNS = (
    Column("database", 40, wide=63, gap=0, value=lambda k: k.name),
    Column("was", 8),
    Column("size", 8, right=True, value=lambda k: k.size_bytes, down=True),
    Column("age", 6, right=True, value=lambda k: k.made_at.timestamp()),
    Column("sessions", 8, right=True, priority=1),
)
_WAS = {"restore": "restored", "before": "live", "verify": "verified", "drill": "drilled"}
_TOLD = {
    "restore": "It was restored from a backup.",
    "before": "It was the live database until a swap put it aside.",
    "verify": "A verification made it and was interrupted before it dropped it.",
    "drill": "A drill made it and was interrupted before it dropped it.",
}


class KeptScreen(ListScreen):
    """Those of one live database, the newest first; each can be dropped for good when nothing needs it."""

    CSS_PATH = "kept.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("kept")
    help_page = "kept"

    class Listed(Message):
        """The databases as they are now, or why they can't be listed."""

        def __init__(self, outcome: tuple[KeptDatabase, ...] | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    class Dropped(Message):
        """One was dropped, or why it wasn't."""

        def __init__(self, outcome: KeptDatabase | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(self, house: House, database: Database) -> None:
        super().__init__()
        self._house = house
        self._database = database

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, f"{self._database.name} › kept databases")
        yield FilterBar(hint="name")
        yield LineTable[KeptDatabase](
            _COLUMNS,
            lambda kept: _cells(kept, self._house.bearings.now()),
            lambda kept: kept.name,
            words=lambda kept: f"{kept.name} {_WAS[kept.purpose]}",
            empty="Asking the server…",
        )
        yield Detail(id="details")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Asks the server."""
        self.query_one(LineTable).focus()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Asks the server anew."""
        self.waits(True)
        self._read()

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _read(self) -> None:
        try:
            self.post_message(self.Listed(self._house.rooms.kept(self._database)))
        except PgdrError as error:
            self.post_message(self.Listed(error))

    def on_kept_screen_listed(self, message: Listed) -> None:
        """Shows them."""
        self.waits(False)
        table = self.query_one(LineTable)
        if isinstance(message.outcome, PgdrError):
            table.empty = "The server could not be asked."
            table.set_rows(())
            self.app.push_screen(ErrorScreen.of(self._house.bearings, message.outcome))
            return
        table.empty = "No database is kept beside the live one."
        table.set_rows(message.outcome)
        self._tell(table.cursor_row)

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows what is known of the chosen one."""
        self._tell(message.row)

    def _tell(self, kept: KeptDatabase | None) -> None:
        self.query_one("#details", Detail).update(lines(*_details(kept)) if kept else "")
        self.refresh_bindings()

    @property
    def _chosen(self) -> KeptDatabase | None:
        tables = self.query(LineTable)
        return tables.first().cursor_row if tables else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        if action == "drop":
            return not self._house.bearings.read_only and self._chosen is not None
        return action != "copy" or self._chosen is not None

    def action_copy(self) -> None:
        """Copies the chosen one's name."""
        if self._chosen is not None:
            self.post_message(go.Copy("database", self._chosen.name))

    def action_drop(self) -> None:
        """Asks for the name, then drops the chosen one."""
        kept = self._chosen
        if kept is None:
            return
        facts = [
            ("drops", f"{kept.name}, {show.size(kept.size_bytes)}, for good"),
            ("made", f"{show.minute(kept.made_at)} UTC. {_TOLD[kept.purpose]}"),
            ("needed", kept.needed or "by nothing that is known here"),
            ("way back", "none"),
        ]
        asked = ConfirmScreen("Drop a database", facts, action="drop", name=kept.name, prompt="Type its name")

        def answered(yes: bool | None) -> None:
            if yes:
                self._drop(kept.name)

        self.app.push_screen(asked, answered)

    @work(thread=True, exit_on_error=False)
    def _drop(self, name: str) -> None:
        try:
            self.post_message(self.Dropped(self._house.rooms.drop_kept(self._database, name)))
        except PgdrError as error:
            self.post_message(self.Dropped(error))

    def on_kept_screen_dropped(self, message: Dropped) -> None:
        """Tells what became of it, and looks again."""
        if isinstance(message.outcome, PgdrError):
            self.app.push_screen(ErrorScreen.of(self._house.bearings, message.outcome))
        else:
            self.notify(f"{message.outcome.name} is dropped.", markup=False)
        self.action_refresh()


def _cells(kept: KeptDatabase, now: datetime) -> list[Piece]:
    return [
        kept.name,
        Cell(_WAS[kept.purpose], STRONG if kept.needed else DIM),
        show.size(kept.size_bytes),
        show.age(now - kept.made_at),
        str(kept.sessions) if kept.sessions else Cell("–", DIM),
    ]


def _details(kept: KeptDatabase) -> list[Piece]:
    told: list[Piece] = [Cell(kept.name, STRONG), _TOLD[kept.purpose]]
    if kept.needed:
        told.append(Cell(f"▲ {kept.needed[0].upper()}{kept.needed[1:]}", WARN))
    if kept.unfit:
        told.append(f"It can't take the live one's place: {kept.unfit}")
    if kept.remove_at:
        told.append(f"Its recovery does without it from {show.minute(kept.remove_at)} UTC on.")
    return told
