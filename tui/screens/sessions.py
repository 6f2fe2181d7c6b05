"""Who is in a database: the sessions, who waits for whom; they can be ended once the name is typed."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Static

from tui.model import amounts as show
from tui.model.errors import PgdrError
from tui.model.fleet import Database
from tui.operations.pause.sessions import end_sessions, sessions
from tui.postgres.facts.sessions import SessionInside
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.list_screen import ListScreen
from tui.widgets.filter import FilterBar
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.tones import BAD, DIM, WARN, Cell, Piece, lines

_COLUMNS = (
    Column("pid", 7, right=True, gap=0),
    Column("user", 12, wide=24),
    Column("application", 16, wide=34),
    Column("from", 13, wide=24, priority=1),
    Column("state", 11, wide=20),
    Column("since", 6, right=True),
    Column("waits for", 9, priority=2),
    Column("last query", 20, wide=90, priority=3),
)


class SessionsScreen(ListScreen):
    """The sessions in the live database of `database`, those in a transaction first."""

    CSS_PATH = "sessions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("sessions")
    help_page = "sessions"

    class Listed(Message):
        """The sessions as they are now, or why they can't be listed."""

        def __init__(self, outcome: tuple[SessionInside, ...] | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    class Ended(Message):
        """How many were ended, or why they weren't."""

        def __init__(self, outcome: int | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(self, bearings: Bearings, database: Database) -> None:
        super().__init__()
        self._bearings = bearings
        self._database = database

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, f"{self._database.name} › sessions")
        yield FilterBar(hint="user, application, state")
        yield LineTable[SessionInside](
            _COLUMNS,
            lambda session: _cells(session, self._bearings.now()),
            lambda session: session.pid,
            words=lambda s: f"{s.pid} {s.user} {s.application} {s.client or 'local'} {s.state}",
            empty="Asking the server…",
        )
        yield Static("", markup=False, id="details")
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
            self.post_message(self.Listed(sessions(self._database)))
        except PgdrError as error:
            self.post_message(self.Listed(error))

    def on_sessions_screen_listed(self, message: Listed) -> None:
        """Shows them."""
        self.waits(False)
        table = self.query_one(LineTable)
        if isinstance(message.outcome, PgdrError):
            table.empty = "The server could not be asked."
            table.set_rows(())
            self.app.push_screen(ErrorScreen.of(self._bearings, message.outcome))
            return
        table.empty = "Nobody is in it."
        table.set_rows(message.outcome)
        self._tell()

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows what the chosen one does."""
        self._tell()

    def _tell(self) -> None:
        session: SessionInside | None = self.query_one(LineTable).cursor_row
        made: list[Piece] = []
        if session is not None:
            made.append(f"{session.pid} of {session.user or '?'}, {session.application or 'unnamed'}")
            made += [Cell(session.query, DIM)] if session.query else []
        self.query_one("#details", Static).update(lines(*made))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offered where there is one to be ended."""
        tables = self.query(LineTable)
        if action in ("end_one", "end_all"):
            return not self._bearings.read_only and bool(tables and tables.first().rows)
        return True

    def action_end_one(self) -> None:
        """Asks, then ends the chosen one."""
        session: SessionInside | None = self.query_one(LineTable).cursor_row
        if session is not None:
            self._ask((session,))

    def action_end_all(self) -> None:
        """Asks, then ends all that are listed."""
        self._ask(tuple(self.query_one(LineTable).seen))

    def _ask(self, chosen: tuple[SessionInside, ...]) -> None:
        database = self._database
        who = [f"{s.application or 'unnamed'} ({s.user or '?'} from {s.client or 'here'})" for s in chosen]
        names = [f"{who.count(name)} × {name}" for name in dict.fromkeys(who)]
        more = f" and {len(names) - 4} more kinds" if len(names) > 4 else ""
        facts = [
            ("database", f"{database.dbname} on {database.service}"),
            ("ends", f"{show.plural(len(chosen), 'session')}: {', '.join(names[:4])}{more}"),
            ("lost", "what they have not committed; who reconnects is back at once"),
        ]
        asked = ConfirmScreen(
            "End sessions", facts, action="end them", name=database.dbname, prompt="Type the database's name"
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._end([session.pid for session in chosen])

        self.app.push_screen(asked, answered)

    @work(thread=True, exit_on_error=False, group="end")
    def _end(self, pids: list[int]) -> None:
        try:
            self.post_message(self.Ended(end_sessions(self._database, pids, self._database.dbname)))
        except PgdrError as error:
            self.post_message(self.Ended(error))

    def on_sessions_screen_ended(self, message: Ended) -> None:
        """Says so, and asks anew."""
        if isinstance(message.outcome, PgdrError):
            self.app.push_screen(ErrorScreen.of(self._bearings, message.outcome))
        else:
            self.notify(f"{show.plural(message.outcome, 'session')} ended.", markup=False)
        self.call_after_refresh(partial(self.action_refresh))


def _cells(session: SessionInside, now: datetime) -> list[Piece]:
    state = session.state or "?"
    return [
        str(session.pid),
        session.user or show.UNKNOWN,
        session.application,
        session.client or "local",
        Cell(state, WARN if state.startswith("idle in") else ""),
        show.age(now - session.since) if session.since else show.UNKNOWN,
        Cell(" ".join(map(str, session.waits_for)), BAD),
        session.query,
    ]
