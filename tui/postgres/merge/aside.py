"""The way back of a merge: what it put in and what it wrote over, kept beside the restored tables.

All values are kept as text: they are read back into the live table's own types, whatever types the restored
database knows. What is kept is written before the merge commits, and is of no use if it doesn't.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString, Self

import psycopg
from psycopg import sql

from tui.model.difference import UndoneTable
from tui.model.errors import PgdrError, Refused
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import Connection, ServerDown, failures
from tui.postgres.facts.counting import TableName
from tui.postgres.merge.catalog import holders, switch, triggers
from tui.postgres.merge.compare import open_side
from tui.postgres.merge.staging import Staged
from tui.postgres.merge.table_shape import Shape, named, rows_of, shape

_KINDS = ("put_in", "former", "merged")  # rows put in; rows written over, as they were, and as they became

# Whoever refers to a table, partitions' copies left out.
_CHILDREN: LiteralString = """
SELECT n.nspname::text, c.relname::text, c.relkind::text,
       (SELECT array_agg(a.attname::text ORDER BY u.place)
          FROM unnest(k.conkey) WITH ORDINALITY u(attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
       (SELECT array_agg(a.attname::text ORDER BY u.place)
          FROM unnest(k.confkey) WITH ORDINALITY u(attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype = 'f' AND k.confrelid = %s::oid AND k.conparentid = 0
"""


class Aside:
    """Keeps what a merge does, table by table, in the schema `name` of the restored database, as a context
    manager. Unless `done` was called nothing of it stays. Every method raises psycopg.Error."""

    def __init__(self, endpoint: Endpoint, restored: str, name: str) -> None:
        self._there = open_side(endpoint, restored, "pgdr merge")
        self._name = name

    def __enter__(self) -> Self:
        """Makes the schema."""
        # Restored databases are made read-only by nobody, but a setting of theirs may be the live one's.
        self._there.execute("SELECT set_config('default_transaction_read_only', 'off', false)")
        self._there.execute("BEGIN")
        self._there.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self._name)))
        listing = sql.SQL(
            "CREATE TABLE {} (number int PRIMARY KEY, schema_name text, table_name text, key text[],"
            " columns text[])"
        )
        self._there.execute(listing.format(sql.Identifier(self._name, "tables")))
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the session, and with it all that was not done."""
        self._there.close()

    def done(self) -> None:
        """All is kept."""
        self._there.execute("COMMIT")

    def keep(self, work: Connection, one: Staged, number: int) -> None:
        """Given the merge's own session, in which the table is locked and the rows that can't go in are taken
        out already, keeps its rows."""
        common, table = one.common, one.table
        columns = common.columns
        self._there.execute(
            sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, %s)").format(
                sql.Identifier(self._name, "tables")
            ),
            (number, *table, list(common.key), list(columns)),
        )
        rows = {"put_in": sql.SQL("SELECT {} FROM {}").format(named(columns), one.missing)}
        if one.changed is not None and common.key:
            both = sql.SQL("{} AS l JOIN {} AS s USING ({})").format(
                rows_of(table, common.live.kind), one.changed, named(common.key)
            )
            rows["former"] = sql.SQL("SELECT {} FROM {}").format(named(columns, "l"), both)
            rows["merged"] = sql.SQL("SELECT {} FROM {}").format(named(columns, "s"), both)
        for kind, query in rows.items():
            kept = sql.Identifier(self._name, f"{kind}_{number}")
            texts = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(c)) for c in columns)
            self._there.execute(sql.SQL("CREATE TABLE {} ({})").format(kept, texts))
            _pour(
                work,
                sql.SQL("COPY ({}) TO STDOUT").format(query),
                self._there,
                sql.SQL("COPY {} FROM STDIN").format(kept),
            )


@dataclass(frozen=True, slots=True)
class _Kept:
    number: int
    table: TableName
    key: tuple[str, ...]
    columns: tuple[str, ...]
    live: Shape
    staged: dict[str, sql.Identifier]


