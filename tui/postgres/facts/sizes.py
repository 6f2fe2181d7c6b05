"""What fills a server's disk: its databases, the write-ahead log, and what keeps that from being recycled."""

from __future__ import annotations

import psycopg

from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import connect, failures, where

_DATABASES = """
SELECT datname, CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role(datdba, 'USAGE')
                     THEN pg_database_size(oid) END
  FROM pg_database ORDER BY 2 DESC NULLS LAST, 1
"""
_SLOTS = """
SELECT slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint
  FROM pg_replication_slots WHERE NOT active AND NOT pg_is_in_recovery() AND restart_lsn IS NOT NULL
"""


def server_sizes(endpoint: Endpoint) -> tuple[tuple[str, str, int | None], ...]:
    """Given an endpoint, returns (what it is, its name, its bytes) of what takes room there, the biggest
    first.

    What the role may not know is None (a database) or left out (the log). Raises as `connect` does.
    """
    with connect(endpoint) as connection, failures(f"The sizes at {where(endpoint)} could not be read."):
        found = [("database", clean(name), size) for name, size in connection.execute(_DATABASES).fetchall()]
        try:
            row = connection.execute("SELECT sum(size)::bigint FROM pg_ls_waldir()").fetchone()
            found += [("write-ahead log", "pg_wal", row[0])] if row and row[0] is not None else []
            slots = connection.execute(_SLOTS).fetchall()
            found += [("log kept for a slot without a reader", clean(name), size) for name, size in slots]
        except psycopg.errors.InsufficientPrivilege:
            pass  # only pg_monitor's members may list the log; the databases are known all the same
    return tuple(sorted(found, key=lambda item: -(item[2] or 0)))
