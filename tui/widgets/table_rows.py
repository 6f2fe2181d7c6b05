"""A restore's tables with rows loaded of those expected, and its index builds with their stage."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.model import amounts as show
from tui.model.progress import IndexLine, TableLine
from tui.model.text import clean
from tui.widgets.format import bar
from tui.widgets.lines import BAD, FAINT, GOOD, fit, line, right
from tui.widgets.text_lines import LazyLines

# What is at work comes first, then what failed, then what is to come; what is done needs no eyes.
_ORDER = {"loading": 0, "building": 0, "failed": 1, "waiting": 2, "done": 3}
_SHAPE = {"loading": "▶", "building": "▶", "failed": "✘", "waiting": "·", "done": "✔"}
_NARROW = 60  # from here on there is room for whole counts
_STYLE = {"failed": BAD, "done": GOOD, "waiting": FAINT}


def table_rows(tables: Sequence[TableLine], width: int) -> LazyLines:
    """Given tables, returns a line for each, those at work first, the biggest first among equals.

    A line is made when it is looked at: some databases have a table for each day and customer.
    """
    ranked = sorted(tables, key=lambda t: (_ORDER.get(t.state, 2), -(t.weight_bytes or 0)))
    return LazyLines((len(ranked), lambda number: _table(ranked[number], width)))


def _table(table: TableLine, width: int) -> Content:
    count = show.about if width < _NARROW else show.count
    if table.rows_expected is not None and table.rows_done is not None:
        rows = f"{count(table.rows_done)} of {count(table.rows_expected)}"
    elif table.rows_expected is not None:
        rows = f"{count(table.rows_expected)} expected"
    elif table.rows_done is not None:
        rows = f"{count(table.rows_done)} rows"
    else:
        rows = ""
    fraction = None
    if table.state == "loading" and table.rows_expected:
        fraction = (table.rows_done or 0) / table.rows_expected
    name = clean(table.name if table.schema == "public" else f"{table.schema}.{table.name}")
    return _row(table.state, name, rows, fraction, width)


def index_rows(indexes: Sequence[IndexLine], width: int) -> LazyLines:
    """Given indexes and constraints, returns a line for each with the stage of its build."""
    ranked = sorted(indexes, key=lambda i: _ORDER.get(i.state, 2))
    return LazyLines((len(ranked), lambda number: _index(ranked[number], width)))


def _index(index: IndexLine, width: int) -> Content:
    return _row(index.state, clean(index.name), _stage(index), _under_way(index), width)


def _under_way(index: IndexLine) -> float | None:
    return index.fraction if index.state == "building" else None


def _stage(index: IndexLine) -> str:
    # Without a number: its fraction is of the whole build, which the bar shows, not of this stage.
    return clean(index.stage) if index.state == "building" else ""


def _row(state: str, name: str, detail: str, fraction: float | None, width: int) -> Content:
    style = _STYLE.get(state, "")
    room = 16 if width < _NARROW else 25 if width < 90 else 29
    cells = 8 if width >= 64 else 0
    return line(
        (f"{_SHAPE.get(state, '·')} {state:<9}", style),
        fit(line(name), max(10, width - 11 - room - 1 - (cells + 1 if cells else 0))),
        " ",
        right(line(detail), room),
        (" " + (bar(fraction, cells) if fraction is not None else " " * cells)) if cells else "",
    )