def take_back(
    endpoint: Endpoint, live: str, restored: str, aside: str, *, fire: bool, lock_timeout_s: float = 5.0
) -> tuple[UndoneTable, ...]:
    """Takes a merge back, in one transaction: the rows that it put in are removed, those that it wrote over
    get their former values. Rows that were written to since, and those that others refer to by now, stay as
    they are and are counted. `fire` is whether the tables' own triggers fire.

    Raises Refused when what was kept is gone, a table has other columns now or can't be locked, and as
    `connect` does; nothing has changed then.
    """
    with (
        open_side(endpoint, restored, "pgdr merge") as there,
        open_side(endpoint, live, "pgdr merge") as work,
        failures("The merge was not taken back."),
    ):
        # The live database may be frozen while this is done: what is frozen are the others.
        work.execute("SELECT set_config('default_transaction_read_only', 'off', false)")
        kept = [_staged(there, work, aside, row) for row in _listed(there, aside, restored)]
        at_commit = False
        try:
            with work.transaction():
                done = _take_back(work, kept, fire, lock_timeout_s)
                at_commit = True
            return done
        except psycopg.errors.LockNotAvailable:
            who = holders(work, [one.live.oid for one in kept])
            raise Refused(
                f"Nothing was taken back: the tables could not be locked within {lock_timeout_s:g} s.",
                who or "Another session held a lock, and has let it go by now.",
                "Wait for that session or end it, then try again.",
            ) from None
        except psycopg.OperationalError as error:
            if not at_commit or error.sqlstate is not None:
                raise
            raise ServerDown(
                "The connection broke while the merge was being taken back.",
                "Either all of it is or nothing is.",
                "See which: compare the tables again.",
            ) from None


def forget(endpoint: Endpoint, restored: str, aside: str) -> None:
    """Drops what a merge had kept: it was taken back. Raises as `connect` does, PgdrError when it can't."""
    with open_side(endpoint, restored, "pgdr merge") as there, failures(f"{clean(aside)} was not dropped."):
        there.execute("SELECT set_config('default_transaction_read_only', 'off', false)")
        there.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(aside)))


def _listed(there: Connection, aside: str, restored: str) -> list[tuple[int, str, str, list[str], list[str]]]:
    try:
        return there.execute(
            sql.SQL("SELECT * FROM {} ORDER BY number").format(sql.Identifier(aside, "tables"))
        ).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise Refused(
            "What the merge had kept is no longer there.",
            f"It lay in the schema {clean(aside)} of {clean(restored)}.",
            "The merged rows stay. What is in the restored database can still be compared.",
        ) from None


def _staged(
    there: Connection, work: Connection, aside: str, row: tuple[int, str, str, list[str], list[str]]
) -> _Kept:
    number, schema, name, key, columns = row
    table = (schema, name)
    live = shape(work, table)
    if live is None or not set(columns) <= set(live.columns):
        raise Refused(
            f"Nothing was taken back: {clean('.'.join(table))} is gone or has other columns now.",
            mend="Put its columns back first, or leave the merge as it is.",
        )
    staged = {}
    for kind in _KINDS:
        kept = sql.Identifier(aside, f"{kind}_{number}")
        if there.execute("SELECT to_regclass(%s)", (kept.as_string(None),)).fetchall()[0][0] is None:
            continue
        local = f"pgdr_{kind}_{number}"
        work.execute(
            sql.SQL("CREATE TEMP TABLE {} AS SELECT {} FROM {} WITH NO DATA").format(
                sql.Identifier(local), named(tuple(columns)), rows_of(table, live.kind)
            )
        )
        staged[kind] = sql.Identifier("pg_temp", local)
        _pour(
            there,
            sql.SQL("COPY {} TO STDOUT").format(kept),
            work,
            sql.SQL("COPY {} FROM STDIN").format(staged[kind]),
        )
        work.execute(sql.SQL("ANALYZE {}").format(staged[kind]))
    return _Kept(number, table, tuple(key), tuple(columns), live, staged)


