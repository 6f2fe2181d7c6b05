"""One database of the fleet as its row and its details: pure functions of what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tui.model import amounts as show
from tui.model.facts import DatabaseFacts, Status, TableFacts
from tui.model.fleet import Database
from tui.model.offsite import offsite_words
from tui.model.text import clean
from tui.widgets.format import cut
from tui.widgets.line_table import Column
from tui.widgets.tones import BAD, DIM, GOOD, PLAIN, STRONG, WARN, Cell, Piece, told

if TYPE_CHECKING:
    from tui.model.backup import Backup, StoreProblem
    from tui.operations.records import Drill

STATES = {
    Status.UP: ("●", "up", GOOD),
    Status.MISSING: ("▲", "MISSING", BAD),
    Status.DOWN: ("✖", "DOWN", BAD),
    Status.REFUSED: ("⊘", "REFUSED", BAD),
}
WAITING = "◌"

# At 80 columns the first eight; the others as room comes, the details below show them meanwhile.
COLUMNS = (
    Column("", 1, gap=0),
    Column("database", 15, wide=34, gap=1, value=lambda e: e.database.name),
    Column("state", 11, gap=1, value=lambda e: e.facts and e.facts.status.value),
    Column(
        "size", 6, right=True, gap=1, priority=3, value=lambda e: e.facts and e.facts.size_bytes, down=True
    ),
    Column("sessions", 8, right=True, gap=1, priority=5),
    Column(
        "last backup", 11, wide=12, priority=1, value=lambda e: e.newest and e.newest.sort_time.timestamp()
    ),
    Column("of RPO", 8, wide=11, right=True, gap=1, priority=2),
    Column("verified", 8, wide=10, priority=4),
    Column("criticality", 11, priority=6),
    Column("service", 14, wide=20, priority=7, value=lambda e: e.database.service),
    Column("host", 14, wide=26, priority=8),
    Column("port", 5, right=True, priority=9),
    Column("version", 7, priority=10),
    Column("RTO", 6, right=True, priority=11),
    Column("last drill", 13, wide=16, priority=12),
    Column("off-site", 8, priority=13),
    Column("place", 14, wide=24, priority=14),
)


@dataclass(frozen=True, slots=True)
class OnShelf:
    """What one store has of a database: its newest backup that counts, and when one was last verified."""

    store: str
    newest: Backup
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """All that is known of a database so far. `facts` is None while its server hasn't answered;
    `stores_left` names stores still being read, `problems` those that couldn't be."""

    database: Database
    asked_at: datetime
    facts: DatabaseFacts | None = None
    shelves: tuple[OnShelf, ...] = ()
    stores_left: tuple[str, ...] = ()
    problems: tuple[StoreProblem, ...] = ()
    drill: Drill | None = None
    tables: tuple[TableFacts, ...] | None = None
    tables_at: datetime | None = None  # when they were seen
    tables_problem: str | None = None
    may_go: tuple[str, ...] = ()  # kept by a recovery that does without it by now
    offsite: frozenset[str] = frozenset()  # stores that the configuration calls so

    @property
    def newest(self) -> Backup | None:
        """The newest backup of all stores that were read."""
        if len(self.shelves) < 2:
            return self.shelves[0].newest if self.shelves else None
        from tui.model.backup import newest_first  # by now the stores' own readers have loaded it

        return newest_first(shelf.newest for shelf in self.shelves)[0]

    @property
    def verified_at(self) -> datetime | None:
        """When a backup of it was last verified, as far as that is known."""
        return max((shelf.verified_at for shelf in self.shelves if shelf.verified_at), default=None)


def state_of(entry: Entry, now: datetime) -> tuple[Cell, Cell]:
    """Returns the shape and the word of a database's state."""
    if entry.facts is None:
        waited = max(0, int((now - entry.asked_at).total_seconds()))
        return Cell(WAITING, DIM), Cell(f"waiting {waited}s", DIM)
    shape, word, tone = STATES[entry.facts.status]
    if entry.facts.status is Status.UP and entry.facts.in_recovery:
        word = "up, standby"
    return Cell(shape, tone), Cell(word, PLAIN if tone == GOOD else tone)


