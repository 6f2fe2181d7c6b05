"""The databases of a server, for who doesn't know them yet."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.fleet import Endpoint
from tui.postgres.connection import Connection, connect, failures, where


@dataclass(frozen=True, slots=True)
class FoundDatabase:
    """A database that can be connected to; its size on disk in bytes where this role may know it."""

    name: str
    size_bytes: int | None


# pg_database_size wants CONNECT on the database, or pg_read_all_stats (dbsize.c).
_QUERY = """
SELECT datname,
       CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END
FROM pg_database
WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres'
ORDER BY 2 DESC NULLS LAST, 1
"""


def found_databases(endpoint: Endpoint) -> tuple[FoundDatabase, ...]:
    """Given an endpoint, returns the server's databases, the largest first, without templates and without
    `postgres`, which is there for maintenance.

    Raises ServerDown, ServerRefused, DatabaseMissing (of the maintenance database), ConfigError.
    """
    with (
        connect(endpoint) as connection,
        failures(f"The databases of {where(endpoint)} could not be listed."),
    ):
        return databases_on(connection)


def databases_on(connection: Connection) -> tuple[FoundDatabase, ...]:
    """Given a connection to a server, returns the same. Raises psycopg.Error."""
    return tuple(FoundDatabase(name, size) for name, size in connection.execute(_QUERY).fetchall())
