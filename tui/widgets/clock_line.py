"""The clocks of a recovery in one line: since when, until when, what is lost. What matters most stays when
it is narrow."""

from __future__ import annotations

from datetime import datetime, timedelta

from textual.content import Content

from tui.incident.clocks import Clocks
from tui.model import amounts as show
from tui.widgets.format import cut
from tui.widgets.tones import BAD, DIM, GOOD, STRONG, WARN, Cell, told

_BETWEEN = " · "


def clock_line(clocks: Clocks, width: int, *, drill: bool = False) -> Content:
    """Given the clocks and the room there is, returns the line. Times are UTC; those of another day have
    theirs."""
    # What goes first when it is narrow: when it was declared, since when it is damaged, what is lost.
    ready, lost = _ready(clocks), _lost(clocks)
    damaged = Cell(f"damaged {_when(clocks.damaged_at, clocks.now)}") if clocks.damaged_at else None
    declared = Cell(f"declared {_when(clocks.declared_at, clocks.now)}", DIM)
    mark = Cell("nothing live is touched", WARN) if drill else None
    for shown in (
        (mark, damaged, declared, ready, lost),
        (mark, damaged, ready, lost),
        (mark, ready, lost),
        (ready, lost),
        (ready,),
    ):
        cells = [cell for cell in shown if cell is not None]
        if sum(len(cell.text) for cell in cells) + len(_BETWEEN) * (len(cells) - 1) + 1 <= width:
            break
    pieces: list[str | Cell] = [" "]
    for number, cell in enumerate(cells):
        pieces += [_BETWEEN] * bool(number) + [Cell(cut(cell.text, max(8, width - 1)), cell.tone)]
    return told(*pieces)


def _ready(clocks: Clocks) -> Cell:
    """The answer to the question that everybody asks."""
    if clocks.put_in_place:
        took = show.age(clocks.used)
        late = clocks.over
        return Cell(
            f"in place after {took}, " + ("OVER the RTO" if late else "within the RTO"), BAD if late else GOOD
        )
    if clocks.ended_at is not None:
        return Cell("closed, nothing was put in place", DIM)
    end = _when(clocks.deadline, clocks.now)
    if clocks.ready_high is None:
        return Cell(f"RTO ended {end}" if clocks.over else f"RTO ends {end}", BAD if clocks.over else STRONG)
    low = show.clock(clocks.ready_low or clocks.ready_high)
    high = _when(clocks.ready_high, clocks.now)
    when = high if low == high else f"{low} – {high}"
    if clocks.ready_from == "pick":
        when = f"{high} if begun now"
    late = clocks.will_be_late
    return Cell(f"ready {when} (RTO {end}{', LATE' if late else ''})", BAD if late else STRONG)


def _lost(clocks: Clocks) -> Cell:
    if clocks.lost is None:
        return Cell(f"RPO {show.limit(clocks.rpo)}", DIM)
    word = "lost" if clocks.put_in_place else "loses"
    beyond = clocks.beyond_rpo
    text = f"{word} {show.age(clocks.lost)} of RPO {show.limit(clocks.rpo)}{' OVER' if beyond else ''}"
    return Cell(text, BAD if beyond else STRONG)


def _when(moment: datetime, now: datetime) -> str:
    near = abs(moment - now) < timedelta(hours=20)
    return show.clock(moment) if near else show.day_minute(moment)
