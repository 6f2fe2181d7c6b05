"""The backups of all stores together, newest first, as the stores give them; and what is inside."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer

from tui.model.backup import Backup, StoreProblem
from tui.model.errors import PgdrError
from tui.model.fleet import Database
from tui.model.text import clean
from tui.operations.catalogue.catalogue import Description
from tui.screens import backups_rows as rows
from tui.screens import go
from tui.screens.backups_contents import ContentsScreen
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.detail import Detail
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import LineTable
from tui.widgets.tones import BAD, DIM, Cell, Piece, lines, told

_WIDE = 130  # columns from which the contents stand beside the rows instead of below
_FLUSH_S = 0.4  # new rows are sorted in at most so often: 200,000 of them must not hold up the keys
# So many rows are taken in at a time: about 20 ms, in which no key is answered. The rest follows.
_AT_A_TIME, _SOON_S = 4000, 0.02
# How old what was read may be when someone comes back; longer for stores that take long.
_OLD_S, _SELDOM_S, _LONG_S = 2.0, 300.0, 5.0
_REST_S = 0.3  # how long the cursor rests on a row before its archive is read


class BackupsScreen(ListScreen):
    """All backups. Given `database`, those of it are looked for at first; another text shows the others."""

    CSS_PATH = "backups.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("backups")
    help_page = "backups"

    class Page(Message):
        """More backups of a store; `last` when it is read to its end."""

        def __init__(self, turn: int, store: str, backups: tuple[Backup, ...], last: bool = False) -> None:
            super().__init__()
            self.turn = turn
            self.store = store
            self.backups = backups
            self.last = last

    class Trouble(Message):
        """A store can't be read."""

        def __init__(self, turn: int, problem: StoreProblem) -> None:
            super().__init__()
            self.turn = turn
            self.problem = problem

    class Described(Message):
        """What is in a backup, or why that can't be told."""

        def __init__(self, ref: str, outcome: Description | PgdrError) -> None:
            super().__init__()
            self.ref = ref
            self.outcome = outcome

    def __init__(self, house: House, database: Database | None = None) -> None:
        super().__init__()
        self._house = house
        self._database = database
        self._turn = 0
        self._reading: dict[str, datetime] = {}
        self._pending: list[Backup] = []
        self._troubles: list[StoreProblem] = []
        self._sizes = rows.Sizes()
        self._described: dict[str, Description | PgdrError] = {}
        self._asked: dict[str, datetime] = {}
        self._ticking: Timer | None = None
        self._flushing = False  # whether more rows are about to be taken in
        self._resting: Timer | None = None
        self._again: list[Backup] | None = None  # what is read anew while the rows of before stay
        self._read_at = 0.0  # of time.monotonic(): when the stores were last begun to be read
        self._took_s = 0.0

    @property
    def _now(self) -> datetime:
        return self._house.bearings.now()

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, "backups")
        yield FilterBar(always=True, hint="any of database, store, name")
        yield Detail(id="troubles")
        with Container(id="both"):
            yield LineTable[Backup](
                rows.COLUMNS,
                lambda backup: rows.cells(backup, self._now, self._sizes.is_small(backup)),
                lambda backup: backup.ref,
                words=lambda backup: clean(f"{backup.database or ''} {backup.ref}"),  # as it is shown
                order=lambda backup: -backup.sort_time.timestamp(),
                empty="No backup yet.",
                enter="look inside",
            )
            yield Detail(id="contents")
        yield KeyFooter()

    @property
    def _table(self) -> LineTable[Backup]:
        return self.query_one(LineTable)

    def on_mount(self) -> None:
        """Begins to read."""
        self._ticking = self.set_interval(_FLUSH_S, self._flush, pause=True)
        if self._database is not None:
            self.query_one(FilterBar).look_for(self._database.dbname)
        self._table.focus()
        self.action_refresh()

    # Reading the stores

    def action_refresh(self) -> None:
        """Reads all stores anew."""
        self._pending, self._sizes, self._again = [], rows.Sizes(), None
        self._described.clear()
        self._table.set_rows(())
        self._begin()

    def _begin(self) -> None:
        self._turn += 1
        self._read_at = time.monotonic()
        self._troubles = []
        self._reading = {store.name: self._now for store in self._house.fleet.stores}
        self._show_troubles()
        for store in self._house.fleet.stores:
            self._read(self._turn, store.name)
        if self._ticking is not None:
            self._ticking.resume()
        self._show_status()

    def on_screen_resume(self) -> None:
        """Someone comes back: ages have grown, and a job may have made, copied or verified a backup, or
        retention removed one. The rows stay until all is read."""
        if not self._read_at:
            return
        self._table.redraw()
        old = time.monotonic() - self._read_at
        if not self._reading and old > (_SELDOM_S if self._took_s > _LONG_S else _OLD_S):
            self._again = []
            self._begin()

    def _end_reading(self) -> None:
        """All stores have come to their end: what was read beside the rows takes their place."""
        self._took_s = time.monotonic() - self._read_at
        if self._again is None:
            return
        found, self._again = self._again, None
        unread = {problem.store for problem in self._troubles if not problem.is_note}
        found += [backup for backup in self._table.rows if backup.store in unread]
        self._sizes = rows.Sizes()
        self._sizes.add(found)
        kept = {backup.ref for backup in found}
        self._described = {ref: known for ref, known in self._described.items() if ref in kept}
        self._table.set_rows(found)
        self._show_contents()

    @work(thread=True, exit_on_error=False, group="stores")
    def _read(self, turn: int, store: str) -> None:
        def page(backups: tuple[Backup, ...]) -> None:
            self.post_message(self.Page(turn, store, backups))

        def problem(found: StoreProblem) -> None:
            self.post_message(self.Trouble(turn, found))

        try:
            self._house.rooms.backups(store, page, problem)
        except Exception as error:  # noqa: BLE001 - one store's trouble is told beside the others' rows
            what = error.what if isinstance(error, PgdrError) else f"{type(error).__name__}: {error}"
            problem(StoreProblem(store, what, None, None))
        self.post_message(self.Page(turn, store, (), last=True))

    def on_backups_screen_page(self, message: Page) -> None:
        """Keeps new backups until the next flush; the first ones are shown at once."""
        if message.turn != self._turn:
            return
        if self._again is not None:
            self._again += message.backups
        else:
            self._pending += message.backups
        if message.last:
            self._reading.pop(message.store, None)
            if not self._reading:
                self._end_reading()
        if message.last or not self._table.count[1]:
            self._flush()

    def on_backups_screen_trouble(self, message: Trouble) -> None:
        """Tells of a store that can't be read."""
        if message.turn == self._turn:
            self._troubles.append(message.problem)
            self._show_troubles()

    def _flush(self) -> None:
        if self._pending:
            fresh, self._pending = self._pending[:_AT_A_TIME], self._pending[_AT_A_TIME:]
            self._sizes.add(fresh)
            self._table.add_rows(fresh)
            if self._pending and not self._flushing:
                self._flushing = True
                self.set_timer(_SOON_S, self._flush_the_rest)
        self._show_status()
        waiting = any(ref not in self._described for ref in self._asked)
        if waiting:
            self._show_contents()
        if not self._reading and not self._pending and not waiting and self._ticking is not None:
            self._ticking.pause()

    def _flush_the_rest(self) -> None:
        self._flushing = False
        self._flush()

    def _show_status(self) -> None:
        table = self._table
        seen, known = table.count
        pieces: list[Piece] = [f"{seen:,} of {known:,}"]
        for store, since in self._reading.items():
            waited = int((self._now - since).total_seconds())
            pieces.append(f" · {store}: still reading…" + (f" {waited}s" if waited else ""))
        self.query_one(FilterBar).status(*pieces)
        table.empty = "Reading…" if self._reading else "No backup." if not known else "None of them."

    def _show_troubles(self) -> None:
        shown = self.query_one("#troubles", Detail)
        shown.display = bool(self._troubles)
        shown.update(lines(*rows.troubles(self._troubles, self.size.width - 1)))

    # What is inside

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows what is known of the row, and reads its archive once the cursor rests there."""
        self._show_contents()
        self.refresh_bindings()
        if self._resting is not None:
            self._resting.stop()
        backup = self._table.cursor_row
        if backup is not None and backup.ref not in self._described and backup.ref not in self._asked:
            self._resting = self.set_timer(_REST_S, lambda: self._ask(backup))

    def _ask(self, backup: Backup) -> None:
        self._asked[backup.ref] = self._now
        self._describe(backup)
        if self._ticking is not None:
            self._ticking.resume()

    @work(thread=True, exit_on_error=False, group="describe")
    def _describe(self, backup: Backup) -> None:
        try:
            outcome: Description | PgdrError = self._house.rooms.describe(backup)
        except PgdrError as error:
            outcome = error
        self.post_message(self.Described(backup.ref, outcome))

    def on_backups_screen_described(self, message: Described) -> None:
        """Shows what is inside."""
        self._asked.pop(message.ref, None)
        self._described[message.ref] = message.outcome
        self._show_contents()
        self.refresh_bindings()

    def _show_contents(self) -> None:
        shown = self.query_one("#contents", Detail)
        backup = self._table.cursor_row
        if backup is None:
            shown.update("")
            return
        width = max(40, shown.content_size.width)
        height = max(4, shown.content_size.height)
        outcome = self._described.get(backup.ref)
        if isinstance(outcome, PgdrError):
            head = rows.heading(backup, outcome, width)
            shown.update(lines(head, told(Cell("  ✖ ", BAD), str(outcome))))
        elif outcome is None:
            asked = self._asked.get(backup.ref)
            waited = int((self._now - asked).total_seconds()) if asked else 0
            said = f"   reading what is inside… {waited}s" if waited else "   reading what is inside…"
            shown.update(lines(rows.heading(backup, None, width), told(Cell(said, DIM))))
        else:
            wrong = rows.problems(outcome, width)
            inside = rows.tables(outcome, width, height - 1 - len(wrong))
            shown.update(lines(rows.heading(backup, outcome, width), *wrong, *inside))

    def on_resize(self, event: events.Resize) -> None:
        """Puts the contents beside the rows where there is room."""
        self.set_class(event.size.width >= _WIDE, "wide")
        self._show_troubles()

    def on_sized_static_resized(self) -> None:
        """Fits the contents to the room that there is now."""
        self._show_contents()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        if action in ("recover", "verify", "copy_to", "tables"):
            backup = self._table_row()
            there = backup is not None and not rows.is_gone(self._described.get(backup.ref))
            return there and not self._house.bearings.read_only
        return self._table_row() is not None if action == "copy" else True

    def _table_row(self) -> Backup | None:
        # Asked for the keys before the screen is composed, too.
        tables = self.query(LineTable)
        return tables.first().cursor_row if tables else None

    def filtered(self) -> None:
        """Says how many there are now."""
        self._show_status()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter looks inside."""
        self.action_look_inside()

    def action_look_inside(self) -> None:
        """Opens the chosen backup."""
        backup = self._table.cursor_row
        if backup is not None:
            outcome = self._described.get(backup.ref)
            known = None if isinstance(outcome, PgdrError) else outcome
            self.app.push_screen(ContentsScreen(self._house, backup, known, self._fleet_name(backup)))

    def _fleet_name(self, backup: Backup) -> str | None:
        """The fleet's name of the database that a backup is of; None when that isn't exactly one."""
        fleet = self._house.fleet
        mine = [d for d in fleet.databases if self._house.rooms.of_database(d, (backup,))]
        if self._database in mine and self._database is not None:
            return self._database.name
        return mine[0].name if len(mine) == 1 else None

    def action_recover(self) -> None:
        """Begins the guided recovery with the chosen backup."""
        self._with_chosen(go.Recover)

    def action_verify(self) -> None:
        """Verifies the chosen backup."""
        self._with_chosen(go.Verify)

    def action_copy_to(self) -> None:
        """Copies the chosen backup into another store."""
        self._with_chosen(go.CopyTo)

    def action_tables(self) -> None:
        """Restores single tables of the chosen backup; looks inside it first where that isn't known yet."""
        backup = self._table.cursor_row
        outcome = self._described.get(backup.ref) if backup is not None else None
        if backup is None or outcome is None or isinstance(outcome, PgdrError) or not outcome.tables:
            self.action_look_inside()
            return
        tables = outcome.tables
        self._with_chosen(lambda name, ref: go.Tables(name, backup, tables))

    def _with_chosen(self, message: Callable[[str, str], Message]) -> None:
        backup = self._table.cursor_row
        if backup is None:
            return
        name = self._fleet_name(backup)
        if name is None:
            self.notify(
                "This backup belongs to no one database of the fleet. Say on the command line which one is "
                f"meant: pgdr restore {backup.ref} --database DB",
                severity="warning",
                markup=False,
            )
        else:
            self.post_message(message(name, backup.ref))

    def action_retention(self) -> None:
        """Shows what retention would remove and keep."""
        self.post_message(go.Retention())

    def action_copy(self) -> None:
        """Copies the chosen backup's name."""
        backup = self._table.cursor_row
        if backup is not None:
            self.post_message(go.Copy("backup", backup.ref))