def offsite_of(entry: Entry) -> tuple[bool | None, str, str]:
    """Whether a copy of it lies off-site (None: not known), the sentence that says so, and its tone."""
    if held := entry.offsite.intersection(shelf.store for shelf in entry.shelves):
        return True, f"{offsite_words(True).rstrip('.')}, in {', '.join(sorted(held))}.", PLAIN
    if entry.offsite.intersection(entry.stores_left):
        return None, "Whether a copy of it is off-site is not known yet.", DIM
    if entry.offsite.intersection(problem.store for problem in entry.problems):
        return None, offsite_words(None), WARN
    mend = "c in its backups (b) copies one." if entry.offsite else "None of its stores is called off-site."
    return False, f"{offsite_words(False)} {mend}", WARN


def _offsite_cell(entry: Entry) -> Cell:
    kept, _, tone = offsite_of(entry)
    if kept is None:
        return Cell("…" if tone == DIM else show.UNKNOWN, tone)
    return Cell("yes" if kept else "NO", tone)


def cells(entry: Entry, now: datetime) -> list[Piece]:
    """Returns a database's cells, one a column of COLUMNS."""
    database, facts = entry.database, entry.facts
    shape, word = state_of(entry, now)
    up = facts is not None and facts.status is Status.UP
    host = (facts and facts.host) or database.endpoint.host
    port = (facts and facts.port) or database.endpoint.port
    drilled = entry.drill
    drill = f"{show.duration(drilled.rto_s)}, {show.age(now - drilled.at)} ago" if drilled else "never"
    return [
        shape,
        Cell(database.name, STRONG if database.criticality.rank == 0 else PLAIN),
        word,
        show.size(facts.size_bytes) if facts and up else Cell(show.UNKNOWN, DIM),
        show.count(facts.sessions) if facts and up else Cell(show.UNKNOWN, DIM),
        *_backup_cells(entry, now),
        database.criticality.value,
        database.service,
        host or show.UNKNOWN,
        str(port or show.UNKNOWN),
        (facts and facts.server_version) or show.UNKNOWN,
        show.limit(database.rto),
        drill,
        _offsite_cell(entry),
        database.place,
    ]


def _backup_cells(entry: Entry, now: datetime) -> list[Piece]:
    """Last backup, of RPO, verified. Until every store is read an old backup isn't late, it is unknown."""
    rpo = show.limit(entry.database.rpo)
    if entry.newest is None:
        if entry.stores_left:
            return [Cell("…", DIM), "", ""]
        if entry.problems:
            return [Cell("unknown", WARN), Cell(f"{rpo} ?", WARN), Cell(show.UNKNOWN, DIM)]
        return [Cell("none", BAD), Cell(f"{rpo} LATE", BAD), Cell("never", WARN)]
    age = now - entry.newest.sort_time
    at = entry.verified_at
    unknown = "…" if entry.stores_left else show.UNKNOWN if entry.problems else "never"
    verified = Cell(unknown, DIM) if at is None else Cell(f"{show.age(now - at)} ago")
    if entry.newest.is_proven and age <= entry.database.rpo:
        kept = Cell(f"{rpo} ok", GOOD)
    elif entry.stores_left:
        kept = Cell(f"{rpo} …", DIM)
    else:
        kept = Cell(f"{rpo} LATE", BAD)
    return [f"{show.age(age)} ago", kept, verified]


def details(entry: Entry, now: datetime, width: int, *, tables: bool = True) -> list[Content]:
    """Returns the details of a database, each line at most `width` cells unless it must wrap; with
    `tables` its biggest ones among them."""
    database, facts = entry.database, entry.facts
    host = (facts and facts.host) or database.endpoint.host or "libpq's own"
    port = (facts and facts.port) or database.endpoint.port
    where = f"{host}:{port}" if port else host
    told_lines = [
        told(
            Cell(database.name, STRONG),
            f" · {database.criticality.value.upper()} · {database.service} · {database.place} → {where}",
        ),
        _promise(entry, width),
        *_condition(entry),
        *(
            told(Cell(f"{p.store}: ", WARN), f"{p.what}{f' {p.why}' if p.why else ''}")
            for p in entry.problems
        ),
    ]
    if tables and entry.tables is not None:
        told_lines += _seen(entry, now, width)
    elif entry.tables and (since := _last_seen(entry, now)):
        told_lines.append(told(Cell(f"Its tables are as they were last seen, {since} UTC.", WARN)))
    told_lines += _backups(entry)
    if entry.may_go:
        told_lines.append(
            told(Cell(f"Kept databases, long enough by now: {', '.join(map(clean, entry.may_go))}", WARN))
        )
    return told_lines


