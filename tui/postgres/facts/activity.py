"""A look at what goes on at a server: sessions, replication, connections, the last commit. Servers 12 to 18.

A role with few rights sees less: what it may not see is None or missing, never an error.
"""

from __future__ import annotations

from tui.model.activity import Activity, Session, Slot, Standby
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import connect, deadline, failures, where
from tui.postgres.facts.facts import one_or_none

_STATEMENT_S = 5.0
_CUT_S = 12.0

_SERVER = """
SELECT pg_postmaster_start_time(), pg_is_in_recovery(),
       (SELECT count(*) FROM pg_stat_activity
         WHERE coalesce(backend_type = 'client backend', usesysid IS NOT NULL)),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int,
       (SELECT count(*) FROM pg_prepared_xacts),
       coalesce((SELECT (to_jsonb(d)->>'checksum_failures')::bigint FROM pg_stat_database d
                  WHERE d.datname = %s), 0)
"""

_SESSIONS = """
SELECT coalesce(application_name, ''), usename, coalesce(client_hostname, host(client_addr)),
       state, backend_start, xact_start, coalesce(wait_event_type = 'Lock', false)
  FROM pg_stat_activity
 WHERE datname = %s AND pid <> pg_backend_pid()
   AND coalesce(backend_type = 'client backend', usesysid IS NOT NULL)
   AND application_name <> 'pgdr'
 ORDER BY xact_start NULLS LAST, backend_start
"""

_STANDBYS = """
SELECT coalesce(application_name, ''), coalesce(client_hostname, host(client_addr)), state, sync_state,
       extract(epoch FROM replay_lag)::float8,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint END
  FROM pg_stat_replication ORDER BY 1, 2
"""

_SLOTS = """
SELECT slot_name, active,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint END,
       to_jsonb(s)->>'wal_status'
  FROM pg_replication_slots s ORDER BY 1
"""


def activity(endpoint: Endpoint, dbname: str) -> Activity:
    """Given an endpoint and a database's name on the server, returns what goes on there. Asks the maintenance
    database, so it says who is at work in one that can't be entered too.

    Takes no longer than the connection's timeout and twelve seconds. Raises as `connect` does.
    """
    with (
        connect(endpoint, statement_timeout_s=_STATEMENT_S) as connection,
        deadline(connection, _CUT_S),
        failures(f"What goes on at {where(endpoint)} could not be read."),
    ):
        started, follows, connections, limit, prepared, broken = connection.execute(
            _SERVER, (dbname,)
        ).fetchall()[0]
        sessions = connection.execute(_SESSIONS, (dbname,)).fetchall()
        standbys = connection.execute(_STANDBYS).fetchall()
        slots = connection.execute(_SLOTS).fetchall()
        # Each by itself: refused where commit times aren't noted (track_commit_timestamp), or on a standby.
        last = one_or_none(connection, "SELECT timestamp FROM pg_last_committed_xact()")
        replayed = one_or_none(connection, "SELECT pg_last_xact_replay_timestamp()") if follows else None
    return Activity(
        started_at=started,
        connections=connections,
        limit=limit,
        sessions=tuple(Session(clean(row[0]), *row[1:]) for row in sessions),
        standbys=tuple(Standby(clean(row[0]), *row[1:]) for row in standbys),
        slots=tuple(Slot(clean(row[0]), *row[1:]) for row in slots),
        follows=follows,
        replayed_at=replayed[0] if replayed else None,
        last_commit=last[0] if last else None,
        checksum_failures=broken,
        prepared=prepared,
    )
