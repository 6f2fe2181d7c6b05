"""What a look at a server and its databases finds.

A role with few rights sees less: what it may not see is None, never an error. Servers 12 to 18.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tui.model.errors import PgdrError
from tui.model.facts import DatabaseFacts, ServerFacts, SessionFacts, Status, TableFacts
from tui.model.fleet import Database, Endpoint
from tui.model.text import clean
from tui.postgres.connection import (
    Connection,
    DatabaseMissing,
    ServerDown,
    connect,
    deadline,
    failures,
    where,
)
from tui.postgres.programs import is_local

STATEMENT_S = 10.0  # no look needs longer on a server that is well
_CUT_S = 3 * STATEMENT_S  # for a server that has stopped and so can't stop itself


# backend_type of other roles' sessions is hidden from a role without pg_read_all_stats; usesysid isn't.
_SERVER = """
SELECT current_setting('server_version_num')::int, current_setting('server_version'),
       pg_is_in_recovery(), r.rolsuper, r.rolcreatedb OR r.rolsuper,
       current_setting('max_connections')::int,
       (SELECT count(*) FROM pg_stat_activity
         WHERE coalesce(backend_type = 'client backend', usesysid IS NOT NULL)),
       current_setting('max_locks_per_transaction')::int
         * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int),
       (SELECT setting FROM pg_settings WHERE name = 'data_directory'),
       ARRAY(SELECT datname::text FROM pg_database WHERE NOT datistemplate ORDER BY 1),
       ARRAY(SELECT rolname::text FROM pg_roles ORDER BY 1),
       ARRAY(SELECT spcname::text FROM pg_tablespace ORDER BY 1),
       ARRAY(SELECT ARRAY[name::text, default_version] FROM pg_available_extensions ORDER BY 1)
  FROM pg_roles r WHERE r.rolname = current_user
"""

_LOOK = """
SELECT d.oid, d.datallowconn, d.datconnlimit, has_database_privilege(d.oid, 'CONNECT'),
       (SELECT count(*) FROM pg_stat_activity
         WHERE datid = d.oid AND pid <> pg_backend_pid()
           AND coalesce(backend_type = 'client backend', usesysid IS NOT NULL)),
       coalesce((SELECT split_part(c, '=', 2) FROM pg_db_role_setting s, unnest(s.setconfig) c
                  WHERE s.setdatabase = d.oid AND s.setrole = 0
                    AND c LIKE 'default\\_transaction\\_read\\_only=%%' LIMIT 1),
                current_setting('default_transaction_read_only'))::bool,
       pg_is_in_recovery(), current_setting('server_version')
  FROM pg_database d WHERE d.datname = %s
"""

# reltuples is -1 where never analyzed, before 14 0 of 0 pages. Partitions count, their parents hold nothing.
_TABLES = """
SELECT n.nspname, c.relname, pg_total_relation_size(c.oid),
       CASE WHEN c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0) THEN NULL
            ELSE c.reltuples::bigint END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY 3 DESC, 1, 2
"""

# The same by the pages of the last VACUUM or ANALYZE. Takes no lock: a migration that hangs hides nothing.
_TABLES_ROUGHLY = """
SELECT n.nspname, c.relname,
       (c.relpages + coalesce(t.relpages, 0) + coalesce(i.pages, 0))::bigint
         * current_setting('block_size')::int,
       CASE WHEN c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0) THEN NULL
            ELSE c.reltuples::bigint END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN (SELECT x.indrelid, sum(k.relpages) AS pages
               FROM pg_index x JOIN pg_class k ON k.oid = x.indexrelid GROUP BY 1) i ON i.indrelid = c.oid
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY 3 DESC, 1, 2
"""

_SESSIONS = """
SELECT pid, usename, coalesce(application_name, ''), coalesce(client_hostname, host(client_addr)),
       state, backend_start
  FROM pg_stat_activity
 WHERE datname = %s AND pid <> pg_backend_pid()
   AND coalesce(backend_type = 'client backend', usesysid IS NOT NULL)
 ORDER BY backend_start, pid
