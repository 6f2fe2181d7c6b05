"""Comparing a table in two databases of one server, however big it is.

Both sides are read in the order of the key by cursors on the server, a hash of each row computed there, and
merged here: memory doesn't grow with the table. Without a key both are read in the order of the hashes.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from tui.model.difference import SAMPLES, TableDifference
from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import APPLICATION, Connection, connect, failures
from tui.postgres.facts.counting import TableName
from tui.postgres.merge.table_shape import Shape, all_tables, named, rows_of, shape

Kind = Literal["missing", "extra", "changed"]
Row = tuple[Any, ...]  # the key's values, then the row's hash, then where it lies
OnRows = Callable[[int, int], None]
OnDifference = Callable[[Kind, Row], None]

_BATCH = 5000
_LOOK_EVERY_S = 0.5

# What decides how a value is written as text. With row_security off, a hidden row is an error and not a
# missing one.
_AS_TEXT = {
    "extra_float_digits": "1",
    "datestyle": "ISO, YMD",
    "timezone": "UTC",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "xmlbinary": "base64",
    "row_security": "off",
    "work_mem": "64MB",
    "jit": "off",
}

_WHOLE = ("smallint", "integer", "bigint")
_KINDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "S": "a sequence",
}


@dataclass(frozen=True, slots=True)
class Common:
    """What both sides of a comparison have: the columns that are compared, and the key."""

    live: Shape
    restored: Shape
    columns: tuple[str, ...]
    key: tuple[str, ...]


def open_side(endpoint: Endpoint, dbname: str, application: str = APPLICATION) -> Connection:
    """A connection on which values are written as text in one way, whoever has set what. Raises as
    `connect` does."""
    connection = connect(endpoint, dbname, application=application)
    try:
        with failures(f'The session in "{clean(dbname)}" could not be set up.'):
            settle_text(connection)
    except PgdrError:
        connection.close()
        raise
    return connection


def settle_text(connection: Connection) -> None:
    """Sets everything that decides how a value is written as text. Raises psycopg.Error."""
    calls = ", ".join("set_config(%s, %s, false)" for _ in _AS_TEXT)
    connection.execute(f"SELECT {calls}".encode(), [part for pair in _AS_TEXT.items() for part in pair])


@contextmanager
def snapshot(connection: Connection, *, writable: bool = False) -> Iterator[None]:
    """A transaction in which every question sees the same rows."""
    with connection.transaction():
        mode = "READ WRITE" if writable else "READ ONLY"
        connection.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, {mode}".encode())
        yield


def compare_table(
    endpoint: Endpoint,
    live: str,
    restored: str,
    table: TableName,
    on_rows: OnRows = lambda live, restored: None,
) -> TableDifference:
    """Given two databases' names, returns how the table in `restored` differs from that in `live`.

    `on_rows` is told about twice a second how many rows of each have been read; what it raises ends the
    comparison at once and is raised. A table that can't be compared is told with its reason.
    Raises as `connect` does, and ServerDown when the connection breaks.
    """
    try:
        with ExitStack() as stack:
            left, right = (stack.enter_context(open_side(endpoint, name)) for name in (live, restored))
            stack.enter_context(failures(f"{clean('.'.join(table))} could not be compared."))
            stack.enter_context(snapshot(left))
            stack.enter_context(snapshot(right))
            common = common_of(left, right, table)
            if isinstance(common, TableDifference):
                return common
            return differences(left, right, table, common, on_rows)
    except Unreachable:
        raise
    except PgdrError as error:
        why = " ".join(part for part in (error.what, error.why) if part)
        return TableDifference(*table, reason=why, mend=error.mend)


def tables_of(endpoint: Endpoint, dbname: str) -> dict[TableName, bool]:
    """Every table of a database that can be compared, with whether it is a partition. Raises as `connect`
    does."""
    with connect(endpoint, dbname) as connection, failures(f'"{clean(dbname)}" could not be asked.'):
        return all_tables(connection)


def common_of(live: Connection, restored: Connection, table: TableName) -> Common | TableDifference:
    """What both sides have of a table; a TableDifference with its reason when they can't be compared.

    Raises psycopg.Error.
    """
    here, there = shape(live, table), shape(restored, table)
    shown = clean(".".join(table))
    if there is None:
        return TableDifference(*table, reason=f"The restored database has no table {shown}.")
    if here is None:
        return TableDifference(
            *table,
            reason=f"The live database has no table {shown}: it is in the restored one alone.",
            mend="Copy it whole, with pg_dump of the restored database and psql into the live one.",
        )
    for found in (here, there):
        if found.kind not in ("r", "p"):
            what = _KINDS.get(found.kind, "something else")
            return TableDifference(*table, reason=f"{shown} is {what}, not a table.")
    encodings = {c.execute("SHOW server_encoding").fetchall()[0][0] for c in (live, restored)}
    if len(encodings) > 1:
        return TableDifference(
            *table, reason=f"The databases have different encodings: {', '.join(sorted(encodings))}."
        )
    shared = [c for c in here.columns if c in there.columns]
    plain = tuple(c for c in shared if not (here.columns[c].generated or there.columns[c].generated))
    return Common(here, there, plain, _key(here, there))


def differences(
    live: Connection,
    restored: Connection,
    table: TableName,
    common: Common,
    on_rows: OnRows = lambda live, restored: None,
    on_difference: OnDifference = lambda kind, row: None,
) -> TableDifference:
    """Given two sessions, each in a transaction of its own, returns how the table differs between them;
    `on_difference` is called with every row that does. Raises psycopg.Error."""
    sides = [
        _Side(connection, _query(connection, table, common, of.kind))
        for connection, of in ((live, common.live), (restored, common.restored))
    ]
    left, right = sides
    counts: dict[Kind, int] = {"missing": 0, "extra": 0, "changed": 0}
    samples: dict[Kind, list[str]] = {"missing": [], "extra": [], "changed": []}

    def told() -> None:
        on_rows(left.read, right.read)

    try:
        width = max(1, len(common.key))
        for kind, row in _merged(left.rows(told), right.rows(told), width):
            counts[kind] += 1
            if common.key and len(samples[kind]) < SAMPLES:
                samples[kind].append(_shown(row[:width]))
            on_difference(kind, row)
    finally:
        for side in sides:
            side.end()
    told()
    here, there = common.live.columns, common.restored.columns
    return TableDifference(
        *table,
        key=common.key,
        live_rows=left.read,
        restored_rows=right.read,
        missing=counts["missing"],
        extra=counts["extra"],
        changed=counts["changed"] if common.key else None,
        missing_keys=tuple(samples["missing"]),
        extra_keys=tuple(samples["extra"]),
        changed_keys=tuple(samples["changed"]),
        only_live=tuple(c for c in here if c not in there),
        only_restored=tuple(c for c in there if c not in here),
        generated=tuple(c for c in here if c in there and c not in common.columns),
    )


def _key(live: Shape, restored: Shape) -> tuple[str, ...]:
    """The columns by which a row is known on both sides: none may be null, and one side at least must
    promise that they are unique. The restored one's key first: the live one may have lost its own."""
    for index in (*restored.unique, *live.unique):
        sides = (live.columns, restored.columns)
        if index.columns and all(c in side and side[c].not_null for side in sides for c in index.columns):
            return index.columns
    return ()


