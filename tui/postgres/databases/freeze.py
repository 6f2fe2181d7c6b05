"""Keeping writes out of a database, and letting them in again exactly as before.

Two ways, both of the database itself, so that they hold for every client and stay over a restart:

- `default_transaction_read_only` of the database. Sessions that are there already keep the value that they
  have; a session can set it off for itself; a role's own setting wins over the database's. It keeps out every
  application that doesn't ask for the contrary, and everyone can still read.
- `ALLOW_CONNECTIONS false`. Nobody gets in, superusers neither; sessions that are there stay.

https://www.postgresql.org/docs/current/sql-alterdatabase.html, process_settings() of postinit.c
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from psycopg import sql

from tui.model.amounts import plural
from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import Connection, connect, failures, where
from tui.postgres.databases.databases import outside
from tui.postgres.facts.facts import system_identifier

SETTING = "default_transaction_read_only"
_GONE_WITHIN_S = 10.0

_WRITES = """
SELECT d.oid::bigint, d.datname, d.datallowconn,
       (SELECT split_part(c, '=', 2) FROM pg_db_role_setting s, unnest(s.setconfig) c
         WHERE s.setdatabase = d.oid AND s.setrole = 0 AND split_part(c, '=', 1) = %(setting)s),
       current_setting(%(setting)s)::bool,
       (SELECT count(*) FROM pg_stat_activity a
         WHERE a.datid = d.oid AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid()),
       ARRAY(SELECT DISTINCT r.rolname::text
               FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c
              WHERE s.setdatabase IN (0, d.oid) AND split_part(c, '=', 1) = %(setting)s
                AND NOT split_part(c, '=', 2)::bool ORDER BY 1)
  FROM pg_database d
 WHERE CASE WHEN %(oid)s::oid IS NULL THEN d.datname = %(name)s ELSE d.oid = %(oid)s::oid END
"""

# A backup that is being taken only reads, and is wanted: it is left to its end.
_OLDER = """
SELECT pid FROM pg_stat_activity
 WHERE datid = %s::oid AND pid <> pg_backend_pid() AND usesysid IS NOT NULL AND backend_start <= %s
   AND application_name <> 'pg_dump' AND application_name NOT LIKE 'pgdr backup%%'
"""


@dataclass(frozen=True, slots=True)
class Writes:
    """Whether a database takes writes: its own `setting` (None: it has none), whether new sessions begin
    `read_only`, whether it takes `connections`, the `sessions` that are in it, and the roles that are
    `exempt` since a setting of their own lets them write."""

    oid: int
    dbname: str
    connections: bool
    setting: str | None
    read_only: bool
    sessions: int
    exempt: tuple[str, ...]
    system_identifier: str | None  # None where the role may not ask


def writes(endpoint: Endpoint, dbname: str, oid: int | None = None) -> Writes | None:
    """Given a database's name, or its oid whatever its name is now, returns whether it takes writes; None
    when there is no such database. Raises as `connect` does."""
    with (
        connect(outside(endpoint, dbname)) as connection,
        failures(f"{where(endpoint)} could not be asked."),
    ):
        return _writes(connection, dbname, oid)


def _writes(connection: Connection, dbname: str, oid: int | None) -> Writes | None:
    asked = {"setting": SETTING, "name": dbname, "oid": oid}
    row = connection.execute(_WRITES, asked).fetchone()
    if row is None:
        return None
    found, name, connections, own, default, sessions, exempt = row
    read_only = default if own is None else is_on(own)
    return Writes(
        found, name, connections, own, read_only, sessions, tuple(exempt), system_identifier(connection)
    )


def is_on(value: str) -> bool:
    """Whether PostgreSQL takes a setting's value for true: `on`, `true`, `yes`, `1`, or how they begin."""
    read = value.strip().strip("'").lower()
    return read == "1" or (bool(read) and ("true".startswith(read) or "yes".startswith(read) or read == "on"))


def put(
    endpoint: Endpoint, oid: int, dbname: str, *, setting: str | None, connections: bool, end_sessions: bool
) -> int:
    """Gives a database this own setting (None: none of its own) and lets connections in or not, in one
    transaction; with `end_sessions` ends those that began before that, but for backups. Returns how many.

    Raises PgdrError when the database is gone, the role may not (it takes the owner or a superuser), or
    sessions don't end; and as `connect` does.
    """
    with (
        connect(outside(endpoint, dbname)) as connection,
        failures(f'"{clean(dbname)}" could not be frozen or thawed.'),
    ):
        now = _writes(connection, dbname, oid)
        if now is None:
            raise PgdrError(f'The database "{clean(dbname)}" is no longer on {where(endpoint)}.')
        _require_rights(connection, now)
        with connection.transaction():
            for statement in _statements(now.dbname, setting, connections):
                connection.execute(statement)
        return _end_older(connection, oid) if end_sessions else 0


def _require_rights(connection: Connection, now: Writes) -> None:
    row = connection.execute(
        "SELECT r.rolsuper OR pg_has_role(d.datdba, 'USAGE'), o.rolname FROM pg_database d"
        " JOIN pg_roles r ON r.rolname = current_user JOIN pg_roles o ON o.oid = d.datdba"
        " WHERE d.oid = %s::oid",
        (now.oid,),
    ).fetchone()
    if row is not None and not row[0]:
        raise PgdrError(
            f'The role "{clean(connection.info.user)}" may not freeze or thaw "{clean(now.dbname)}".',
            f'It belongs to "{clean(row[1])}".',
            "Connect as its owner, a member of that role, or a superuser: user in the configuration.",
        )


def _end_older(connection: Connection, oid: int) -> int:
    """Ends the sessions that began before this moment: those that an application makes anew are frozen."""
    moment = connection.execute("SELECT clock_timestamp()").fetchall()[0][0]
    ended: set[int] = set()
    until = time.monotonic() + _GONE_WITHIN_S
    while True:
        pids = [row[0] for row in connection.execute(_OLDER, (oid, moment)).fetchall()]
        if not pids:
            return len(ended)
        if time.monotonic() > until:
            raise PgdrError(
                f"It is frozen, but {plural(len(pids), 'session')} did not end and may write still.",
                f"Process ids on the server: {', '.join(map(str, pids[:5]))}.",
                "Freeze again to try again, or look at them in pg_stat_activity.",
            )
        connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", (pids,))
        ended.update(pids)
        time.sleep(0.02)


def statements(dbname: str, setting: str | None, connections: bool) -> tuple[str, ...]:
    """Given what `put` is given, returns what it runs, as SQL that a person can run."""
    return tuple(clean(s.as_string(None)) + ";" for s in _statements(dbname, setting, connections))


def _statements(dbname: str, setting: str | None, connections: bool) -> tuple[sql.Composed, ...]:
    name = sql.Identifier(dbname)
    if setting is None:
        own = sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name)
    else:
        own = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only TO {}").format(
            name, sql.Literal(setting)
        )
    allow = (
        "ALTER DATABASE {} ALLOW_CONNECTIONS true"
        if connections
        else "ALTER DATABASE {} ALLOW_CONNECTIONS false"
    )
    return (own, sql.SQL(allow).format(name))
