"""What each worker of a job is at, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.model.progress import WorkerLine
from tui.model.text import clean
from tui.widgets import format as show
from tui.widgets.lines import FAINT, fit, line, right

_DETAIL = 20
_RATE = 9
_BAR = 10
_LEFT = 7


def worker_lines(workers: Sequence[WorkerLine], width: int) -> list[Content]:
    """Given a job's workers, returns a line for each: slot, activity, what, how far, rate, bar, time left.

    A wider screen gives the room to the name. Without a known fraction there is no bar and no time
    left, but how long it has run: PostgreSQL tells no more of foreign keys and ANALYZE.
    """
    fixed = 2 + 12 + _DETAIL + 1 + _RATE + 1 + _BAR + _LEFT
    name = max(12, width - fixed - 1)
    return [_worker(worker, name) for worker in workers]


def _worker(worker: WorkerLine, name: int) -> Content:
    if worker.left_s is not None:
        time = line(show.duration(worker.left_s))
    elif worker.running_s >= 1:
        time = line((f"+{show.duration(worker.running_s)}", FAINT))
    else:
        time = line("")
    return line(
        (f"{worker.slot:>1} ", FAINT),
        fit(line(clean(worker.activity)), 12),
        fit(line(clean(worker.what)), name),
        " ",
        fit(line(clean(worker.detail)), _DETAIL),
        " ",
        right(line(show.rate(worker.bytes_per_s) if worker.bytes_per_s else ""), _RATE),
        " ",
        show.bar(worker.fraction, _BAR) if worker.fraction is not None else " " * _BAR,
        right(time, _LEFT),
    )
