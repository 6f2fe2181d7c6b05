"""Schemas that an archive of single tables needs and doesn't hold: `pg_dump --table` leaves them out."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import sql

from tui.model.backup import Contents
from tui.model.event import Item
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import connect, failures

_ALWAYS_THERE = frozenset({"", "public", "pg_catalog", "information_schema"})
# What makes schemas: an archive with any of these isn't one of single tables, and an extension's own schema
# must not be there before it.
_MAKERS = frozenset({"SCHEMA", "EXTENSION"})


def missing_schemas(contents: Contents, todo: Collection[Item]) -> tuple[str, ...]:
    """Given an archive and what will be restored of it, returns the schemas that have to be made first: those
    of its tables, where the archive is one of single tables."""
    if any(entry.desc in _MAKERS for entry in contents.entries):
        return ()
    return tuple(sorted({item.schema or "" for item in todo} - _ALWAYS_THERE))


def schema_text(name: str) -> str:
    """Given a schema's name, returns the statement that makes it, as SQL that a person can run."""
    return _statement(name).as_string(None)


def make_schemas(endpoint: Endpoint, dbname: str, names: Collection[str]) -> None:
    """Makes the schemas that aren't there yet in a database, owned by the role that restores.

    Raises PgdrError when the role may not or the name can't be one, and as `connect` does.
    """
    if not names:
        return
    with connect(endpoint, dbname) as connection:
        for name in names:
            with failures(f'The schema "{clean(name)}" could not be made in "{clean(dbname)}".'):
                connection.execute(_statement(name))


def _statement(name: str) -> sql.Composed:
    return sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name))