"""


def server_facts(endpoint: Endpoint) -> ServerFacts:
    """Given an endpoint, returns what its server is and has. Two queries.

    Raises ServerDown, ServerRefused or DatabaseMissing (the maintenance database) as `connect` does.
    """
    with connect(endpoint, statement_timeout_s=STATEMENT_S) as connection, deadline(connection, _CUT_S):
        with failures(f"{where(endpoint)} could not be read."):
            row = connection.execute(_SERVER).fetchall()[0]
        identifier = system_identifier(connection)
        info = connection.info
        return ServerFacts(
            host=info.host or None,
            port=info.port,
            user=info.user,
            version_num=row[0],
            version=row[1].split()[0],
            system_identifier=identifier,
            in_recovery=row[2],
            is_superuser=row[3],
            can_create_db=row[4],
            max_connections=row[5],
            connections=row[6],
            max_locks=row[7],
            data_directory=row[8],
            databases=tuple(row[9]),
            roles=tuple(row[10]),
            tablespaces=tuple(row[11]),
            extensions=dict(row[12]),
            free_bytes=_free_bytes(endpoint, row[8], identifier),
        )


def system_identifier(connection: Connection) -> str | None:
    """Given a connection outside of a failed transaction, returns the cluster's identifier, None where
    the role may not ask for it."""
    row = one_or_none(connection, "SELECT system_identifier::text FROM pg_control_system()")
    return row[0] if row else None


def one_or_none(
    connection: Connection, query: LiteralString, parameters: tuple[object, ...] | dict[str, object] = ()
) -> tuple[Any, ...] | None:
    """Given a query of one row, returns the row, None where the role may not ask or it takes too long.

    In a transaction it is asked within a savepoint.
    """
    try:
        with connection.transaction():
            return connection.execute(query, parameters).fetchone()
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.QueryCanceled,
        psycopg.errors.FeatureNotSupported,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.ObjectNotInPrerequisiteState,
    ):
        return None


def look(database: Database, now: datetime) -> DatabaseFacts:
    """Given a database of the fleet and the moment, returns what one look at it finds.

    Never raises for a server that doesn't answer or refuses: the status says so, with cause and mend.
    It asks the maintenance database, and the database itself where that one can't be had. Takes
    no longer than the connection's timeout (twice, when refused) and half a minute.
    """
    endpoint = database.endpoint
    try:
        connection = _connect_for_look(endpoint, database.dbname)
        with connection, deadline(connection, _CUT_S), failures(f"{where(endpoint)} could not be read."):
            return _look(connection, database, now)
    except DatabaseMissing as error:
        return _unseen(database, now, Status.MISSING, error)
    except ServerDown as error:
        return _unseen(database, now, Status.DOWN, error)
    except PgdrError as error:  # refused, no secret to be found, a query refused
        return _unseen(database, now, Status.REFUSED, error)


def _connect_for_look(endpoint: Endpoint, dbname: str) -> Connection:
    try:
        return connect(endpoint, statement_timeout_s=STATEMENT_S)
    except ServerDown:
        raise
    except PgdrError:
        # No maintenance database, or pg_hba.conf lets the role into its own only.
        if dbname == endpoint.maintenance_db:
            raise
    return connect(endpoint, dbname, statement_timeout_s=STATEMENT_S)


def _look(connection: Connection, database: Database, now: datetime) -> DatabaseFacts:
    row = connection.execute(_LOOK, (database.dbname,)).fetchone()
    at, name = where(database.endpoint), clean(database.dbname)
    info = connection.info
    if row is None:
        return DatabaseFacts(
            database.name,
            Status.MISSING,
            now,
            f'The database "{name}" does not exist on {at}.',
            "Restore it from a backup, or mend its dbname in the configuration.",
            info.host or None,
            info.port,
        )
    oid, allowed, limit, may_connect, sessions, read_only, in_recovery, version = row
    status, why, mend, kind = Status.UP, None, None, None
    if limit == -2:  # DATCONNLIMIT_INVALID_DB
        kind = "broken"
        status, why = Status.REFUSED, "A DROP DATABASE of it was cut off: nothing can be read from it."
        mend = "Drop it, and restore it from a backup."
    elif not allowed:
        kind = "closed"
        status, why = Status.REFUSED, "It takes no connections (ALLOW_CONNECTIONS is false)."
        mend = "ALTER DATABASE … ALLOW_CONNECTIONS true; a swap that was cut off may have left it so."
    elif not may_connect:
        kind = "no right"
        status, why = Status.REFUSED, f'The role "{clean(info.user)}" has no CONNECT on it.'
        mend = "Grant the role CONNECT on the database, or connect as another role."
    # Reads every file's size: slow on a database of very many files, refused without CONNECT.
    size = one_or_none(connection, "SELECT pg_database_size(%s::oid)", (oid,))
    return DatabaseFacts(
        database=database.name,
        status=status,
        seen_at=now,
        why=why,
        mend=mend,
        host=info.host or None,
        port=info.port,
        server_version=str(version).split()[0],
        size_bytes=size[0] if size else None,
        sessions=sessions,
        read_only=read_only,
        in_recovery=in_recovery,
        kind=kind,
    )


def _unseen(database: Database, now: datetime, status: Status, error: PgdrError) -> DatabaseFacts:
    why = " ".join(part for part in (error.what, error.why) if part)
    endpoint = database.endpoint
    kind = getattr(error, "kind", None)  # the connection's failures have one, a query's haven't
    return DatabaseFacts(database.name, status, now, why, error.mend, endpoint.host, endpoint.port, kind=kind)


def schema(database: Database) -> tuple[TableFacts, ...]:
    """Given a database of the fleet, returns its tables, the biggest first, with their indexes and TOAST.

    Where a lock keeps sizes from being read within ten seconds, they are those of the last VACUUM or
    ANALYZE. Raises as `connect` does.
    """
    endpoint = database.endpoint
    with (
        connect(endpoint, database.dbname, statement_timeout_s=STATEMENT_S) as connection,
        deadline(connection, _CUT_S),
        failures(f'The tables of "{clean(database.dbname)}" could not be read.'),
    ):
        try:
            rows = connection.execute(_TABLES).fetchall()
        except psycopg.errors.QueryCanceled:
            rows = connection.execute(_TABLES_ROUGHLY).fetchall()
    return tuple(TableFacts(*row) for row in rows)


def sessions(endpoint: Endpoint, dbname: str) -> tuple[SessionFacts, ...]:
    """Given a database's name on the server, returns its client sessions but this one, the oldest first.

    Raises as `connect` does.
    """
    with (
        connect(endpoint, statement_timeout_s=STATEMENT_S) as connection,
        deadline(connection, _CUT_S),
        failures(f"The sessions on {where(endpoint)} could not be read."),
    ):
        rows = connection.execute(_SESSIONS, (dbname,)).fetchall()
    return tuple(
        SessionFacts(pid, user, clean(application), client, state, since)
        for pid, user, application, client, state, since in rows
    )


def count_tables(
    endpoint: Endpoint,
    dbname: str,
    tables: Iterable[tuple[str, str]],
    *,
    timeout_s: float | None = None,
) -> dict[tuple[str, str], int | None]:
    """Given tables (schema, name), returns the exact rows of each; None: it isn't there, or couldn't
    be counted within `timeout_s` seconds (None: however long it takes).

    Reads each table to its end. Raises as `connect` does, and ServerDown when the connection breaks.
    """
    counts: dict[tuple[str, str], int | None] = {}
    with (
        connect(endpoint, dbname, statement_timeout_s=timeout_s) as connection,
        failures(f'The rows of "{clean(dbname)}" could not be counted.'),
    ):
        for table in tables:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table))
            try:
                row = connection.execute(query).fetchone()
                counts[table] = row[0] if row else None
            except psycopg.Error:
                if connection.closed:
                    raise
                counts[table] = None  # missing, forbidden, damaged or too slow: not counted
    return counts


def _free_bytes(endpoint: Endpoint, data_directory: str | None, identifier: str | None) -> int | None:
    """Free space on the disk of the data directory, if it is certain that it lies on this machine.

    A port of this machine may lead elsewhere (a container, a tunnel), and the same path exist here:
    the cluster's identifier, the first eight bytes of global/pg_control, has to be the same.
    """
    if not is_local(endpoint) or not data_directory or identifier is None:
        return None
    try:
        with (Path(data_directory) / "global" / "pg_control").open("rb") as file:
            (found,) = struct.unpack("=Q", file.read(8))
        disk = os.statvfs(data_directory)
    except (OSError, struct.error):
        return None
    return disk.f_bavail * disk.f_frsize if str(found) == identifier else None
