"""Bringing the rows that a live table misses beside it: into temporary tables of the session that will put
them in. Nothing here locks the live table, however long it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg import sql

from tui.model.difference import TableDifference
from tui.model.errors import Refused
from tui.model.text import clean
from tui.postgres.connection import Connection
from tui.postgres.facts.counting import TableName
from tui.postgres.merge.compare import Common, Kind, Row, common_of, differences, snapshot
from tui.postgres.merge.table_shape import named, rows_of

OnTable = Callable[[TableName, int, int], None]

_BATCH = 2000
_BLOCKS = 1000
_PLACES = sql.SQL("CREATE TEMP TABLE pgdr_places (rel oid, place tid, changed bool) ON COMMIT DROP")
_KEEP = sql.SQL(
    "INSERT INTO pg_temp.pgdr_places SELECT * FROM unnest(%s::int8[]::oid[], %s::text[]::tid[], %s::bool[])"
)


@dataclass(frozen=True, slots=True)
class Staged:
    """One table's rows, ready to be put in. `missing` and `changed` name temporary tables of the session."""

    table: TableName
    common: Common
    difference: TableDifference
    missing: sql.Identifier
    changed: sql.Identifier | None


def stage(
    live: Connection,
    restored: Connection,
    work: Connection,
    table: TableName,
    number: int,
    *,
    with_changed: bool,
    on_table: OnTable,
) -> Staged:
    """Given sessions in the live and the restored database and the one that will merge, finds the rows that
    the live table misses (and with `with_changed` those that it has with other values), and copies them from
    the restored table into temporary tables of `work`.

    `number` tells the temporary tables apart. `on_table` is told of the rows read; what it raises ends the
    staging. Raises Refused when the table can't be merged, psycopg.Error as it comes.
    """
    with snapshot(live), snapshot(restored, writable=True):
        common = common_of(live, restored, table)
        if isinstance(common, TableDifference):
            raise Refused(
                f"{clean('.'.join(table))} can't be merged.", common.reason, common.mend or "Leave it out."
            )
        _require_fillable(common, table)
        restored.execute(_PLACES)
        places = _Places(restored, with_changed and bool(common.key))

        def on_rows(here: int, there: int) -> None:
            on_table(table, here, there)

        difference = differences(live, restored, table, common, on_rows, places.add)
        places.flush()
        restored.execute("ANALYZE pg_temp.pgdr_places")

        def beat() -> None:
            on_table(table, difference.live_rows or 0, difference.restored_rows or 0)

        missing = _copy(restored, work, table, common, f"pgdr_missing_{number}", False, beat)
        changed = None
        if places.with_changed:
            changed = _copy(restored, work, table, common, f"pgdr_changed_{number}", True, beat)
    return Staged(table, common, difference, missing, changed)


def _require_fillable(common: Common, table: TableName) -> None:
    """A live column that must have a value and gets none from the backup would fail every row."""
    if not common.columns:
        raise Refused(f"{clean('.'.join(table))} can't be merged.", "No column is in both databases.")
    wanting = [
        c.name
        for c in common.live.columns.values()
        if c.not_null and not (c.has_default or c.identity or c.generated) and c.name not in common.columns
    ]
    if wanting:
        named_ones = ", ".join(clean(name, 60) for name in wanting[:5])
        raise Refused(
            f"{clean('.'.join(table))} can't be merged.",
            f"Live columns that must have a value and that the backup doesn't know: {named_ones}.",
            "Give them a default for the time of the merge (ALTER TABLE … ALTER COLUMN … SET DEFAULT …).",
        )


class _Places:
    """Where the rows lie in the restored table: kept there, in a temporary table, not here."""

    def __init__(self, restored: Connection, with_changed: bool) -> None:
        self.with_changed = with_changed
        self._restored = restored
        self._found: list[tuple[int, str, bool]] = []

    def add(self, kind: Kind, row: Row) -> None:
        """Keeps a row that is to be copied."""
        if kind == "missing" or (kind == "changed" and self.with_changed):
            relation, _, place = str(row[-1]).partition(" ")
            self._found.append((int(relation), place, kind == "changed"))
            if len(self._found) >= _BATCH:
                self.flush()

    def flush(self) -> None:
        """Writes down what was kept."""
        if self._found:
            relations, places, changed = zip(*self._found, strict=True)
            self._restored.execute(_KEEP, (list(relations), list(places), list(changed)))
            self._found.clear()


def _copy(
    restored: Connection,
    work: Connection,
    table: TableName,
    common: Common,
    name: str,
    changed: bool,
    beat: Callable[[], None],
) -> sql.Identifier:
    target = sql.Identifier("pg_temp", name)
    # Made of the live table's own types: what doesn't fit them fails here, not in the merge.
    work.execute(
        sql.SQL("CREATE TEMP TABLE {} AS SELECT {} FROM {} WITH NO DATA").format(
            sql.Identifier(name), named(common.columns), rows_of(table, common.live.kind)
        )
    )
    out = sql.SQL(
        "COPY (SELECT {} FROM {} AS t JOIN pg_temp.pgdr_places p ON p.rel = t.tableoid AND p.place = t.ctid"
        " WHERE p.changed = {}) TO STDOUT"
    ).format(named(common.columns, "t"), rows_of(table, common.restored.kind), sql.Literal(changed))
    into = sql.SQL("COPY {} FROM STDIN").format(target)
    with restored.cursor().copy(out) as reading, work.cursor().copy(into) as writing:
        for number, block in enumerate(reading):
            writing.write(block)
            if number % _BLOCKS == 0:
                beat()
    work.execute(sql.SQL("ANALYZE {}").format(target))
    return target


def require_as_planned(staged: Staged, missing: int, changed: int | None) -> None:
    """Raises Refused when more or fewer rows are to be merged than a person has confirmed."""
    found = staged.difference
    if found.missing == missing and (changed is None or (found.changed or 0) == changed):
        return
    raise Refused(
        f"Nothing was merged: {clean('.'.join(staged.table))} has moved on since it was compared.",
        f"{found.missing:,} rows are missing and {found.changed or 0:,} are different now; "
        f"{missing:,} and {changed or 0:,} were confirmed.",
        "Compare again, then confirm what is true now.",
    )