def _query(connection: Connection, table: TableName, common: Common, kind: str) -> sql.Composed:
    """The rows as (key…, hash, place), in the order of the key."""
    # A text of all columns, hashed on the server: only the hash crosses the line.
    hashed = sql.SQL("md5(ROW({})::text)").format(named(common.columns))
    if common.key:
        keys = [_ordered(connection, common, column) for column in common.key]
    else:
        keys, hashed = [sql.SQL("decode({}, 'hex')").format(hashed)], sql.SQL("''::text").format()
    return sql.SQL("SELECT {}, {}, tableoid::int8 || ' ' || ctid::text FROM {} ORDER BY {}").format(
        sql.SQL(", ").join(keys),
        hashed,
        rows_of(table, kind),
        sql.SQL(", ").join(sql.SQL(str(n + 1)) for n in range(len(keys))),
    )


def _ordered(connection: Connection, common: Common, column: str) -> sql.Composed:
    """A column of the key as something that PostgreSQL and Python put in the same order: whole numbers as
    they are, so that the key's index gives their order; everything else as the bytes of its text."""
    types = {side.columns[column].type for side in (common.live, common.restored)}
    name = sql.Identifier(column)
    if types <= set(_WHOLE):
        return sql.SQL("{}").format(name)
    text = sql.SQL("{}::text").format(name)
    if all(t.startswith("numeric") for t in types) and connection.info.server_version >= 130000:
        text = sql.SQL("trim_scale({})::text").format(name)  # 1.0 and 1.00 are the same key
    return sql.SQL("convert_to({}, getdatabaseencoding())").format(text)


def _merged(live: Iterator[Row], restored: Iterator[Row], width: int) -> Iterator[tuple[Kind, Row]]:
    """Walks down both sides at once; both must be in the order of their first `width` values."""
    here, there = next(live, None), next(restored, None)
    while here is not None or there is not None:
        if there is None or (here is not None and here[:width] < there[:width]):
            assert here is not None
            yield "extra", here
            here = next(live, None)
        elif here is None or there[:width] < here[:width]:
            yield "missing", there
            there = next(restored, None)
        else:
            if here[width] != there[width]:
                yield "changed", there
            here, there = next(live, None), next(restored, None)


def _shown(key: Row) -> str:
    values = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in key]
    return clean(values[0] if len(values) == 1 else f"({', '.join(values)})", 80)


class _Side:
    """One side, read by a thread of its own, so that both servers' sorts run at once and a wish to stop is
    heard while they do."""

    def __init__(self, connection: Connection, query: sql.Composed) -> None:
        self.read = 0
        self._connection = connection
        self._query = query
        self._batches: queue.Queue[list[Any] | BaseException] = queue.Queue(maxsize=4)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pgdr-compare")
        self._thread.start()

    def rows(self, on_wait: Callable[[], None]) -> Iterator[Row]:
        """The rows, as they come. Raises what the reading raised."""
        while True:
            try:
                batch = self._batches.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                on_wait()
                continue
            if isinstance(batch, BaseException):
                raise batch
            if not batch:
                self._thread.join()  # its cursor is closed: the session is free again
                return
            self.read += len(batch)
            on_wait()
            yield from batch

    def end(self) -> None:
        """Ends the reading, also in the middle."""
        self._ended.set()
        while self._thread.is_alive():
            with contextlib.suppress(psycopg.Error):  # it ended by itself in between
                self._connection.cancel_safe(timeout=5)
            self._thread.join(_LOOK_EVERY_S)

    def _run(self) -> None:
        try:
            with self._connection.cursor(name="pgdr_rows", binary=True) as cursor:
                cursor.execute(self._query)
                while not self._ended.is_set():
                    batch = cursor.fetchmany(_BATCH)
                    self._put(batch)
                    if not batch:
                        return
        except Exception as error:  # noqa: BLE001 - told to whoever reads the rows
            self._put(error)

    def _put(self, batch: list[Any] | BaseException) -> None:
        while not self._ended.is_set():
            try:
                self._batches.put(batch, timeout=_LOOK_EVERY_S)
            except queue.Full:
                continue
            return
