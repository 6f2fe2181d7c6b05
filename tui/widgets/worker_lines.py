"""What each worker of a job is at, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.model import amounts as show
from tui.model.progress import WorkerLine
from tui.model.text import clean
from tui.widgets.format import bar
from tui.widgets.lines import FAINT, fit, line, right

_SLOT = 2
_ACTIVITY = 12
_DETAIL = 19  # "7.9M of 12.0M rows" and a space
_RATE = 8
_BAR = 10
_LEFT = 8  # a space and "12m 04s"


def worker_lines(workers: Sequence[WorkerLine], width: int) -> list[Content]:
    """Given a job's workers, returns a line for each: slot, activity, what, how far, rate, bar, time left.

    A wider screen gives the room to the name. Without a known fraction there is no bar and no time
    left, but how long it has run: PostgreSQL tells no more of foreign keys and ANALYZE.
    """
    room = max(12, width - _SLOT - _ACTIVITY - 1 - _BAR - _LEFT)
    return [
        line(
            (f"{worker.slot:<{_SLOT}}", FAINT),
            fit(line(clean(worker.activity)), _ACTIVITY),
            _what(worker, room),
            " ",
            bar(worker.fraction, _BAR) if worker.fraction is not None else " " * _BAR,
            right(_time(worker), _LEFT),
        )
        for worker in workers
    ]


def _what(worker: WorkerLine, room: int) -> Content:
    """The name, how far it is, and how fast; where there is no rate the name may be longer."""
    rate = show.rate(worker.bytes_per_s) if worker.bytes_per_s else ""
    detail = clean(worker.detail)
    rest = (_RATE if rate else 0) + (max(_DETAIL, len(detail) + 1) if detail else 0)
    name = clean(worker.what)
    if len(name) > room - rest - 1:
        name = name.removeprefix("public.")
    return fit(line(name), max(8, room - rest)) + fit(line(detail), rest - len(rate)) + rate


def _time(worker: WorkerLine) -> Content:
    if worker.left_s is not None:
        return line(show.duration(worker.left_s))
    return line((f"+{show.duration(worker.running_s)}", FAINT)) if worker.running_s >= 1 else line("")