def _promise(entry: Entry, width: int) -> Content:
    drill = entry.drill
    rehearsed = "never drilled"
    if drill is not None:
        day = drill.at.strftime("%d %b")
        rehearsed = f"last drill {show.duration(drill.rto_s)} ({day}, {drill.verdict.value})"
    right = f"RTO {show.limit(entry.database.rto)}   {rehearsed}"
    left = cut(clean(entry.database.purpose), max(8, width - cell_len(right) - 2))
    return told(left, " " * max(2, width - cell_len(left) - cell_len(right)), Cell(right, DIM))


def _condition(entry: Entry) -> list[Content]:
    facts = entry.facts
    if facts is None:
        return [told(Cell("Waiting for its server to answer.", DIM))]
    if facts.status is Status.UP:
        parts = [f"PostgreSQL {facts.server_version or '?'}"]
        parts += ["standby, read only"] if facts.in_recovery else ["read only"] if facts.read_only else []
        parts += [f"its tables could not be read: {entry.tables_problem}"] if entry.tables_problem else []
        return [told(f"Up: {' · '.join(parts)}")]
    made = [told(Cell(facts.why or "The cause is not known.", BAD))]
    return [*made, told(f"→ {facts.mend}")] if facts.mend else made


def _seen(entry: Entry, now: datetime, width: int) -> list[Content]:
    """The biggest tables on one line, and since when that isn't so any more."""
    tables = entry.tables or ()
    head = show.plural(len(tables), "table") + (":" if tables else "")
    if (at := _last_seen(entry, now)) is None:
        return [told(f"{head}  {_tables(tables, width - cell_len(head) - 2)}")]
    return [told(f"Last seen {at} UTC, {head}"), told(f"  {_tables(tables, width - 2)}")]


def _last_seen(entry: Entry, now: datetime) -> str | None:
    """Since when its tables are known no more, None where they are as they are now."""
    if entry.facts is None or entry.facts.status is Status.UP or entry.tables_at is None:
        return None
    same = entry.tables_at.date() == now.date()
    return show.clock(entry.tables_at) if same else show.minute(entry.tables_at)


def _tables(tables: Sequence[TableFacts], width: int) -> str:
    """As many of the biggest as fit, and how many are left out."""
    line = ""
    for index, table in enumerate(tables):
        name = clean(table.name if table.schema == "public" else f"{table.schema}.{table.name}", 30)
        rows = "?" if table.rows is None else show.about(table.rows)
        part = f"{' · ' if line else ''}{name} {rows}"
        left = len(tables) - index
        if cell_len(line) + cell_len(part) + len(f" … {left} more") > width:
            return f"{line} … {left} more"
        line += part
    return line


def _backups(entry: Entry) -> list[Content]:
    lines = []
    newest = entry.newest
    if newest is not None:
        doubt = "no manifest" if newest.is_proven else "no manifest, not verified"
        whole = "complete" if newest.has_manifest else Cell(doubt, WARN)
        lines.append(told("Newest backup  ", newest.ref, f"  {show.size(newest.size_bytes)}  ", whole))
    elif not entry.stores_left and not entry.problems:
        lines.append(told(Cell("No backup of it lies in any of its stores.", BAD)))
    if newest is not None:
        _, said, tone = offsite_of(entry)
        lines.append(told(Cell(said, tone)))
    if entry.stores_left:
        lines.append(told(Cell(f"{', '.join(entry.stores_left)}: still reading…", DIM)))
    return lines
