"""The fleet: every database as it is now. The first screen; it is there before any server has answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer

from tui.model.errors import PgdrError
from tui.model.facts import DatabaseFacts, Status
from tui.model.fleet import Database
from tui.screens import go
from tui.screens.fleet_changes import Change, with_drill, with_removals, with_store, with_tables
from tui.screens.fleet_rows import COLUMNS, Entry, cells, details
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.detail import Detail
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import LineTable
from tui.widgets.paused_line import PausedLine, paused_words
from tui.widgets.tones import lines

if TYPE_CHECKING:
    from tui.model.backup import Backup, StoreProblem
    from tui.model.paused import Paused

# After this the first screen is on the terminal.
PAINTED_S = 0.1

_MINUTE_S = 60.0
# So old may be what the stores said when someone comes back, and when the fleet is only left open; the
# latter also counts for those that take so long.
_SOON_S, _SELDOM_S, _LONG_S = 5.0, 600.0, 5.0


class FleetScreen(ListScreen):
    """Rows in the order of criticality, each filled as its answer arrives; the chosen one's details below."""

    CSS_PATH = "fleet.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("fleet")
    help_page = "fleet"

    class Told(Message):
        """A worker found something out: how an entry changes. Those of an earlier look are ignored."""

        def __init__(self, turn: int, change: Callable[[Entry], Entry], database: str | None = None) -> None:
            super().__init__()
            self.turn = turn
            self.change = change
            self.database = database

    class Failed(Message):
        """A look went wrong as a whole."""

        def __init__(self, error: BaseException) -> None:
            super().__init__()
            self.error = error

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house
        self._turn = 0
        self._entries: dict[str, Entry] = {}
        self._ticking: Timer | None = None
        self._asked = False  # whether anyone has been asked yet: the first screen is painted before
        self._looking = False  # whether servers are being asked
        self._warned = False  # whether it was said at the start what is still paused
        self._reading: set[str] = set()  # stores that are being read
        self._stores_read_at = 0.0  # of time.monotonic()
        self._took_s: dict[str, float] = {}  # how long each store took, the last time

    @property
    def _now(self) -> datetime:
        return self._house.bearings.now()

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings)
        yield PausedLine()
        yield FilterBar(hint="name, service, place")
        yield LineTable[Entry](
            COLUMNS,
            lambda entry: cells(entry, self._now),
            lambda entry: entry.database.name,
            words=_words,
            order=lambda entry: entry.database.criticality.rank,
            empty="The configuration names no database: add [[database]] to it.",
            enter="tables",
        )
        yield Detail(id="details")
        yield KeyFooter()

    @property
    def _table(self) -> LineTable[Entry]:
        return self.query_one(LineTable)

    def on_mount(self) -> None:
        """Shows the rows at once; whoever is asked answers later."""
        self._ticking = self.set_interval(1, self._tick, pause=True)
        # With the clock in the header: what is sent comes once a minute, and nothing in between.
        self.set_timer(_MINUTE_S - time.time() % _MINUTE_S, self._begin_minutes)
        self._table.focus()
        self.action_refresh()

    # Looking

    def action_refresh(self) -> None:
        """Asks every server and every store anew."""
        self._turn += 1
        now = self._now
        stores = [store.name for store in self._house.fleet.stores]
        offsite = frozenset(store.name for store in self._house.fleet.stores if store.offsite)
        for database in self._house.fleet.databases:
            own = tuple(name for name in stores if name in (database.backup.stores or stores))
            old = self._entries.get(database.name)
            fresh = Entry(database, now, stores_left=own, offsite=offsite.intersection(own))
            if old is not None:  # what was known stays to be read until the new answer is there
                fresh = replace(fresh, drill=old.drill, tables=old.tables, tables_at=old.tables_at)
            self._entries[database.name] = fresh
        self._table.set_rows(self._entries.values())
        if self._ticking is not None:
            self._ticking.resume()
        # The rows are painted first: to ask, much has to be loaded, which would hold up the painting.
        self.set_timer(PAINTED_S, partial(self._ask, self._turn))

    def on_screen_resume(self) -> None:
        """Someone comes back: a recovery may have changed what is paused, and what is up, a job what there is
        of backups."""
        if self._asked:
            self._read_paused()
            self._keep_up(_SOON_S)

    def _begin_minutes(self) -> None:
        self._every_minute()
        self.set_interval(_MINUTE_S, self._every_minute)

    def _every_minute(self) -> None:
        """Whoever leaves the fleet open sees it grow older, and late."""
        if self._asked and self.is_current:
            self._keep_up(_SELDOM_S)

    def _keep_up(self, stores_after_s: float) -> None:
        """Shows the ages as they are now, asks the servers again, and the stores where that was long ago or
        costs little."""
        self._table.redraw()
        self._show_details()
        if not self._looking:  # a server that hangs holds up one look, not one for each return
            self._look(self._turn, again=True)
        if max(self._took_s.values(), default=0.0) > _LONG_S:
            stores_after_s = _SELDOM_S
        if time.monotonic() - self._stores_read_at >= stores_after_s:
            self._read_stores()

    @work(thread=True, exit_on_error=False, exclusive=True, group="paused")
    def _read_paused(self) -> None:
        paused = self._house.rooms.paused()
        self.app.call_from_thread(self._show_paused, paused)

    def _show_paused(self, paused: Paused) -> None:
        if not self.is_attached:
            return
        self.query_one(PausedLine).show(paused)
        told = paused_words(paused)
        if told and not self._warned:
            self.notify(f"{told}.", severity="warning", timeout=15, markup=False)
        self._warned = True

    def _ask(self, turn: int) -> None:
        self._asked = True
        self._read_paused()
        self._look(turn)
        self._reading.clear()  # what an earlier turn still reads is not listened to
        self._read_stores()

    @work(thread=True, exit_on_error=False, group="look")
    def _look(self, turn: int, *, again: bool = False) -> None:
        self._looking = True
        rooms = self._house.rooms

        def answered(facts: DatabaseFacts) -> None:
            self.post_message(self.Told(turn, lambda entry: replace(entry, facts=facts), facts.database))

        try:
            for database in self._house.fleet.databases:
                self.post_message(self.Told(turn, with_drill(rooms.last_drill(database)), database.name))
                gone = rooms.may_go(database)
                self.post_message(self.Told(turn, with_removals(gone), database.name))
            rooms.look(answered)
        except Exception as error:  # noqa: BLE001 - whatever it is, the app goes on and says it
            if not again:  # who comes back from being told would be told for ever
                self.post_message(self.Failed(error))
        finally:
            self._looking = False

    def _read_stores(self) -> None:
        """Reads every store that isn't being read; what is known stays until it has come to its end."""
        self._stores_read_at = time.monotonic()
        for store in self._house.fleet.stores:
            if store.name not in self._reading:
                self._reading.add(store.name)
                self._read_store(self._turn, store.name)

    @work(thread=True, exit_on_error=False, group="stores")
    def _read_store(self, turn: int, store: str) -> None:
        began = time.monotonic()
        try:
            for name, change in self._found_in(store).items():
                self.post_message(self.Told(turn, change, name))
        finally:
            self._took_s[store] = time.monotonic() - began
            self._reading.discard(store)

    def _found_in(self, store: str) -> dict[str, Change]:
        """Reads one store to its end; by database what that changes: its newest backup that counts is known
        when all are, by their manifests."""
        rooms = self._house.rooms
        listed: dict[str, list[Backup]] = {}
        problems: list[StoreProblem] = []

        def page(backups: tuple[Backup, ...]) -> None:
            for database in self._house.fleet.databases:
                own = rooms.of_database(database, backups)
                if own:
                    listed.setdefault(database.name, []).extend(own)

        def problem(found: StoreProblem) -> None:
            if not found.is_note:  # it was read; the screen of the backups says what there is to know
                problems.append(found)

        try:
            rooms.backups(store, page, problem)
        except Exception as error:  # noqa: BLE001 - told where the backups would be
            from tui.model.backup import StoreProblem

            what = error.what if isinstance(error, PgdrError) else f"{type(error).__name__}: {error}"
            problem(StoreProblem(store, what, None, None))
        from tui.operations.catalogue.good import last_verified

        databases = self._house.fleet.databases
        newest = {
            d.name: rooms.newest_that_counts(d, listed[d.name], problem)
            for d in databases
            if d.name in listed
        }
        return {
            d.name: with_store(
                store, newest.get(d.name), last_verified(listed.get(d.name, [])), tuple(problems)
            )
            for d in databases
        }

    @work(thread=True, exit_on_error=False, group="schema")
    def _read_schema(self, turn: int, database: Database, up: bool) -> None:
        """Its tables now; when it isn't up, those that it had when it was last seen."""
        rooms = self._house.rooms
        try:
            if up:
                change = with_tables(rooms.schema(database), self._now)
            else:
                seen = rooms.last_seen(database)
                if seen is None:
                    return
                change = with_tables(seen.tables, seen.at)
        except PgdrError as error:
            said = error.what
            self.post_message(
                self.Told(turn, lambda entry: replace(entry, tables_problem=said), database.name)
            )
        else:
            self.post_message(self.Told(turn, change, database.name))

    def on_fleet_screen_told(self, message: Told) -> None:
        """Takes in what a worker has found out."""
        if message.turn != self._turn:
            return
        table = self._table
        names = list(self._entries) if message.database is None else [message.database]
        for name in names:
            before = self._entries.get(name)
            if before is None:
                continue
            after = self._entries[name] = message.change(before)
            if before.facts is None and after.facts is not None:
                # Asked for every database that is up: it is what is known of one that goes missing later.
                self._read_schema(self._turn, after.database, after.facts.status is Status.UP)
        table.set_rows(self._entries.values())

    def on_fleet_screen_failed(self, message: Failed) -> None:
        """Shows what went wrong with a whole look."""
        from tui.screens.error import ErrorScreen

        self.app.push_screen(ErrorScreen.of(self._house.bearings, message.error))

    def _tick(self) -> None:
        """Counts the seconds of those that are waited for, and stops when there are none."""
        if any(entry.facts is None for entry in self._entries.values()):
            self._table.redraw()
        elif self._ticking is not None:
            self._ticking.pause()

    # Showing

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows the details of the row under the cursor."""
        self._show_details()

    def on_resize(self, event: events.Resize) -> None:
        """Fits the details to the width."""
        self.call_after_refresh(self._show_details)

    def _show_details(self) -> None:
        entry = self._table.cursor_row
        shown = self.query_one("#details", Detail)
        width = max(40, shown.content_size.width or self.size.width - 2)
        shown.update(lines(*details(entry, self._now, width)) if entry else "")
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        if action in ("recover", "back_up", "drill"):
            return not self._house.bearings.read_only and bool(self._entries)
        if action == "verify":
            row = self._table.cursor_row if self._entries else None
            return not self._house.bearings.read_only and row is not None and row.newest is not None
        return bool(self._entries) if action == "backups" else True

    # Going

    def show(self, database: str) -> None:
        """Goes to a database's row, also when a filter hides it."""
        if not self._table.go_to(database):
            self.query_one(FilterBar).look_for("")
            self._table.filter("")
            self._table.go_to(database)
        self._table.focus()

    def _go(self, message: Callable[[str], Message]) -> None:
        entry = self._table.cursor_row
        if entry is not None:
            self.post_message(message(entry.database.name))

    def trouble(self) -> tuple[str, str | None]:
        """Why the chosen one isn't up, to be looked for, and which it is."""
        entry = self._table.cursor_row
        if entry is None:
            return "", None
        bad = entry.facts is not None and entry.facts.status is not Status.UP
        return (entry.facts.why or "" if entry.facts and bad else ""), entry.database.name

    def action_recover(self) -> None:
        """Begins the guided recovery of the chosen one."""
        self._go(go.Recover)

    def action_backups(self) -> None:
        """Shows the backups of the chosen one."""
        self._go(go.BackupsOf)

    def action_back_up(self) -> None:
        """Takes a backup of the chosen one."""
        self._go(go.BackUp)

    def action_verify(self) -> None:
        """Verifies the newest backup of the chosen one."""
        entry = self._table.cursor_row
        if entry is not None and entry.newest is not None:
            self.post_message(go.Verify(entry.database.name, entry.newest.ref))

    def action_drill(self) -> None:
        """Rehearses the recovery of the chosen one."""
        self._go(go.Drill)

    def action_drills(self) -> None:
        """Shows what is due and what was rehearsed."""
        self._go(go.Drills)

    def action_pause(self) -> None:
        """Shows what uses the chosen one."""
        self._go(go.Services)

    def action_jobs(self) -> None:
        """Shows the jobs."""
        self.post_message(go.Jobs())

    def action_incidents(self) -> None:
        """Shows the incidents."""
        self.post_message(go.Incidents())

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter: all that is known of the chosen one, its tables among it."""
        self.action_look_inside()

    def action_look_inside(self) -> None:
        """Opens the chosen one."""
        from tui.screens.fleet_database import DatabaseScreen

        entry = self._table.cursor_row
        if entry is not None:
            self.app.push_screen(DatabaseScreen(self._house, entry))


def _words(entry: Entry) -> str:
    database = entry.database
    host = (entry.facts and entry.facts.host) or database.endpoint.host or ""
    state = entry.facts.status.value if entry.facts else "waiting"
    told: list[Any] = [database.name, database.dbname, database.service, database.place, host, state]
    return " ".join([*map(str, told), database.criticality.value, database.purpose])
