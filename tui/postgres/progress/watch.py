"""What the server says of a job's sessions while they work.

https://www.postgresql.org/docs/current/progress-reporting.html
"""

from __future__ import annotations

import re
import time

import psycopg

from tui.model.errors import PgdrError
from tui.model.event import Event, IndexAdvanced, LoadAdvanced, StatementSeen
from tui.model.fleet import Endpoint
from tui.postgres.connection import Connection, connect, deadline

_STATEMENT_S = 5.0
_AGAIN_AFTER_S = 3.0

# A table made in a transaction that hasn't ended is in nobody else's catalog: then the names come from the
# statement. pg_stat_progress_copy is there from 14 on.
_LOADS = """
SELECT a.pid, n.nspname, c.relname, a.query, p.tuples_processed, p.bytes_processed
  FROM pg_stat_progress_copy p JOIN pg_stat_activity a USING (pid)
  LEFT JOIN pg_class c ON c.oid = p.relid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE a.application_name = %s AND a.datname = current_database() AND p.command = 'COPY FROM'
 ORDER BY a.pid
"""

_INDEXES = """
SELECT a.pid, n.nspname, c.relname, i.relname, a.query, p.phase,
       p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total
  FROM pg_stat_progress_create_index p JOIN pg_stat_activity a USING (pid)
  LEFT JOIN pg_class c ON c.oid = p.relid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class i ON i.oid = p.index_relid
 WHERE a.application_name = %s AND a.datname = current_database()
 ORDER BY a.pid
"""

# leader_pid (a parallel helper's) is there from 13 on; backend_type tells it apart on every version.
_STATEMENTS = """
SELECT a.pid, a.query, coalesce(extract(epoch FROM clock_timestamp() - a.query_start), 0)::float8,
       CASE WHEN a.wait_event_type <> 'Client' THEN a.wait_event_type || ': ' || a.wait_event END
  FROM pg_stat_activity a
 WHERE a.application_name = %s AND a.datname = current_database() AND a.state = 'active'
   AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
 ORDER BY a.pid
"""

_NAME = r'(?:"(?:[^"]|"")+"|[^\s".,();]+)'
_TABLE = rf"(?:(?P<schema>{_NAME})\.)?(?P<table>{_NAME})"
_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        rf"\s*COPY {_TABLE}",
        rf"\s*CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?(?P<name>{_NAME})"
        rf" ON (?:ONLY )?{_TABLE}",
        rf"\s*ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_TABLE}\s+ADD CONSTRAINT (?P<name>{_NAME})",
        rf"\s*ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_TABLE}",
        rf"\s*(?:ANALYZE|REFRESH MATERIALIZED VIEW|TRUNCATE TABLE(?: ONLY)?|CREATE TABLE) {_TABLE}",
        rf"\s*CREATE (?:CONSTRAINT )?TRIGGER (?P<name>{_NAME}) .*? ON {_TABLE}",
    )
)


class Watcher:
    """Watches the sessions of `application` in the database `dbname`, on a connection of its own.

    No call raises: who watches must not hurt what is watched. A connection that is lost, or can't be had yet,
    is tried again with the first poll after three seconds.
    """

    def __init__(self, endpoint: Endpoint, dbname: str, application: str) -> None:
        self._endpoint = endpoint
        self._dbname = dbname
        self._application = application
        self._connection: Connection | None = None
        self._not_before = 0.0

    def poll(self) -> list[Event]:
        """What the job's sessions are at: a LoadAdvanced for each COPY into a table, an IndexAdvanced for
        each index that is built, a StatementSeen for each other statement.

        Takes five seconds at the very worst, and the connection's timeout when that has to be made.
        """
        connection = self._connected()
        if connection is None:
            return []
        try:
            with deadline(connection, _STATEMENT_S):
                return _events(connection, self._application)
        except psycopg.Error:
            self.close()
            self._not_before = time.monotonic() + _AGAIN_AFTER_S
            return []

    def close(self) -> None:
        """Ends the watcher's connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection | None:
        if self._connection is None and time.monotonic() >= self._not_before:
            try:
                self._connection = connect(
                    self._endpoint, self._dbname, application="pgdr watch", statement_timeout_s=_STATEMENT_S
                )
            except PgdrError:
                self._not_before = time.monotonic() + _AGAIN_AFTER_S
        return self._connection


def _events(connection: Connection, application: str) -> list[Event]:
    events: list[Event] = []
    told: set[int] = set()
    if connection.info.server_version >= 140000:
        for pid, schema, table, query, rows, loaded in connection.execute(_LOADS, (application,)).fetchall():
            told.add(pid)
            from_query = named(query)
            events.append(
                LoadAdvanced(schema or from_query[0] or "", table or from_query[1] or "", rows, loaded)
            )
    for row in connection.execute(_INDEXES, (application,)).fetchall():
        pid, schema, table, index, query, stage, blocks, all_blocks, tuples, all_tuples = row
        told.add(pid)
        from_query = named(query)
        events.append(
            IndexAdvanced(
                schema or from_query[0] or "",
                table or from_query[1] or "",
                index or from_query[2] or "",
                stage,
                blocks,
                all_blocks,
                tuples,
                all_tuples,
            )
        )
    for pid, query, running_s, wait in connection.execute(_STATEMENTS, (application,)).fetchall():
        if pid not in told:
            schema, table, name = named(query)
            # Of a statement of another shape only its first words: what follows may be data.
            words = re.match(r"\s*([A-Za-z_]+(?:\s+[A-Za-z_]+)?)", query)
            name = name or (words.group(1)[:40] if words and not table else None)
            events.append(StatementSeen(schema, table, name, running_s, wait))
    return events


def named(query: str) -> tuple[str | None, str | None, str | None]:
    """Given a statement as pg_restore and pg_dump write them, returns the schema, the table and the name
    of the index, constraint or trigger that it is about; None for what it doesn't say."""
    for shape in _SHAPES:
        match = shape.match(query)
        if match:
            found = match.groupdict()
            return _plain(found["schema"]), _plain(found["table"]), _plain(found.get("name"))
    return None, None, None


def _plain(name: str | None) -> str | None:
    if name is None or not name.startswith('"'):
        return name
    return name[1:-1].replace('""', '"')
