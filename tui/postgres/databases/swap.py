"""Putting a restored database in the live one's place, and back.

Both are closed to new sessions, emptied of those they have, and renamed and opened again in one transaction:
who connects meanwhile is refused, never led to the wrong one. https://www.postgresql.org/docs/current/sql-alterdatabase.html
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tui.model.amounts import plural
from tui.model.errors import PgdrError, Refused
from tui.model.fleet import Endpoint
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.postgres.connection import Connection, connect, failures, where
from tui.postgres.databases.databases import end_sessions, fitted, identity, outside, unfinished

Renames = tuple[tuple[str, str], ...]  # (from, to), carried out in this order

_LOCK_S = 15  # a CREATE DATABASE … TEMPLATE of one of them holds it; RENAME itself waits 5 s for sessions


@dataclass(frozen=True, slots=True)
class SwapOutcome:
    """What a swap came to: the name that the database which was live has now (None: there was none)."""

    kept_as: str | None
    sessions_ended: int
    duration_s: float


def swap(
    endpoint: Endpoint, live: str, restored: str, kept_as: str, *, closed: Collection[str] = ()
) -> SwapOutcome:
    """Renames `live` to `kept_as` (another name like it, if that is taken) and `restored` to `live`. Both
    take connections then, but for those in `closed`, by their names of before, which were frozen so.

    Without a database `live` only the second. All or nothing: when it fails, both have their names and
    take connections as before. Raises Refused when `restored` isn't there or a prepared transaction is
    in the way, PgdrError when a rename fails, and as `connect` does.
    """
    return _exchange(endpoint, live, restored, kept_as, frozenset(closed))


def undo(
    endpoint: Endpoint, live: str, kept_as: str | None, back_to: str, *, closed: Collection[str] = ()
) -> SwapOutcome:
    """Takes a swap back: renames `live` to `back_to`, and `kept_as` (None: there was none) to `live`;
    `closed` as `swap` has it.

    The outcome's `kept_as` is the name that the restored one has now. Raises as `swap` does.
    """
    return _exchange(endpoint, live, kept_as, back_to, frozenset(closed))


def open_up(endpoint: Endpoint, names: Collection[str], *, closed: Collection[str] = ()) -> None:
    """Lets those of `names` that are there take connections again, but for those in `closed`: a swap that was
    cut off has closed them. Raises PgdrError when the role may not, and as `connect` does."""
    with (
        connect(outside(endpoint, *names)) as connection,
        failures(f"{where(endpoint)} could not be asked."),
    ):
        for name in names:
            if name not in closed and identity(connection, name) is not None:
                connection.execute(_allow(name, True))


def statements(
    live: str, restored: str | None, kept_as: str | None, *, closed: Collection[str] = ()
) -> tuple[str, ...]:
    """Given the names, returns what a swap runs, as SQL that a person can run in psql; `closed` as `swap` has
    it. Without a `restored` one the live one is only put aside, as by taking back a swap that kept none."""
    renames: Renames = ((live, kept_as),) if kept_as is not None else ()
    renames += ((restored, live),) if restored is not None else ()
    names = [name for name, _ in renames]
    sessions = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ({})").format(
        sql.SQL(", ").join(sql.Literal(name) for name in names)
    )
    steps = [
        *(_allow(name, False) for name in names),
        sessions,
        sql.SQL("BEGIN"),
        *_moves(renames, closed),
        sql.SQL("COMMIT"),
    ]
    return tuple(clean(step.as_string(None)) + ";" for step in steps)


def obstacles(endpoint: Endpoint, live: str) -> tuple[Finding, ...]:
    """Given the live database's name, returns what stands in the way of renaming it (stop), and what stays
    with the old one when it is put aside (warning). Raises as `connect` does."""
    with connect(outside(endpoint, live)) as connection, failures(f"{where(endpoint)} could not be asked."):
        return (*_stops(connection, (live,)), *_replication(connection, live))


def require_fit(endpoint: Endpoint, restored: str) -> None:
    """Raises Refused when the database `restored` can't take another's place: there is none, it belongs to
    the server itself, or its restore was not finished or failed. And as `connect` does."""
    name = clean(restored)
    if restored in ("postgres", "template0", "template1", endpoint.maintenance_db):
        raise Refused(f'"{name}" belongs to the server: it is never put in the place of another.')
    with (
        connect(outside(endpoint, restored)) as connection,
        failures(f"{where(endpoint)} could not be asked."),
    ):
        there = identity(connection, restored) is not None
        why = unfinished(connection, restored)
    if not there:
        raise Refused(
            f'There is no database "{name}" on {where(endpoint)}.',
            mend="Restore a backup first: pgdr restore REF",
        )
    if why is not None:
        reset = sql.SQL("COMMENT ON DATABASE {} IS NULL").format(sql.Identifier(restored)).as_string(None)
        raise Refused(
            f'"{name}" is not fit to be put in place: {why}',
            mend="Restore again, or another backup. Only if you looked into it and want it all the same: "
            f"take the mark away in psql, {clean(reset)};",
        )


def _exchange(
    endpoint: Endpoint, live: str, successor: str | None, aside: str, closed: frozenset[str]
) -> SwapOutcome:
    """Renames `live`, if it is there, to `aside`, then `successor`, if given, to `live`."""
    began = time.monotonic()
    at = outside(endpoint, live, successor or live)
    with connect(at) as connection, failures(f'"{clean(live)}" could not be swapped.'):
        if successor is not None and identity(connection, successor) is None:
            raise Refused(f'There is no database "{clean(successor)}" on {where(endpoint)}.')
        there = identity(connection, live) is not None
        if not there and successor is None:
            raise Refused(f'There is no database "{clean(live)}" on {where(endpoint)}.')
        aside = _free_name(connection, aside)
        renames: Renames = ((live, aside),) if there else ()
        renames += ((successor, live),) if successor is not None else ()
        names = tuple(name for name, _ in renames)
        for finding in _stops(connection, names):
            raise Refused(f'"{clean(live)}" can\'t be swapped now. {finding.what}', mend=finding.mend)
        ended = _carry_out(at, connection, names, renames, closed)
    return SwapOutcome(aside if there else None, ended, time.monotonic() - began)


def _carry_out(
    endpoint: Endpoint,
    connection: Connection,
    names: tuple[str, ...],
    renames: Renames,
    closed: frozenset[str],
) -> int:
    oids = [identity(connection, name) for name in names]
    to_open = [oid for name, oid in zip(names, oids, strict=True) if oid is not None and name not in closed]
    done, ended = False, 0
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{_LOCK_S}s",))
    try:
        for name in names:
            connection.execute(_allow(name, False))
        ended = end_sessions(connection, names)
        # Opened in the same transaction: no end of this process can leave them renamed and closed.
        with connection.transaction():
            for move in _moves(renames, closed):
                connection.execute(move)
        done = True
    except psycopg.Error:
        # A connection that broke during COMMIT doesn't tell whether the server had carried it out.
        done = connection.closed and _took_place(endpoint, renames, oids)
        if not done:
            raise
    finally:
        if not done:
            _open_again(endpoint, connection, to_open)
    return ended


def _took_place(endpoint: Endpoint, renames: Renames, oids: list[int | None]) -> bool:
    """Whether each database has its new name, asked on a new connection. Raises as `connect` does: then
    nobody knows yet."""
    with connect(endpoint) as another:
        return [identity(another, new) for _, new in renames] == oids


def _moves(renames: Renames, closed: Collection[str] = ()) -> list[sql.Composed]:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    moves = [rename.format(sql.Identifier(old), sql.Identifier(new)) for old, new in renames]
    return [*moves, *(_allow(new, True) for old, new in renames if old not in closed)]


def _allow(name: str, allowed: bool) -> sql.Composed:
    text = (
        "ALTER DATABASE {} ALLOW_CONNECTIONS true" if allowed else "ALTER DATABASE {} ALLOW_CONNECTIONS false"
    )
    return sql.SQL(text).format(sql.Identifier(name))


def _open_again(endpoint: Endpoint, connection: Connection, oids: Iterable[int]) -> None:
    """Lets the databases take connections again, whatever their names are now; on a new connection if
    this one broke. Raises PgdrError saying what to type when that fails too."""
    try:
        if connection.closed:
            with connect(endpoint) as another:
                _open_those(another, oids)
        else:
            _open_those(connection, oids)
    except (PgdrError, psycopg.Error):
        failed = True
    else:
        failed = False
    if failed:
        raise PgdrError(
            "The swap failed, and the databases could not be opened to connections again.",
            None,
            "As soon as the server answers: ALTER DATABASE … ALLOW_CONNECTIONS true, for both.",
        )


def _open_those(connection: Connection, oids: Iterable[int]) -> None:
    rows = connection.execute("SELECT datname FROM pg_database WHERE oid = ANY(%s::oid[])", (list(oids),))
    for (name,) in rows.fetchall():
        connection.execute(_allow(name, True))


def _free_name(connection: Connection, wanted: str) -> str:
    name, number = wanted, 1
    while identity(connection, name) is not None:
        number += 1
        name = fitted(wanted, f"_{number}")
    return name


def _stops(connection: Connection, names: tuple[str, ...]) -> list[Finding]:
    findings = []
    prepared = connection.execute(
        "SELECT gid FROM pg_prepared_xacts WHERE database = ANY(%s) ORDER BY prepared", (list(names),)
    ).fetchall()
    if prepared:
        findings.append(
            Finding(
                Level.STOP,
                "prepared transactions",
                f"{plural(len(prepared), 'prepared transaction')} would block the rename:"
                f" {_listed(prepared)}.",
                "End each of them in its database with COMMIT PREPARED or ROLLBACK PREPARED.",
            )
        )
    # RenameDatabase() wants the owner, and CREATEDB.
    rights = connection.execute(
        "SELECT d.datname FROM pg_database d JOIN pg_roles r ON r.rolname = current_user"
        " WHERE d.datname = ANY(%s) AND NOT r.rolsuper"
        " AND NOT (r.rolcreatedb AND pg_has_role(d.datdba, 'USAGE'))",
        (list(names),),
    ).fetchall()
    if rights:
        findings.append(
            Finding(
                Level.STOP,
                "rights",
                f'The role "{clean(connection.info.user)}" may not rename {_listed(rights)}.',
                "Connect as its owner with CREATEDB, or as a superuser.",
            )
        )
    return findings


def _replication(connection: Connection, live: str) -> list[Finding]:
    findings = []
    slots = connection.execute(
        "SELECT slot_name FROM pg_replication_slots WHERE database = %s ORDER BY 1", (live,)
    ).fetchall()
    if slots:
        findings.append(
            Finding(
                Level.WARNING,
                "replication slots",
                f"{plural(len(slots), 'replication slot')} stays with the old database: {_listed(slots)}.",
                "Make new ones in the restored database for their consumers;"
                " the old one can't be dropped while it has them.",
            )
        )
    subscriptions = connection.execute(
        "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
        " WHERE d.datname = %s ORDER BY 1",
        (live,),
    ).fetchall()
    if subscriptions:
        findings.append(
            Finding(
                Level.WARNING,
                "subscriptions",
                f"{plural(len(subscriptions), 'subscription')} stays with the old database:"
                f" {_listed(subscriptions)}.",
                "Disable it there, and make it in the restored one if that shall receive the changes.",
            )
        )
    return findings


def _listed(rows: list[tuple[object, ...]]) -> str:
    names = ", ".join(clean(str(row[0])) for row in rows[:5])
    return names + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