def _take_back(
    work: Connection, kept: Sequence[_Kept], fire: bool, lock_timeout_s: float
) -> tuple[UndoneTable, ...]:
    limit = f"{round(lock_timeout_s * 1000)}ms"
    work.execute("SELECT set_config('lock_timeout', %s, true)", (limit,))
    every = sql.SQL(", ").join(
        rows_of(one.table, one.live.kind) for one in sorted(kept, key=lambda k: k.table)
    )
    if kept:
        work.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(every))
    work.execute("SET LOCAL search_path TO DEFAULT")  # triggers are the application's
    off = {one.table: () if fire else triggers(work, one.live.oid) for one in kept}
    for table, which in off.items():
        switch(work, table, which, on=False)
    done = []
    # What refers to others was put in last, and goes first.
    for one in sorted(kept, key=lambda k: k.number, reverse=True):
        wanted = {kind: _count(work, where) for kind, where in one.staged.items()}
        back = _write_back(work, one) if "former" in one.staged else 0
        removed = _remove(work, one)
        left = wanted.get("put_in", 0) - removed + wanted.get("former", 0) - back
        done.append(UndoneTable(*one.table, removed, back, left))
    work.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table, which in off.items():
        switch(work, table, which, on=True)
    if any(one.left < 0 for one in done):
        raise PgdrError("Nothing was taken back: more rows would have been touched than were merged.")
    return tuple(done)


def _count(work: Connection, table: sql.Identifier) -> int:
    return int(work.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchall()[0][0])


def _same(one: _Kept, ours: str, theirs: str) -> sql.Composed:
    """Whether a row is to the letter what another one is: every type has a text, not every type an ="""
    row = sql.SQL("ROW({})::text")
    return sql.SQL("{} = {}").format(
        row.format(named(one.columns, ours)), row.format(named(one.columns, theirs))
    )


def _by_key(one: _Kept, ours: str, theirs: str) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(ours, c), sql.Identifier(theirs, c)) for c in one.key
    )


def _write_back(work: Connection, one: _Kept) -> int:
    always = {c.name for c in one.live.columns.values() if c.always}
    settable = [c for c in one.columns if c not in one.key and c not in always]
    if not settable:
        return 0
    pairs = [sql.SQL("{} = f.{}").format(sql.Identifier(c), sql.Identifier(c)) for c in settable]
    statement = sql.SQL("UPDATE {} AS l SET {} FROM {} f JOIN {} m USING ({}) WHERE {} AND {}").format(
        rows_of(one.table, one.live.kind),
        sql.SQL(", ").join(pairs),
        one.staged["former"],
        one.staged["merged"],
        named(one.key),
        _by_key(one, "l", "f"),
        _same(one, "l", "m"),
    )
    return work.execute(statement).rowcount


def _remove(work: Connection, one: _Kept) -> int:
    """Removes what was put in and is still as it was put in. Who is referred to stays: removing it could take
    rows along that came after the merge."""
    free = [
        sql.SQL("NOT EXISTS (SELECT FROM {} AS c WHERE {})").format(
            rows_of((schema, name), kind),
            sql.SQL(" AND ").join(
                sql.SQL("{} = {}").format(sql.Identifier("c", a), sql.Identifier("l", b))
                for a, b in zip(columns, ours, strict=True)
            ),
        )
        for schema, name, kind, columns, ours in work.execute(_CHILDREN, (one.live.oid,)).fetchall()
    ]
    rows = rows_of(one.table, one.live.kind)
    if one.key:
        found = sql.SQL("SELECT l.tableoid, l.ctid FROM {} AS l JOIN {} AS p ON {} AND {}").format(
            rows, one.staged["put_in"], _by_key(one, "l", "p"), _same(one, "l", "p")
        )
    else:
        # As many of each as were put in: the same row may have been there before.
        found = sql.SQL(
            "SELECT l.tableoid, l.ctid FROM (SELECT tableoid, ctid, ROW({0})::text AS whole,"
            " row_number() OVER (PARTITION BY ROW({0})::text) AS n FROM {1}) l"
            " JOIN (SELECT ROW({0})::text AS whole, count(*) AS many FROM {2} GROUP BY 1) p"
            " ON p.whole = l.whole AND l.n <= p.many"
        ).format(named(one.columns), rows, one.staged["put_in"])
    statement = sql.SQL(
        "DELETE FROM {} AS l USING ({}) AS f WHERE l.tableoid = f.tableoid AND l.ctid = f.ctid"
    ).format(rows, found)
    if free:
        statement = sql.SQL("{} AND {}").format(statement, sql.SQL(" AND ").join(free))
    removed = 0
    while gone := work.execute(statement).rowcount:  # rows that refer to each other go one after the other
        removed += gone
        if not one.key:
            break  # asked again it would take others of the same
    return removed


def _pour(source: Connection, out: sql.Composed, target: Connection, into: sql.Composed) -> None:
    with source.cursor().copy(out) as reading, target.cursor().copy(into) as writing:
        for block in reading:
            writing.write(block)
