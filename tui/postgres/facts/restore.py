"""What of a server matters to a restore alone. It only reads; what the role may not see is None or empty."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import LiteralString

import psycopg

from tui.model.fleet import Endpoint
from tui.postgres.connection import Connection, connect, deadline, failures, where
from tui.postgres.facts.facts import STATEMENT_S, one_or_none
from tui.postgres.facts.locales import DatabaseLocale

_LOOK_S = 3 * STATEMENT_S

# A role that is no superuser may not have the last few connections; reserved_connections is there from 16 on.
_SERVER = """
SELECT pg_size_bytes(current_setting('max_wal_size')),
       (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries'),
       EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i'),
       current_setting('max_connections')::int
         - CASE WHEN r.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int
                + coalesce(current_setting('reserved_connections', true)::int, 0) END
         - (SELECT count(*) FROM pg_stat_activity
             WHERE pid <> pg_backend_pid()
               AND coalesce(backend_type = 'client backend', usesysid IS NOT NULL)),
       CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper THEN r.rolconnlimit
                - (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid AND pid <> pg_backend_pid())
        END,
       current_setting('max_locks_per_transaction')::int,
       (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = 'on')
  FROM pg_roles r WHERE r.rolname = current_user
"""

# What loads the same disks. A job's sessions bear its id: pgdr restore-20261121T031415Z-a3f2.
_AT_WORK = """
SELECT DISTINCT application_name FROM pg_stat_activity
 WHERE application_name ~ '^pgdr (restore|verify|backup)'
    OR application_name IN ('pg_restore', 'pg_dump', 'pg_dumpall', 'pg_basebackup', 'vacuumdb', 'reindexdb')
 ORDER BY 1
"""

_IDLE_SLOTS = "SELECT slot_name::text FROM pg_replication_slots WHERE NOT active ORDER BY 1"

# Which of these roles the one that restores may not give objects to. SET is asked for from 16 on.
_NOT_ITS_OWN: tuple[LiteralString, LiteralString] = (
    """
    SELECT o.rolname::text FROM pg_roles o
     WHERE o.rolname = ANY(%s) AND NOT pg_has_role(o.oid, 'MEMBER') ORDER BY 1""",
    """
    SELECT o.rolname::text FROM pg_roles o
     WHERE o.rolname = ANY(%s) AND NOT pg_has_role(o.oid, 'SET') ORDER BY 1""",
)

# Extensions that only a superuser may create; `trusted` is there from 13 on.
_SUPERUSERS_ONLY: tuple[LiteralString, LiteralString] = (
    """
    SELECT v.name::text FROM pg_available_extension_versions v
      JOIN pg_available_extensions e ON e.name = v.name AND e.default_version = v.version
     WHERE v.name = ANY(%s) AND v.superuser ORDER BY 1""",
    """
    SELECT v.name::text FROM pg_available_extension_versions v
      JOIN pg_available_extensions e ON e.name = v.name AND e.default_version = v.version
     WHERE v.name = ANY(%s) AND v.superuser AND NOT v.trusted ORDER BY 1""",
)


@dataclass(frozen=True, slots=True)
class RestoreFacts:
    """A server as one who is about to restore onto it must know it."""

    max_wal_bytes: int
    preloaded: tuple[str, ...] | None  # shared_preload_libraries, None where the role may not see it
    has_icu: bool
    free_connections: int  # that this role can still open
    locks_per_transaction: int
    at_work: tuple[str, ...]  # application names of what loads the server: other jobs, dumps
    idle_slots: tuple[str, ...]  # replication slots that nobody reads: they keep all WAL
    knows_encoding: bool
    unknown_locales: tuple[str, ...]  # of the operating system's, as far as the backup needs them
    not_its_own: tuple[str, ...]  # owners whose objects this role can't give them
    superusers_only: tuple[str, ...]  # extensions that this role can't create
    read_only_by: str | None  # where it is set that sessions write nothing, as pg_settings.source has it


def restore_facts(
    endpoint: Endpoint, locale: DatabaseLocale, owners: Collection[str], extensions: Collection[str]
) -> RestoreFacts:
    """Given how the backup's database was created, who owns what is in it and which extensions it needs,
    returns what the server says to that. Raises as `connect` does."""
    with (
        connect(endpoint, statement_timeout_s=STATEMENT_S) as connection,
        deadline(connection, _LOOK_S),
        failures(f"{where(endpoint)} could not be read."),
    ):
        wal, preloaded, icu, free, own, locks, read_only = connection.execute(_SERVER).fetchall()[0]
        version = connection.info.server_version
        superuser = connection.info.parameter_status("is_superuser") == "on"
        return RestoreFacts(
            max_wal_bytes=wal,
            preloaded=None if preloaded is None else tuple(p.strip(' "') for p in preloaded.split(",")),
            has_icu=icu,
            free_connections=free if own is None else min(free, own),
            locks_per_transaction=locks,
            at_work=_names(connection, _AT_WORK),
            idle_slots=_names(connection, _IDLE_SLOTS),
            knows_encoding=locale.encoding is None or _knows_encoding(connection, locale.encoding),
            unknown_locales=_unknown_locales(connection, locale),
            not_its_own=()
            if superuser
            else _names(connection, _NOT_ITS_OWN[version >= 160000], list(owners)),
            superusers_only=()
            if superuser
            else _names(connection, _SUPERUSERS_ONLY[version >= 130000], list(extensions)),
            read_only_by=read_only,
        )


def _names(connection: Connection, query: LiteralString, *parameters: object) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute(query, parameters or None).fetchall())


def _knows_encoding(connection: Connection, encoding: str) -> bool:
    row = one_or_none(connection, "SELECT pg_char_to_encoding(%s) >= 0", (encoding,))
    return row is None or bool(row[0])


def _unknown_locales(connection: Connection, locale: DatabaseLocale) -> tuple[str, ...]:
    """A setting that takes a locale is checked by the same function as CREATE DATABASE's (check_locale in
    pg_locale.c). It is set for one transaction, so nothing is changed."""
    unknown = []
    for name in dict.fromkeys((locale.collate, locale.ctype)):
        if not name or name in ("C", "POSIX"):
            continue
        try:
            connection.execute("SELECT set_config('lc_time', %s, true)", (name,))
        except psycopg.errors.InvalidParameterValue:
            unknown.append(name)
    return tuple(unknown)
