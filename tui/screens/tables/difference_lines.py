"""How a restored table differs from the live one, as cells and lines. Pure functions of values."""

from __future__ import annotations

from textual.content import Content

from tui.model import amounts as show
from tui.model.difference import MergedTable, TableDifference
from tui.model.text import clean
from tui.widgets.line_table import Column
from tui.widgets.lines import BAD, FAINT, GOOD, WARN, line, wrapped
from tui.widgets.tones import BAD as BAD_TONE
from tui.widgets.tones import DIM, Cell, Piece
from tui.widgets.tones import WARN as WARN_TONE

COLUMNS = (
    Column("", 1, gap=0),
    Column("table", 20, wide=50, gap=1),
    Column("live", 11, right=True, gap=1),
    Column("restored", 11, right=True, gap=1),
    Column("missing", 9, right=True, gap=1),
    Column("extra", 9, right=True, gap=1),
    Column("changed", 9, right=True, gap=1),
)


def cells(difference: TableDifference, sign: str) -> list[Piece]:
    """One table's cells, one a column of COLUMNS."""
    name = ".".join(difference.table) if difference.schema != "public" else difference.name
    if difference.reason is not None:
        return [Cell("✖", BAD_TONE), name, Cell("not", BAD_TONE), Cell("compared", BAD_TONE)]
    return [
        sign,
        name,
        show.count(difference.live_rows),
        show.count(difference.restored_rows),
        _number(difference.missing),
        _number(difference.extra),
        Cell("no key", DIM) if difference.changed is None else _number(difference.changed),
    ]


def _number(rows: int | None) -> Cell:
    return Cell(show.count(rows), WARN_TONE if rows else DIM)


def details(difference: TableDifference, width: int) -> list[Content]:
    """What is known of one table, in full."""
    name = clean(".".join(difference.table))
    if difference.reason is not None:
        made = wrapped(clean(difference.reason), width, line(("✖ ", BAD)), style=BAD)
        return made + (wrapped(clean(difference.mend), width, "  ") if difference.mend else [])
    if difference.same:
        return [line(("✔ ", GOOD), f"{name}: the same rows")]
    made = [
        line((name, "bold"), (f"  by {clean(', '.join(difference.key))}" if difference.key else "", FAINT))
    ]
    for word, number, keys in (
        ("missing", difference.missing, difference.missing_keys),
        ("extra", difference.extra, difference.extra_keys),
        ("changed", difference.changed, difference.changed_keys),
    ):
        if number and keys:
            more = ", …" if number > len(keys) else ""
            made += wrapped(f"{', '.join(keys)}{more}", width, line((f"{word:8} ", FAINT)))
    if not difference.key:
        said = "No key: rows are compared as wholes. A changed one is a missing and an extra one."
        made += wrapped(said, width, line(("! ", WARN)))
    for side, columns in (("live", difference.only_live), ("restored", difference.only_restored)):
        if columns:
            said = f"only the {side} table has {', '.join(clean(c, 60) for c in columns)}"
            made += wrapped(said, width, line(("columns  ", FAINT)))
    return made


def outcome(merged: tuple[MergedTable, ...], width: int) -> list[Content]:
    """What a merge did, a line for each table."""
    made = []
    for table in merged:
        name = clean(f"{table.schema}.{table.name}")
        said = f"{name}: {show.plural(table.before, 'row')} before, {show.count(table.after)} after"
        said += f", {show.count(table.updated)} overwritten" if table.updated else ""
        said += f", {show.count(table.skipped)} left out" if table.skipped else ""
        said += f"; {', '.join(clean(s) for s in table.sequences)} set past" if table.sequences else ""
        made += wrapped(said, width, line(("✔ ", GOOD)))
    return made


def text_of(differences: tuple[TableDifference, ...]) -> str:
    """All of them as plain text, for copying."""
    rows = []
    for found in differences:
        if found.reason is not None:
            rows.append(f"{clean('.'.join(found.table))}: not compared. {found.reason}")
            continue
        numbers = (
            ("live", found.live_rows),
            ("restored", found.restored_rows),
            ("missing", found.missing),
            ("extra", found.extra),
            ("changed", found.changed),
        )
        told = ", ".join(f"{word} {show.count(number)}" for word, number in numbers)
        rows.append(f"{clean('.'.join(found.table))}: {told}")
        rows += [line_.plain for line_ in details(found, 200)[1:]]
    return "\n".join(rows) + "\n"
