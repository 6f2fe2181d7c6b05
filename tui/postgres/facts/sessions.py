"""Who is in a database, who waits for whom, and ending their sessions."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import APPLICATION, connect, failures, where
from tui.postgres.databases.databases import outside

_GONE_WITHIN_S = 10.0
_QUERY = """
SELECT pid, usename, application_name, coalesce(client_hostname, host(client_addr)), state, backend_start,
       coalesce(xact_start, state_change), pg_blocking_pids(pid), coalesce(left(query, 200), '')
  FROM pg_stat_activity
 WHERE datname = %s AND pid <> pg_backend_pid() AND usesysid IS NOT NULL AND application_name <> %s
 ORDER BY xact_start NULLS LAST, backend_start, pid
"""


@dataclass(frozen=True, slots=True)
class SessionInside:
    """One session in a database. `since` is when its transaction or state began; `waits_for` are the process
    ids that hold what it waits for; `client` None: it came over a socket of the server's own machine."""

    pid: int
    user: str | None
    application: str
    client: str | None
    state: str | None
    began_at: datetime | None
    since: datetime | None
    waits_for: tuple[int, ...]
    query: str


def sessions_in(endpoint: Endpoint, dbname: str) -> tuple[SessionInside, ...]:
    """Given a database's name, returns the sessions in it, those in a transaction first, the longest of them
    first; without pgdr's own looks, which take a moment. What the role may not see of them is empty. Raises
    as `connect` does."""
    at = outside(endpoint, dbname)
    with connect(at) as connection, failures(f"The sessions at {where(endpoint)} could not be read."):
        rows = connection.execute(_QUERY, (dbname, APPLICATION)).fetchall()
    return tuple(
        SessionInside(
            pid,
            user,
            clean(app or "", 80),
            client,
            state,
            began,
            since,
            tuple(waits or ()),
            clean(query or ""),
        )
        for pid, user, app, client, state, began, since, waits, query in rows
    )


def end_sessions_in(endpoint: Endpoint, dbname: str, pids: Collection[int]) -> int:
    """Ends these sessions, if they are in that database still, waits until they are gone, and returns how
    many there were. Raises PgdrError when the role may not end one, or one stays, and as `connect` does."""
    at = outside(endpoint, dbname)
    still = (
        "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid = ANY(%s) AND pid <> pg_backend_pid()"
    )
    with connect(at) as connection, failures(f'The sessions in "{clean(dbname)}" could not be ended.'):
        there = [row[0] for row in connection.execute(still, (dbname, list(pids))).fetchall()]
        connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", (there,))
        until = time.monotonic() + _GONE_WITHIN_S
        while left := connection.execute(still, (dbname, there)).fetchall():
            if time.monotonic() > until:
                raise PgdrError(
                    f"{len(left)} sessions are still there after {_GONE_WITHIN_S:g} s.",
                    f"Process ids on the server: {', '.join(str(row[0]) for row in left[:5])}.",
                    "Look at what they do; a server that writes a checkpoint may take longer.",
                )
            time.sleep(0.02)
    return len(there)
