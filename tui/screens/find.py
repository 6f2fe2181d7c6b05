"""ctrl+p: any command that works from here, any database, backup, incident and job, by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.model.errors import PgdrError
from tui.model.text import clean
from tui.screens.rooms import House
from tui.widgets.format import cut
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.ranking import Candidate, best
from tui.widgets.tones import DIM, Cell, Piece

if TYPE_CHECKING:
    from tui.model.backup import Backup, StoreProblem
    from tui.model.incident import Incident
    from tui.model.progress import Progress

_KINDS = ("command", "database", "incident", "job", "backup")
_COLUMNS = (Column("kind", 9, gap=0), Column("what", 44, wide=110), Column("", 14, wide=30, priority=1))
_LIMIT = 200  # more than that nobody reads: another letter is quicker
_FROM = 2  # letters from which the stores are read, for their backups
_EVERY_S = 0.3  # how often what has been found meanwhile is looked through


@dataclass(frozen=True, slots=True)
class Found:
    """Something to do or to go to: its kind, what it is called, a word beside it, and the way."""

    kind: str
    what: str
    beside: str
    go: Callable[[], object]
    words: str = ""  # looked for, too, but not shown


@dataclass(frozen=True, slots=True)
class Paths:
    """The ways to what is found in the house."""

    backup: Callable[[Backup], object]
    incident: Callable[[str], object]
    job: Callable[[str], object]


class FindScreen(ModalScreen[Found | None]):
    """Given the house, what is known at once (`here`: commands and databases) and the ways to the rest, lets
    one be found; dismisses with it. Nothing waits: what is read later appears when it is there."""

    CSS = """
    FindScreen { background: $background; }
    FindScreen LineTable { height: 1fr; }
    FindScreen #asked { height: 1; }
    FindScreen #mark { width: 3; }
    FindScreen #query { width: 1fr; background: transparent; }
    FindScreen #status { width: auto; max-width: 60%; color: $foreground-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("find")
    help_page = "find"

    class Read(Message):
        """More was read, by a worker; `last` of it when a store is read to its end."""

        def __init__(self, found: Sequence[Found], done: str = "") -> None:
            super().__init__()
            self.found = tuple(found)
            self.done = done

    class Ranked(Message):
        """The best ones for what was typed at turn `turn`."""

        def __init__(self, turn: int, found: Sequence[Found], of: int) -> None:
            super().__init__()
            self.turn = turn
            self.found = tuple(found)
            self.of = of

    def __init__(self, house: House, here: Sequence[Found], paths: Paths) -> None:
        super().__init__()
        self._house = house
        self._paths = paths
        self._all: list[Found] = []
        self._candidates: list[Candidate] = []
        self._turn = 0
        self._reading: list[str] = []
        self._asked_stores = False
        self._stale = False
        self._ticking: Timer | None = None
        self._add(here)

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, "find")
        with Horizontal(id="asked"):
            yield Static(" / ", markup=False, id="mark")
            yield Input(placeholder="a command, database, backup, incident or job", compact=True, id="query")
            yield Static("", markup=False, id="status")
        yield LineTable[Found](
            _COLUMNS, _cells, lambda found: (found.kind, found.what, found.beside), empty="Nothing like that."
        )
        yield KeyFooter()

    def on_mount(self) -> None:
        """Shows what is known at once, and begins to read the rest."""
        self.query_one(LineTable).can_focus = False
        self._ticking = self.set_interval(_EVERY_S, self._look_again, pause=True)
        query = self.query_one("#query", Input)
        query.cursor_blink = False  # a blink is two messages a second over SSH
        query.focus()
        self._read_records()
        self._rank()

    # What there is

    def _add(self, found: Sequence[Found]) -> None:
        for one in found:
            text, also = one.what.casefold(), f"{one.words} {one.kind}".casefold()
            self._candidates.append(Candidate(len(self._all), text, _KINDS.index(one.kind), also))
            self._all.append(one)

    def on_find_screen_read(self, message: Read) -> None:
        """Takes in what was read; it is looked through a few times a second, not for each page."""
        self._add(message.found)
        if message.done in self._reading:
            self._reading.remove(message.done)
        self._stale = True
        if self._ticking is not None:
            self._ticking.resume()

    def _look_again(self) -> None:
        if self._stale:
            self._stale = False
            self._rank()
        elif not self._reading and self._ticking is not None:
            self._ticking.pause()

    @work(thread=True, exit_on_error=False, group="find")
    def _read_records(self) -> None:
        rooms = self._house.rooms
        # What can't be read is told by its own screen; here it is only not found.
        with suppress(PgdrError):
            self.post_message(self.Read([self._of_incident(incident) for incident in rooms.incidents()]))
        with suppress(PgdrError):
            self.post_message(self.Read([self._of_job(job) for job in rooms.jobs()]))

    @work(thread=True, exit_on_error=False, group="find")
    def _read_store(self, store: str) -> None:
        def page(backups: tuple[Backup, ...]) -> None:
            self.post_message(self.Read([self._of_backup(backup) for backup in backups]))

        def problem(found: StoreProblem) -> None:
            pass  # the screen of the backups tells of it; here its backups are only not found

        with suppress(PgdrError):
            self._house.rooms.backups(store, page, problem)
        self.post_message(self.Read((), done=store))

    def _of_incident(self, incident: Incident) -> Found:
        state = incident.outcome or "open"
        what = clean(f"{incident.id} {incident.database}, {state}")
        return Found("incident", what, clean(incident.operator), lambda: self._paths.incident(incident.id))

    def _of_job(self, job: Progress) -> Found:
        what = clean(f"{job.job} {job.database}")
        return Found("job", what, job.state.value, lambda: self._paths.job(job.job))

    def _of_backup(self, backup: Backup) -> Found:
        beside = clean(backup.database or "")
        return Found("backup", clean(backup.ref), beside, lambda: self._paths.backup(backup), beside)

    # What is looked for

    def on_input_changed(self, event: Input.Changed) -> None:
        """Looks for it; from the second letter on in the stores, too."""
        if len(event.value.strip()) >= _FROM and not self._asked_stores:
            self._asked_stores = True
            self._reading = [store.name for store in self._house.fleet.stores]
            for store in self._reading:
                self._read_store(store)
        self._rank()

    def _rank(self) -> None:
        self._turn += 1
        self._rank_in_thread(self._turn, self.query_one("#query", Input).value, len(self._all))

    @work(thread=True, exit_on_error=False, exclusive=True, group="rank")
    def _rank_in_thread(self, turn: int, query: str, known: int) -> None:
        numbers = best(query, self._candidates[:known], _LIMIT)
        self.post_message(self.Ranked(turn, [self._all[number] for number in numbers], known))

    def on_find_screen_ranked(self, message: Ranked) -> None:
        """Shows the best, unless something else was typed meanwhile."""
        if message.turn != self._turn:
            return
        table = self.query_one(LineTable)
        table.set_rows(message.found)
        table.action_edge(-1)
        more = "+" if len(message.found) == _LIMIT else ""
        waiting = "".join(f" · {clean(store)}: still reading…" for store in self._reading[:2])
        told = f" {len(message.found)}{more} of {message.of:,}{waiting} "
        self.query_one("#status", Static).update(cut(told, self.size.width * 3 // 5))

    # Keys

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        self.query_one(LineTable).action_move(by)

    def action_page(self, by: int) -> None:
        """Moves the cursor by pages."""
        self.query_one(LineTable).action_page(by)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """A second click does it."""
        self.action_do()

    def action_do(self) -> None:
        """Does what is under the cursor."""
        found = self.query_one(LineTable).cursor_row
        if found is not None:
            self.dismiss(found)

    def action_close(self) -> None:
        """Goes back; nothing is done."""
        self.dismiss(None)


def _cells(found: Found) -> list[Piece]:
    return [Cell(found.kind, DIM), found.what, Cell(found.beside, DIM)]
