"""Drills as rows and details: what is due, what the last ones measured, and how that goes over time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from textual.content import Content

from tui.model import amounts as show
from tui.model.backup import Verdict
from tui.operations.verify.drill import DrillRow
from tui.operations.verify.due import Duty
from tui.widgets.format import cut
from tui.widgets.line_table import Column
from tui.widgets.tones import BAD, DIM, GOOD, PLAIN, STRONG, WARN, Cell, Piece, told
from tui.widgets.trend import bar, top_of

COLUMNS = (
    Column("", 1, gap=0),
    Column("database", 15, wide=34, gap=1),
    Column("what", 12, gap=1),
    Column("due", 8, gap=1),
    Column("last done", 9, gap=1),
    Column("RTO", 7, right=True, gap=1),
    Column("of", 4, right=True, gap=1),
    Column("", 6, gap=1),
    Column("RPO", 7, right=True, gap=1, priority=2),
    Column("of", 4, right=True, gap=1, priority=2),
    Column("", 6, gap=1, priority=2),
    Column("by", 8, wide=26, gap=1, priority=1),
    Column("found", 10, wide=60, priority=3),
)
BARS = "against the target"
HISTORY = (
    Column("drill (UTC)", 16, gap=0),
    Column("what", 8),
    Column("verdict", 9, gap=1),
    Column("RTO", 7, right=True, gap=1),
    Column("of", 4, right=True, gap=1),
    Column("", 6, gap=1),
    Column(BARS, 18, wide=60, gap=1, priority=1),
    Column("RPO", 7, right=True, priority=2),
    Column("of", 4, right=True, gap=1, priority=2),
    Column("change", 14, right=True, priority=3),
    Column("by", 12, wide=26, priority=4),
    Column("backup", 30, wide=60, priority=5),
)
_VERDICTS = {Verdict.CLEAN: GOOD, Verdict.EXPLAINED: WARN, Verdict.FAILED: BAD}
_KINDS = {"single table": ("table",), "recovery": ("recovery", "full"), "full": ("full",)}
_TREND = 5


@dataclass(frozen=True, slots=True)
class DueRow:
    """Something that is due every so often, and the drills that were of it, the newest first. `known` is
    False while the stores, which alone know of verifications, are still read."""

    duty: Duty
    drills: tuple[DrillRow, ...]
    known: bool = True

    @property
    def key(self) -> tuple[str, str]:
        """What names it."""
        return self.duty.database, self.duty.what


def due_rows(duties: Sequence[Duty], drills: Sequence[DrillRow], known: bool) -> list[DueRow]:
    """Given what is due and every drill (the newest first), returns the rows, the overdue ones first."""
    rows = [
        DueRow(
            duty,
            tuple(d for d in drills if d.database == duty.database and d.drill.kind in _kinds(duty)),
            known or duty.what != "verification",
        )
        for duty in duties
    ]
    return sorted(rows, key=lambda row: not (row.duty.overdue and row.known))


def _kinds(duty: Duty) -> tuple[str, ...]:
    return _KINDS.get(duty.what, ())


def due_cells(row: DueRow, now: datetime) -> list[Piece]:
    """The cells of one thing that is due, one a column of COLUMNS."""
    duty = row.duty
    if not row.known:
        return [Cell("◌", DIM), duty.database, duty.what, Cell("reading…", DIM), *[""] * 9]
    shape = Cell("▲", BAD) if duty.overdue else Cell("●", GOOD)
    due = Cell("OVERDUE", BAD) if duty.overdue else f"in {_until(duty, now)}"
    last = f"{show.age(now - duty.last_at)} ago" if duty.last_at else Cell("never", WARN)
    return [shape, duty.database, duty.what, due, last, *_measured(row), duty.by or "", _found(row)]


def _until(duty: Duty, now: datetime) -> str:
    return show.age((duty.due_at or now) - now)


def _measured(row: DueRow) -> list[Piece]:
    if not row.drills:
        return [""] * 6
    last = row.drills[0]
    rpo: list[Piece] = ["", "", ""]
    if last.drill.rpo_s is not None:
        rpo = [show.age(last.drill.rpo_s), show.limit(last.rpo_target_s), _met(last.within_rpo)]
    return [*_rto(last), *rpo]


def _rto(row: DrillRow) -> list[Piece]:
    within = row.within_rto and row.drill.verdict is not Verdict.FAILED
    word = _met(row.within_rto) if row.drill.verdict is not Verdict.FAILED else Cell("FAILED", BAD)
    took = Cell(show.duration(row.drill.rto_s), PLAIN if within else BAD)
    return [took, show.limit(row.rto_target_s), word]


def _met(within: bool | None) -> Cell:
    return {True: Cell("ok", GOOD), False: Cell("MISSED", BAD), None: Cell("")}[within]


def _found(row: DueRow) -> Piece:
    if not row.drills:
        return ""
    found = row.drills[0].drill.found
    if not found:
        return Cell("nothing", DIM)
    return Cell(found[0] if len(found) == 1 else f"{len(found)} found", WARN)


def due_details(row: DueRow, now: datetime, width: int) -> list[Content]:
    """What is known of one thing that is due: when and by whom, what was found, how the RTO goes."""
    duty = row.duty
    every = show.limit(timedelta(seconds=duty.every_s))
    made = [
        told(Cell(duty.database, STRONG), f" · {duty.what} · every {every}, {_last(row)}"),
        told(Cell("on the command line  ", DIM), duty.how),
    ]
    if not row.drills:
        said = (
            "To do: verify the newest backup." if duty.what == "verification" else "To do: begin the first."
        )
        return [*made, told(Cell(said, DIM))]
    return [*made, *_newest(row.drills[0]), *findings(row.drills[0], 2), *trend(row.drills[:_TREND], width)]


def _newest(row: DrillRow) -> list[Content]:
    """What the newest drill would have lost, against what may be."""
    if row.drill.rpo_s is None:
        return []
    lost = f"{show.duration(row.drill.rpo_s)} of {show.limit(row.rpo_target_s)}  "
    return [told(Cell("RPO    ", DIM), lost, _met(row.within_rpo))]


def _last(row: DueRow) -> str:
    duty = row.duty
    if not row.known:
        return "the stores are still read"
    if duty.last_at is None:
        return "never done"
    by = f" by {duty.by}" if duty.by else ""
    due = f", due {duty.due_at:%Y-%m-%d}" if duty.due_at else ""
    return f"last {duty.last_at:%Y-%m-%d}{by}{due}"


def findings(row: DrillRow, most: int) -> list[Content]:
    """What a drill found to be wrong, at most so many lines of it."""
    found = row.drill.found
    if not found:
        return [told(Cell("found  ", DIM), "nothing to be wrong")]
    made = [told(Cell("found  ", WARN) if not n else "       ", text) for n, text in enumerate(found[:most])]
    if len(found) > most:
        made.append(told(Cell(f"       … {len(found) - most} more: enter shows them", DIM)))
    return made


def trend(rows: Sequence[DrillRow], width: int) -> list[Content]:
    """How long drills took, the newest first: each number, and a bar in which the target is marked."""
    target = rows[0].rto_target_s
    top = top_of([row.drill.rto_s for row in rows], target)
    room = max(8, min(60, width - 44))
    made = []
    for row in rows:
        rto, of, word = (part if isinstance(part, Cell) else Cell(part) for part in _rto(row))
        made.append(
            told(
                Cell(f"{show.minute(row.drill.at)}  ", DIM),
                Cell(f"{rto.text:>8}", rto.tone), f" of {of.text:<4} ", Cell(f"{word.text:<7}", word.tone),
                Cell(bar(row.drill.rto_s, row.rto_target_s, top, room), DIM),
            )
        )  # fmt: skip
    return made


def history_cells(row: DrillRow, top: float, width: int) -> list[Piece]:
    """The cells of one drill, one a column of HISTORY; its bar goes up to `top` in `width` cells."""
    drill = row.drill
    rpo: list[Piece] = ["", ""]
    if drill.rpo_s is not None:
        rpo = [
            Cell(show.age(drill.rpo_s), PLAIN if row.within_rpo else BAD),
            show.limit(row.rpo_target_s),
        ]
    return [
        show.minute(drill.at),
        drill.kind,
        Cell(drill.verdict.value, _VERDICTS[drill.verdict]),
        *_rto(row),
        Cell(bar(drill.rto_s, row.rto_target_s, top, width), DIM),
        *rpo,
        _change(row.rto_change_s),
        drill.operator or "",
        cut(drill.ref or show.UNKNOWN, 60),
    ]


def _change(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{show.duration(abs(seconds))} {'quicker' if seconds < 0 else 'slower'}"
