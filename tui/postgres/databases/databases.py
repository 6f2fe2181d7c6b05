"""Databases as wholes: made, measured, emptied of sessions, dropped, given their rights, and locked."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Literal

import psycopg
from psycopg import sql

from tui.model.errors import PgdrError, Refused
from tui.model.fleet import Endpoint
from tui.model.text import clean, rfc3339, stamp
from tui.postgres.catalog.properties import apply_properties
from tui.postgres.connection import APPLICATION, Connection, connect, deadline, failures, where
from tui.postgres.databases.creation import creation
from tui.postgres.facts.locales import PLAIN, DatabaseLocale

__all__ = [
    "NAME_BYTES",
    "Purpose",
    "apply_properties",
    "create",
    "drop",
    "end_sessions",
    "exists",
    "fitted",
    "fresh_name",
    "identity",
    "live_size_and_sessions",
    "mark_unfinished",
    "outside",
    "size",
    "target_lock",
    "terminate",
    "unfinished",
]

NAME_BYTES = 63  # NAMEDATALEN - 1: the server cuts longer names without an error
_GONE_WITHIN_S = 10.0
_UNLOCK_S = 3.0

_UNFINISHED = "pgdr: not to be used: "  # begins the comment of a database that isn't fit to be put in place

Purpose = Literal["restore", "before", "verify", "drill"]


def fresh_name(dbname: str, purpose: Purpose, moment: datetime) -> str:
    """Given a database's name, returns one for a database made from it: `shop_restore_20261121T031000Z`.

    Of a name that would be too long the end is cut, between characters, and marked with a hash of the whole.
    """
    return fitted(dbname, f"_{purpose}_{stamp(moment)}")


def fitted(name: str, ending: str) -> str:
    """Given a name and its ending, returns both within the 63 bytes that PostgreSQL keeps of a name."""
    if len((name + ending).encode()) <= NAME_BYTES:
        return name + ending
    ending = "_" + hashlib.sha256(name.encode()).hexdigest()[:4] + ending
    return name.encode()[: NAME_BYTES - len(ending.encode())].decode("utf-8", "ignore") + ending


def exists(endpoint: Endpoint, name: str) -> bool:
    """Whether the server has the database. Raises as `connect` does."""
    with connect(endpoint) as connection, failures(f"{where(endpoint)} could not be asked."):
        return identity(connection, name) is not None


def size(endpoint: Endpoint, name: str) -> int | None:
    """The database's bytes on disk, None when there is no such database. Raises as `connect` does,
    PgdrError when the role may not know."""
    found = live_size_and_sessions(endpoint, name)
    return found[0] if found else None


def live_size_and_sessions(endpoint: Endpoint, name: str) -> tuple[int, int] | None:
    """The database's bytes on disk and its sessions, None when there is no such database.

    Raises as `connect` does, PgdrError when the role may not know.
    """
    query = """
        SELECT pg_database_size(d.oid),
               (SELECT count(*) FROM pg_stat_activity
                 WHERE datid = d.oid AND pid <> pg_backend_pid() AND usesysid IS NOT NULL)
          FROM pg_database d WHERE d.datname = %s"""
    with connect(endpoint) as connection, failures(f'The size of "{clean(name)}" could not be read.'):
        row = connection.execute(query, (name,)).fetchone()
    return (row[0], row[1]) if row else None


def identity(connection: Connection, name: str) -> int | None:
    """The oid of a database, which stays when it is renamed; None when there is none of that name."""
    row = connection.execute("SELECT oid FROM pg_database WHERE datname = %s", (name,)).fetchone()
    return row[0] if row else None


def create(endpoint: Endpoint, name: str, locale: DatabaseLocale = PLAIN) -> None:
    """Makes an empty database from template0, so that nothing of this site's template1 is in it.

    What `locale` doesn't say is as in template0. Raises Refused when there is one of that name, PgdrError
    when the server can't make it so (an unknown locale, no right to), and as `connect` does.
    """
    statement = creation(name, locale)
    if len(name.encode()) > NAME_BYTES:
        raise PgdrError(f'"{clean(name)}" is longer than the {NAME_BYTES} bytes of a name.')
    with connect(endpoint) as connection, failures(f'The database "{clean(name)}" could not be made.'):
        try:
            connection.execute(statement)
            taken = False
        except psycopg.errors.DuplicateDatabase:
            taken = True
    if taken:
        raise Refused(
            f'There is a database "{clean(name)}" on {where(endpoint)} already.',
            mend="Choose another name, or drop that one if nobody needs it.",
        )


def mark_unfinished(endpoint: Endpoint, name: str, why: str | None, comment: str | None = None) -> None:
    """Writes on the server itself that a database must not be put in the place of another, and why; with
    None puts `comment`, the database's own, in the mark's place. The mark holds for every pgdr on whatever
    machine, however the one that wrote it ended.

    Raises PgdrError when the role may not, and as `connect` does.
    """
    own = None if comment is None or comment.startswith(_UNFINISHED) else comment
    text = sql.Literal(own if why is None else clean(_UNFINISHED + why, 500))
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), text)
    with connect(endpoint) as connection, failures(f'"{clean(name)}" could not be marked.'):
        connection.execute(statement)


def unfinished(connection: Connection, name: str) -> str | None:
    """Why a database must not be put in the place of another, None when nothing on the server says so."""
    row = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (name,)
    ).fetchone()
    comment = (row and row[0]) or ""
    return clean(comment.removeprefix(_UNFINISHED), 500) if comment.startswith(_UNFINISHED) else None


def drop(endpoint: Endpoint, name: str, force: bool = False, *, restored: bool = False) -> None:
    """Drops a database if it is there; `force` ends its sessions first. One that is `restored` has the
    subscriptions of the one that was backed up, which would hold it: see _unsubscribe.

    Raises PgdrError when something still holds it (sessions, prepared transactions, replication slots,
    subscriptions) or the role may not, and as `connect` does.
    """
    with connect(outside(endpoint, name)) as connection, failures(f'"{clean(name)}" could not be dropped.'):
        if restored:
            _unsubscribe(endpoint, connection, name)
        target = sql.Identifier(name)
        if not force:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(target))
        elif connection.info.server_version >= 130000:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(target))
        elif identity(connection, name) is not None:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(target))
            end_sessions(connection, (name,))
            connection.execute(sql.SQL("DROP DATABASE {}").format(target))


def _unsubscribe(endpoint: Endpoint, connection: Connection, name: str) -> None:
    """Drops the subscriptions of a restored database that are not enabled, as pg_restore leaves them.

    Their slots on the publisher are left alone: they belong to the database that was backed up.
    """
    query = """
        SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
         WHERE d.datname = %s AND NOT s.subenabled"""
    if names := [row[0] for row in connection.execute(query, (name,)).fetchall()]:
        with connect(endpoint, name) as inside:
            for subscription in map(sql.Identifier, names):
                inside.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(subscription))
                inside.execute(sql.SQL("DROP SUBSCRIPTION {}").format(subscription))


def outside(endpoint: Endpoint, *names: str) -> Endpoint:
    """Given an endpoint, returns it with a maintenance database that is none of `names`: no database
    can be renamed or dropped from within. Raises Refused when postgres and template1 are among them."""
    for maintenance in (endpoint.maintenance_db, "postgres", "template1"):
        if maintenance not in names:
            return replace(endpoint, maintenance_db=maintenance)
    raise Refused("There is no other database to work from.", mend="Set maintenance_db to another one.")


def terminate(endpoint: Endpoint, dbname: str) -> int:
    """Ends every session in a database and returns how many there were. New ones may come in meanwhile.

    Raises PgdrError when one is still there after ten seconds or the role may not end it, and as
    `connect` does.
    """
    at = outside(endpoint, dbname)
    with connect(at) as connection, failures(f'The sessions in "{clean(dbname)}" could not be ended.'):
        return end_sessions(connection, (dbname,))


def end_sessions(connection: Connection, names: tuple[str, ...]) -> int:
    """Ends every session in the databases `names` but this one, waits until they are gone, returns how many
    there were. Raises psycopg.Error as it comes, PgdrError when some are there after ten seconds."""
    # Autovacuum's workers have no user: a RENAME or DROP sends them away itself.
    query = """
        SELECT pid FROM pg_stat_activity
         WHERE datname = ANY(%s) AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"""
    ended: set[int] = set()
    until = time.monotonic() + _GONE_WITHIN_S
    while True:
        pids = [row[0] for row in connection.execute(query, (list(names),)).fetchall()]
        if not pids:
            return len(ended)
        if time.monotonic() > until:
            raise PgdrError(
                f"{len(pids)} sessions are still there after {_GONE_WITHIN_S:g} s.",
                f"Process ids on the server: {', '.join(map(str, pids[:5]))}.",
                "Stop what keeps connecting, then try again.",
            )
        connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", (pids,))
        ended.update(pids)
        time.sleep(0.02)


@contextmanager
def target_lock(endpoint: Endpoint, name: str, *, application: str = APPLICATION) -> Iterator[None]:
    """Holds the lock on a database's name for as long as the block lasts, so that two pgdr's, on whatever
    machines, don't work on it at once. The database need not exist.

    It is an advisory lock of a session in the maintenance database: it goes when this process does.
    Raises Refused, naming the holder as far as visible, and as `connect` does.
    """
    digest = hashlib.sha256(b"pgdr " + name.encode("utf-8", "surrogatepass")).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    with connect(endpoint, application=application) as connection:
        with failures(f'The lock on "{clean(name)}" could not be taken.'):
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
            holder = None if row and row[0] else _holder(connection, key)
        if holder is not None:
            raise Refused(
                f'Another pgdr works on "{clean(name)}".',
                holder,
                "Wait for it to end, or attach to its job.",
            )
        try:
            yield
        finally:
            # The server ends a session some time after its connection was closed: who comes next must not
            # find the lock still held. One that broke has lost it anyway, one that hangs is not waited for.
            with suppress(psycopg.Error, OSError), deadline(connection, _UNLOCK_S):
                connection.execute("SELECT pg_advisory_unlock(%s)", (key,))


def _holder(connection: Connection, key: int) -> str:
    # How the two halves of the key stand in pg_locks: https://www.postgresql.org/docs/current/view-pg-locks.html
    unsigned = key % 2**64
    row = connection.execute(
        "SELECT a.pid, a.application_name, a.client_addr::text, a.backend_start FROM pg_locks l"
        " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted"
        " AND l.classid = %s::oid AND l.objid = %s::oid AND l.objsubid = 1",
        (unsigned >> 32, unsigned & 0xFFFFFFFF),
    ).fetchone()
    if row is None:
        return "It has just ended."
    pid, application, client, since = row
    return (
        f"Process {pid} on the server"
        + (f' ("{clean(application)}")' if application else "")
        + (f" from {clean(client)}" if client else "")
        + (f", since {rfc3339(since.replace(microsecond=0))}." if since else ".")
    )
