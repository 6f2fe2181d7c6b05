"""Exact rows of many tables, a few at a time."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tui.model.errors import PgdrError
from tui.model.text import clean
from tui.postgres.connection import Connection, sentence

TableName = tuple[str, str]  # schema, name


@dataclass(frozen=True, slots=True)
class Count:
    """A table's exact rows, and its bytes on disk with indexes and TOAST."""

    rows: int
    size_bytes: int


Counted = Count | str  # or why it couldn't be counted

_LOOK_EVERY_S = 0.5


def count(connection: Connection, table: TableName) -> Count:
    """Given a connection, returns what it finds of the table. Partitions and children count for themselves.

    Raises psycopg.Error when it can't be read.
    """
    name = sql.Identifier(*table)
    query = sql.SQL("SELECT count(*), pg_total_relation_size({}::regclass) FROM ONLY {}")
    rows, size = connection.execute(query.format(sql.Literal(name.as_string(None)), name)).fetchall()[0]
    return Count(rows, size)


def count_all(
    connections: Sequence[Connection],
    tables: Sequence[TableName],
    on_count: Callable[[TableName, Counted], None],
    on_wait: Callable[[], None] = lambda: None,
) -> None:
    """Counts `tables` in their order, one at a time on each of `connections`.

    `on_count` is called in the caller's thread for each table when it is done, with its count or the reason
    why there is none, and `on_wait` about twice a second. What either raises ends
    the counting at once and is raised.
    """
    todo: queue.SimpleQueue[TableName] = queue.SimpleQueue()
    for table in tables:
        todo.put(table)
    done: queue.SimpleQueue[tuple[TableName, Counted]] = queue.SimpleQueue()
    stop = threading.Event()

    def work(connection: Connection) -> None:
        while not stop.is_set():
            try:
                table = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((table, count(connection, table)))
            except psycopg.Error as error:
                done.put((table, sentence(error)))

    threads = [threading.Thread(target=work, args=(c,), name="pgdr-count") for c in connections]
    for thread in threads:
        thread.start()
    left = len(tables)
    try:
        while left:
            try:
                table, counted = done.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                on_wait()
                continue
            left -= 1
            on_count(table, counted)
            on_wait()
    finally:
        stop.set()
        if left:
            for connection in connections:
                with contextlib.suppress(psycopg.Error):  # it ended by itself in between
                    connection.cancel_safe(timeout=5)
        for thread in threads:
            thread.join()


def require(table: TableName, counted: Counted) -> Count:
    """The count; raises PgdrError where there is none."""
    if isinstance(counted, Count):
        return counted
    raise PgdrError(f"The rows of {clean('.'.join(table))} could not be counted.", counted)
