"""Rows of a live database's tables, within seconds: counted where that is quick, else the planner's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.postgres.connection import Connection, connect, deadline, sentence
from tui.postgres.facts.counting import TableName
from tui.postgres.facts.facts import one_or_none

_CONNECTIONS = 2
_ESTIMATE_S = 2.0
_SPARE_S = 5.0

# What the server says of a disk that gives back what it can't be: damage, not a passing trouble.
_DAMAGED = (
    psycopg.errors.DataCorrupted,
    psycopg.errors.IndexCorrupted,
    psycopg.errors.IoError,
    psycopg.errors.UndefinedFile,
)

# By the pages that there are now, as the planner does it (estimate_rel_size in plancat.c).
_ESTIMATE = """
SELECT CASE WHEN c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0) THEN NULL
            WHEN c.relpages = 0 THEN c.reltuples::bigint
            ELSE (c.reltuples / c.relpages
                  * (pg_relation_size(c.oid) / current_setting('block_size')::int))::bigint
       END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s
"""


@dataclass(frozen=True, slots=True)
class LiveCount:
    """One table: its rows (None: not known), whether that is the planner's estimate, whether the table is
    gone, whether the server can't read it from its disk, and why there is no count."""

    table: TableName
    rows: int | None = None
    estimated: bool = False
    gone: bool = False
    unreadable: bool = False
    reason: str | None = None


def live_counts(
    endpoint: Endpoint,
    dbname: str,
    tables: Sequence[TableName],
    on_count: Callable[[LiveCount], None],
    *,
    within_s: float,
) -> None:
    """Counts `tables` of a database in their order, two at a time; `on_count` gets each as it is known, from
    several threads. What isn't counted when the time is over is estimated.

    Raises as `connect` does; what goes wrong with one table is told with it.
    """
    until = time.monotonic() + within_s
    todo = list(reversed(tables))
    turn = threading.Lock()
    errors: list[PgdrError] = []

    def work(connection: Connection) -> None:
        with connection, deadline(connection, within_s + _SPARE_S):
            while True:
                with turn:
                    if not todo:
                        return
                    table = todo.pop()
                try:
                    on_count(_count(connection, table, until))
                except psycopg.Error as error:
                    if connection.closed:
                        with turn:
                            todo.append(table)
                        return
                    on_count(LiveCount(table, reason=sentence(error)))

    def more() -> None:
        try:
            connection = connect(endpoint, dbname)
        except PgdrError as error:
            errors.append(error)  # the first connection counts them all
            return
        work(connection)

    first = connect(endpoint, dbname)
    others = [threading.Thread(target=more, daemon=True) for _ in range(min(_CONNECTIONS, len(tables)) - 1)]
    for thread in others:
        thread.start()
    work(first)
    for thread in others:
        thread.join()
    for table in reversed(todo):
        on_count(LiveCount(table, reason="the connection broke"))


def _count(connection: Connection, table: TableName, until: float) -> LiveCount:
    left = until - time.monotonic()
    if left <= 0.05:
        return _estimate(connection, table, "not counted: that would take too long")
    query = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(*table))
    try:
        _limit(connection, left)
        row = connection.execute(query).fetchone()
        return LiveCount(table, row[0] if row else None)
    except psycopg.errors.QueryCanceled:
        return _estimate(connection, table, "not counted: it would take too long, or a lock is on it")
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return LiveCount(table, gone=True)
    except _DAMAGED as error:
        return LiveCount(table, unreadable=True, reason=sentence(error))
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType) as error:
        return LiveCount(table, reason=sentence(error))


def _estimate(connection: Connection, table: TableName, why: str) -> LiveCount:
    _limit(connection, _ESTIMATE_S)
    row = one_or_none(connection, _ESTIMATE, table)
    return LiveCount(table, row[0] if row else None, estimated=True, reason=why)


def _limit(connection: Connection, seconds: float) -> None:
    connection.execute(
        "SELECT set_config('statement_timeout', %s, false)", (str(max(1, round(seconds * 1000))),)
    )


def changed_at(
    endpoint: Endpoint, dbname: str, tables: Sequence[TableName], after: datetime | None
) -> datetime | None:
    """Given tables that were changed or emptied, returns a moment at which that had happened for certain, as
    close to it as the server tells: by the commits that changed their catalog rows, where it notes
    their times (track_commit_timestamp), else by the files of the empty ones, where the role may see them
    (an empty table's file is as old as the TRUNCATE). Only what is after `after` counts; None: nothing tells.

    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-COMMIT-TIMESTAMP
    """
    found: list[datetime] = []
    with (
        connect(endpoint, dbname, statement_timeout_s=_ESTIMATE_S) as connection,
        deadline(connection, 2 * _SPARE_S),
    ):
        for table in tables[:20]:
            name = sql.Identifier(*table).as_string(connection)
            for query in (_BY_COMMITS, _BY_FILE):
                row = one_or_none(connection, query, {"table": name})
                moments = [at for at in (row[0] if row else None) or () if after is None or at > after]
                if moments:
                    found.append(min(moments))
                    break
    return min(found, default=None)


_BY_COMMITS = """
SELECT array_agg(pg_xact_commit_timestamp(x.xmin)) FILTER (WHERE pg_xact_commit_timestamp(x.xmin) IS NOT NULL)
  FROM (SELECT xmin FROM pg_class WHERE oid = to_regclass(%(table)s)
        UNION ALL
        SELECT a.xmin FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.oid = to_regclass(%(table)s) AND a.attisdropped) x
"""

_BY_FILE = """
SELECT CASE WHEN f.size = 0 THEN ARRAY[f.modification] END
  FROM pg_stat_file(pg_relation_filepath(to_regclass(%(table)s)), true) f
"""
