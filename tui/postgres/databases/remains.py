"""What an interrupted restore has left in its database: what is whole there, and how the rest is cleared.

pg_restore loads a table by one COPY and makes an index or a constraint by one statement, so each is there
whole or not at all. A server that crashed may have lost the last commits that it had confirmed
(synchronous_commit = off), so nothing is taken for done that can be looked at and isn't there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import Connection, connect, failures
from tui.postgres.databases.databases import outside

TableName = tuple[str, str]  # schema, name

_TABLES_A_QUERY = 200

_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')"""

_FILLED_VIEWS = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' AND c.relispopulated"""

# The index of a partitioned table isn't valid before those of all partitions are attached.
_INDEXES = """
SELECT n.nspname, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indisvalid OR c.relkind = 'I'"""

_CONSTRAINTS = """
SELECT n.nspname, c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace"""

# A partition's is dropped with that of the table it is a part of.
_FOREIGN_KEYS = """
WITH RECURSIVE wanted AS (
  SELECT c.oid FROM unnest(%s::text[], %s::text[]) t(schema, name)
    JOIN pg_namespace n ON n.nspname = t.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name),
key AS (
  SELECT k.oid, k.conparentid FROM pg_constraint k
   WHERE k.contype = 'f' AND EXISTS (SELECT FROM wanted w WHERE w.oid IN (k.conrelid, k.confrelid))
   UNION
  SELECT p.oid, p.conparentid FROM key JOIN pg_constraint p ON p.oid = key.conparentid)
SELECT n.nspname, c.relname, k.conname FROM key JOIN pg_constraint k USING (oid)
  JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.conparentid = 0"""

# An extension's own tables of which pg_dump writes some rows: those that the user has put there. The
# condition is a WHERE clause, as the extension wrote it; pg_dump adds it to its queries in the same way.
_EXTENSIONS = """
SELECT n.nspname, c.relname, k.condition
  FROM pg_extension e, unnest(e.extconfig, e.extcondition) k(relation, condition)
  JOIN pg_class c ON c.oid = k.relation JOIN pg_namespace n ON n.oid = c.relnamespace"""

# Its statements end with it. Only a job's own: a person's look into the database is left alone.
_END_JOBS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = %s AND application_name LIKE 'pgdr %%' AND pid <> pg_backend_pid()"""


@dataclass(frozen=True, slots=True)
class Remains:
    """What is whole in a database: tables, views and sequences that exist, tables that hold rows, filled
    materialized views, indexes (schema, name), constraints (schema, table, name), any large object; and
    the tables that extensions have brought along, with rows of their own among those that are restored."""

    relations: frozenset[TableName]
    with_rows: frozenset[TableName]
    filled_views: frozenset[TableName]
    indexes: frozenset[TableName]
    constraints: frozenset[tuple[str, str, str]]
    large_objects: bool
    extensions_tables: frozenset[TableName]


def end_jobs(endpoint: Endpoint, target: str) -> int:
    """Ends what sessions of earlier jobs are still at work in `target`, waits until they are gone, and
    returns how many there were. Raises PgdrError when one doesn't go, and as `connect` does."""
    what = f'The sessions of an earlier job in "{clean(target)}" could not be ended.'
    with connect(outside(endpoint, target)) as connection, failures(what):
        count: int = _one(connection, _END_JOBS, (target,))
        for _ in range(100):
            if not _one(connection, _END_JOBS, (target,)):
                return count
            connection.execute("SELECT pg_sleep(0.1)")
    raise PgdrError(what, "They are still there after 10 s.", "See pg_stat_activity on the server.")


def clear(endpoint: Endpoint, target: str, tables: Sequence[TableName]) -> None:
    """Empties `tables` of the database `target`, so that they can be loaded anew. Foreign keys from or to
    them go first: they hinder that, and come last in a restore; what is missing is made again. Of an
    extension's table only the rows that pg_dump writes are removed.

    Raises PgdrError when the role may not, and as `connect` does.
    """
    schemas, names = [t[0] for t in tables], [t[1] for t in tables]
    with connect(endpoint, target) as connection, failures(f'"{clean(target)}" could not be cleared.'):
        for schema, table, key in connection.execute(_FOREIGN_KEYS, (schemas, names)).fetchall():
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}")
            connection.execute(statement.format(sql.Identifier(schema, table), sql.Identifier(key)))
        conditions = {(r[0], r[1]): r[2] or "" for r in connection.execute(_EXTENSIONS).fetchall()}
        for name in tables:
            if name in conditions:
                delete = sql.SQL("DELETE FROM ONLY {} ").format(sql.Identifier(*name)).as_string(connection)
                connection.execute((delete + conditions[name]).encode())
            else:
                connection.execute(sql.SQL("TRUNCATE TABLE ONLY {}").format(sql.Identifier(*name)))


def remains(endpoint: Endpoint, target: str, tables: Iterable[TableName]) -> Remains:
    """Returns what is whole in the database `target`; of `tables`, which of them hold rows.

    Raises PgdrError when the role may not look, and as `connect` does.
    """
    with connect(endpoint, target) as connection, failures(f'"{clean(target)}" could not be looked into.'):
        relations = _pairs(connection, _TABLES)
        return Remains(
            relations=relations,
            with_rows=_with_rows(connection, sorted(relations.intersection(tables))),
            filled_views=_pairs(connection, _FILLED_VIEWS),
            indexes=_pairs(connection, _INDEXES),
            constraints=frozenset((r[0], r[1], r[2]) for r in connection.execute(_CONSTRAINTS).fetchall()),
            large_objects=bool(_one(connection, "SELECT count(*) FROM pg_largeobject_metadata", ())),
            extensions_tables=_pairs(connection, _EXTENSIONS),
        )


def _with_rows(connection: Connection, tables: Sequence[TableName]) -> frozenset[TableName]:
    """The first row of a table that was loaded is found at once, however large it is."""
    found: set[TableName] = set()
    for at in range(0, len(tables), _TABLES_A_QUERY):
        part = tables[at : at + _TABLES_A_QUERY]
        asked = (
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM ONLY {})").format(
                sql.Literal(at + place), sql.Identifier(*table)
            )
            for place, table in enumerate(part)
        )
        query = sql.SQL(" UNION ALL ").join(asked)
        found.update(tables[row[0]] for row in connection.execute(query).fetchall())
    return frozenset(found)


def _pairs(connection: Connection, query: LiteralString) -> frozenset[TableName]:
    return frozenset((row[0], row[1]) for row in connection.execute(query).fetchall())


def _one(connection: Connection, query: LiteralString, values: tuple[str, ...]) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0
