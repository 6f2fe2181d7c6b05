"""A backup as its row, and what is inside it: pure functions of what is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from textual.content import Content

from tui.model import amounts as show
from tui.model.backup import Backup, StoreProblem, TableContents, Verdict
from tui.model.errors import PgdrError
from tui.model.plan import Level
from tui.model.text import clean
from tui.operations.catalogue.catalogue import Description
from tui.stores.store import ObjectMissing
from tui.widgets.format import share
from tui.widgets.line_table import Column
from tui.widgets.lines import fit, line, right, wrapped
from tui.widgets.tones import BAD, DIM, GOOD, MARK, PLAIN, STRONG, WARN, Cell, Piece, told

COLUMNS = (
    Column("", 1, gap=0),
    Column("taken (UTC)", 11, gap=1),
    Column("age", 7, right=True, gap=1),
    Column("database", 16, wide=34, value=lambda b: b.database),
    Column("store", 8, wide=16, gap=1, value=lambda b: b.store),
    Column("size", 7, right=True, gap=1, priority=1, value=lambda b: b.size_bytes, down=True),
    Column(
        "verified",
        17,
        wide=24,
        priority=2,
        value=lambda b: b.verification and b.verification.at.timestamp(),
        down=True,
    ),
    Column("name in its store", 34, wide=70, priority=3, value=lambda b: b.key),
)

_VERDICTS = {Verdict.CLEAN: GOOD, Verdict.EXPLAINED: WARN, Verdict.FAILED: BAD}
_MUCH_SMALLER = 0.5  # of the median: half a database doesn't go away overnight unnoticed


class Sizes:
    """The sizes of backups by database, to tell one that is suspiciously small."""

    def __init__(self) -> None:
        self._sizes: dict[str, list[int]] = {}  # in order

    def add(self, backups: Sequence[Backup]) -> None:
        """Takes in more backups."""
        touched = {backup.database for backup in backups if backup.database is not None}
        for backup in backups:
            if backup.database is not None:
                self._sizes.setdefault(backup.database, []).append(backup.size_bytes)
        for database in touched:
            self._sizes[database].sort()  # one pass: what was in order before is one run

    def is_small(self, backup: Backup) -> bool:
        """Whether a backup is much smaller than is usual for its database. One of two may be either."""
        sizes = self._sizes.get(backup.database, []) if backup.database is not None else []
        return len(sizes) >= 3 and backup.size_bytes < _MUCH_SMALLER * sizes[len(sizes) // 2]


def taken(backup: Backup, now: datetime) -> str:
    """When a backup was taken: month, day and minute, or for an old one year, month and day."""
    if now - backup.sort_time > timedelta(days=300):
        return show.minute(backup.sort_time)[:10]
    return show.day_minute(backup.sort_time)


def verified(backup: Backup, now: datetime) -> Cell:
    """How long ago a backup was verified, and what came of it."""
    found = backup.verification
    if found is None:
        return Cell(show.UNKNOWN, DIM)
    word = found.verdict.value.upper() if found.verdict is Verdict.FAILED else found.verdict.value
    return Cell(f"{show.age(now - found.at)}  {word}", _VERDICTS[found.verdict])


def cells(backup: Backup, now: datetime, small: bool) -> list[Piece]:
    """Returns a backup's cells, one a column of COLUMNS."""
    failed = backup.verification is not None and backup.verification.verdict is Verdict.FAILED
    seen = verified(backup, now)
    if small:
        seen = Cell(f"{seen.text}  much smaller", WARN if not failed else BAD)
    return [
        Cell("✖", BAD) if failed else Cell("!", WARN) if small else "",
        taken(backup, now),
        show.age(now - backup.sort_time),
        Cell("not known", DIM) if backup.database is None else backup.database,
        backup.store,
        Cell(show.size(backup.size_bytes), WARN if small else PLAIN),
        seen,
        backup.key,
    ]


def heading(backup: Backup, outcome: Description | PgdrError | None, width: int) -> Content:
    """The backup's name, what kind of archive it is, and whether it is whole, as far as that is known."""
    whole, tone = ("complete" if backup.has_manifest else "no manifest"), DIM
    kind = ""
    if isinstance(outcome, PgdrError):
        whole, tone = ("GONE from its store" if is_gone(outcome) else "not looked into"), WARN
    elif outcome is not None:
        if any(found.level is Level.STOP for found in outcome.problems):
            whole, tone = "DAMAGED", BAD
        if (contents := outcome.contents) is not None:
            server = f" · from {contents.server_version}" if contents.server_version else ""
            kind = f"{contents.format.value}{server} · "
    room = width - len(kind) - len(whole) - 2
    return fit(told(Cell(backup.ref, STRONG)), max(20, room)) + told("  ", Cell(kind, DIM), Cell(whole, tone))


def is_gone(outcome: Description | PgdrError | None) -> bool:
    """Whether a backup was no longer there when it was looked into."""
    return isinstance(outcome, ObjectMissing)


def troubles(found: Sequence[StoreProblem], width: int) -> list[Content]:
    """Which stores can't be read, and why."""
    made = []
    for problem in found:
        said = " ".join(part for part in (problem.what, problem.why, problem.mend) if part)
        made += wrapped(clean(said), max(40, width), told(Cell(f" ✖ {problem.store}: ", BAD)))
    return made


def problems(described: Description, width: int) -> list[Content]:
    """What is wrong with a backup, or worth knowing, with its mend."""
    made = []
    for finding in described.problems:
        if finding.level is Level.OK:
            continue
        shape = "✖" if finding.level is Level.STOP else "!"
        tone = BAD if finding.level is Level.STOP else WARN
        text = told(f"{finding.what} {finding.mend or ''}").plain.strip()
        made += wrapped(text, width, told("  ", Cell(f"{shape} {finding.about}: ", tone)))
    return made


def tables(described: Description, width: int, room: int) -> list[Content]:
    """The tables with rows, compressed bytes and a bar of them; at most `room` lines, the last of
    which tells how many more there are and how much had to be read."""
    found = described.tables
    read = f"read {show.size(described.fetched_bytes)} of {show.size(described.backup.size_bytes)}"
    if not found:
        return [told(Cell(f"   no table data · {read}", DIM))]
    fitting = found[: max(1, room - 1)]
    largest = max((table.compressed_bytes or 0 for table in found), default=0)
    name_width = min(40, max(14, width - 3 - 17 - 10 - 3 - 22))
    made = [_table(table, largest, name_width, width) for table in fitting]
    more = f"… {len(found) - len(fitting)} more   " if len(found) > len(fitting) else ""
    return [*made, told(Cell(f"   {more}{read}", DIM))]


def _table(table: TableContents, largest: int, name_width: int, width: int) -> Content:
    name = table.name if table.schema == "public" else f"{table.schema}.{table.name}"
    rows = "rows not known" if table.rows is None else show.plural(table.rows, "row")
    bar_room = max(4, width - name_width - 3 - 17 - 10 - 3)
    return line(
        "   ",
        fit(told(name), name_width),
        right(told(rows), 17),
        right(told(show.size(table.compressed_bytes)), 10),
        "   ",
        told(Cell(share(table.compressed_bytes, largest, min(40, bar_room)), MARK)),
    )
