"""The databases that were made from another one, known by their names (see databases.fresh_name)."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from tui.model.fleet import Endpoint
from tui.model.kept import KeptDatabase
from tui.postgres.connection import connect, failures, where
from tui.postgres.databases.databases import fitted, unfinished

_ENDING = re.compile(r"(_(restore|before|verify|drill)_(\d{8}T\d{6}Z))(_\d+)?\Z")

_QUERY = """
SELECT d.datname,
       CASE WHEN pg_has_role(d.datdba, 'USAGE') OR has_database_privilege(d.oid, 'CONNECT')
            THEN pg_database_size(d.oid) END,
       (SELECT count(*) FROM pg_stat_activity WHERE datid = d.oid AND usesysid IS NOT NULL)
  FROM pg_database d WHERE d.datname <> %s AND NOT d.datistemplate ORDER BY d.datname
"""


def kept_databases(endpoint: Endpoint, dbname: str) -> tuple[KeptDatabase, ...]:
    """Given a live database's name, returns those that were made from it and are on the server still, the
    newest first. Raises as `connect` does."""
    found = []
    with connect(endpoint) as connection, failures(f"{where(endpoint)} could not be asked."):
        for name, size, sessions in connection.execute(_QUERY, (dbname,)).fetchall():
            purpose, made_at = made_from(name, dbname)
            if made_at is not None:
                why = unfinished(connection, name)
                found.append(KeptDatabase(name, purpose, made_at, size, sessions, why))
    return tuple(sorted(found, key=lambda kept: (kept.made_at, kept.name), reverse=True))


def made_from(name: str, dbname: str) -> tuple[str, datetime | None]:
    """Given a database's name, returns for what and when it was made from `dbname`; None when it wasn't."""
    match = _ENDING.search(name)
    if match is None:
        return "", None
    ending, purpose, at, number = match.groups()
    made = fitted(dbname, ending)
    if name != (fitted(made, number) if number else made):
        return "", None
    try:
        moment = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return "", None
    return purpose, moment
