"""Services and writes as rows and their details: pure functions of what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tui.model import amounts as show
from tui.model.paused import FreezeHow, FreezeView, PauseState, ServiceView
from tui.model.text import clean
from tui.widgets.line_table import Column
from tui.widgets.tones import BAD, DIM, GOOD, PLAIN, STRONG, WARN, Cell, Piece

WRITES = "writes"

COLUMNS = (
    Column("", 1, gap=0),
    Column("service", 17, wide=34, gap=1),
    Column("kind", 10),
    Column("state", 10),
    Column("it says", 30, wide=120),
)

_SHAPES = {
    PauseState.RUNNING: ("●", GOOD),
    PauseState.PAUSING: ("◌", WARN),
    PauseState.PAUSED: ("‖", WARN),
    PauseState.RESUMING: ("◌", WARN),
    PauseState.FAILED: ("✘", BAD),
    PauseState.UNKNOWN: ("?", WARN),
    PauseState.STOPPED: ("–", DIM),
    PauseState.UNDECLARED: ("!", BAD),
}
# Of writes the same states have other names.
_OF_WRITES = {
    PauseState.RUNNING: "let in",
    PauseState.PAUSING: "freezing",
    PauseState.PAUSED: "FROZEN",
    PauseState.RESUMING: "thawing",
    PauseState.STOPPED: "kept out",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One service, or (last of all) the writes of the database; `view` is None while it hasn't been asked."""

    name: str
    view: ServiceView | FreezeView | None = None
    doing: str = ""  # what is being done with it at this moment

    @property
    def is_writes(self) -> bool:
        """Whether it is the database's row."""
        return self.name == WRITES

    @property
    def recorded(self) -> bool:
        """Whether pgdr has it down as paused or frozen."""
        return self.view is not None and (
            self.view.recorded is not None or self.view.state is PauseState.PAUSED
        )


def cells(row: Row) -> list[Piece]:
    """Returns a row's cells, one a column of COLUMNS."""
    view = row.view
    name = "writes" if row.is_writes else row.name
    kind = "database" if row.is_writes else view.kind if isinstance(view, ServiceView) else ""
    if row.doing:
        return [Cell("◌", WARN), Cell(name, STRONG), kind, Cell("at work", WARN), row.doing]
    if view is None:
        return [Cell("◌", DIM), name, kind, Cell("asking", DIM), ""]
    shape, tone = _SHAPES[view.state]
    word = view.state.value
    if row.is_writes:
        word = _OF_WRITES.get(view.state, word)
    unwell = isinstance(view, ServiceView) and view.healthy is False
    if unwell:
        shape, tone, word = "✘", BAD, "not well"
    return [
        Cell(shape, tone),
        Cell(name, STRONG if view.state is PauseState.PAUSED else PLAIN),
        kind,
        Cell(word, PLAIN if tone == GOOD else tone),
        view.what,
    ]


def details(row: Row, now: datetime) -> list[Piece]:
    """Returns what is known of a row, in lines."""
    view = row.view
    if view is None:
        return ["It is being asked."]
    told: list[Piece] = []
    if view.what:
        told.append(view.what)
    record = view.recorded
    if record is not None:
        word = "Frozen" if row.is_writes else "Paused"
        ago = show.age(now - record.at)
        told.append(Cell(f"{word} {ago} ago by {clean(record.operator)}: {clean(record.why)}", STRONG))
    if isinstance(view, FreezeView):
        return [*told, *_writes(view)]
    told += [f"stops   {command}" for command in view.stops]
    return told + [f"starts  {command}" for command in view.starts]


def _writes(view: FreezeView) -> Sequence[Piece]:
    told: list[Piece] = []
    record = view.recorded
    if record is not None and record.aside:
        told.append(f"A swap has put it aside, as {clean(record.dbname)}; thawing gives it back its own.")
    if view.sessions is not None:
        told.append(f"{show.plural(view.sessions, 'session')} in it.")
    if view.exempt:
        names = ", ".join(map(clean, view.exempt))
        told.append(Cell(f"▲ May write all the same, by a setting of their own: {names}", WARN))
    if record is not None and record.how is FreezeHow.READ_ONLY:
        told.append("Read-only is a default: a session can turn it off for itself.")
    return told
