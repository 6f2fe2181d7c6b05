"""What a database is made of, by name: a live one's catalog and an archive's table of contents, in the same
words, so that they can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tui.model.backup import Contents, TocEntry
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.catalog import catalog
from tui.postgres.connection import connect, deadline, failures

TableName = tuple[str, str]  # schema, name

_STATEMENT_S = 8.0
_CUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Tables, and the columns of those whose are known; indexes (schema, name) with their tables where known;
    constraints as (schema, "table constraint"); everything else as (kind, schema, name): "view" and so on."""

    tables: frozenset[TableName] = frozenset()
    columns: dict[TableName, frozenset[str]] = field(default_factory=dict)
    indexes: dict[TableName, TableName | None] = field(default_factory=dict)
    constraints: frozenset[tuple[str, str]] = frozenset()
    others: frozenset[tuple[str, str, str]] = frozenset()


# As pg_dump has them in its table of contents (pg_dump.c): a constraint's index is no INDEX of its own,
# check constraints are in their table's definition, a partition's foreign keys in its parent's.
_INDEXES = """
SELECT n.nspname, c.relname FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_constraint k
                    WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""

_CONSTRAINTS = """
SELECT n.nspname, c.relname || ' ' || k.conname FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype IN ('p', 'u', 'x', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""

_OTHERS = """
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'sequence' END,
       n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm', 'S') AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
UNION ALL
SELECT 'function', n.nspname, p.proname
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
UNION ALL
SELECT 'trigger', n.nspname, c.relname || ' ' || t.tgname
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT t.tgisinternal AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
UNION ALL
SELECT 'schema', '', n.nspname FROM pg_namespace n
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
UNION ALL
SELECT 'extension', '', e.extname FROM pg_extension e
"""

_TABLES = """
SELECT n.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""

_KINDS = {
    "VIEW": "view",
    "MATERIALIZED VIEW": "materialized view",
    "SEQUENCE": "sequence",
    "FUNCTION": "function",
    "PROCEDURE": "function",
    "TRIGGER": "trigger",
    "SCHEMA": "schema",
    "EXTENSION": "extension",
}
_COPIED = re.compile(r"\ACOPY .*? \((.*)\) FROM stdin;", re.DOTALL)
_COLUMN = re.compile(r'"((?:[^"]|"")*)"|([^,\s"]+)')


def live_shape(endpoint: Endpoint, dbname: str) -> tuple[Shape, int, int]:
    """Given a database's name on the server, returns what it is made of, and how many indexes and constraints
    it has as a manifest counts them. Takes no lock on any table. Raises as `connect` does."""
    with (
        connect(endpoint, dbname, statement_timeout_s=_STATEMENT_S) as connection,
        deadline(connection, _CUT_S),
        failures(f'What "{clean(dbname)}" is made of could not be read.'),
    ):
        tables = connection.execute(_TABLES).fetchall()
        shape = Shape(
            tables=frozenset((row[0], row[1]) for row in tables),
            columns={(row[0], row[1]): frozenset(row[2]) for row in tables},
            indexes=dict.fromkeys((row[0], row[1]) for row in connection.execute(_INDEXES).fetchall()),
            constraints=frozenset((row[0], row[1]) for row in connection.execute(_CONSTRAINTS).fetchall()),
            others=frozenset((row[0], row[1], row[2]) for row in connection.execute(_OTHERS).fetchall()),
        )
        return (shape, *catalog.index_and_constraint_counts(connection))


def archived_shape(contents: Contents) -> Shape:
    """Given an archive's table of contents, returns what it would make. Columns are those of COPY statements:
    a generated column is in none of them."""
    tables: set[TableName] = set()
    columns: dict[TableName, frozenset[str]] = {}
    indexes: dict[TableName, TableName | None] = {}
    by_id: dict[int, TableName] = {}
    constraints: set[tuple[str, str]] = set()
    others: set[tuple[str, str, str]] = set()
    for entry in contents.entries:
        schema = entry.schema or ""
        if entry.desc in ("TABLE", "FOREIGN TABLE"):
            tables.add((schema, entry.name))
            by_id[entry.dump_id] = schema, entry.name
        elif entry.desc == "TABLE DATA":
            if (copied := _columns(entry)) is not None:
                columns[schema, entry.name] = copied
        elif entry.desc == "INDEX":
            # Tables come first in the table of contents, and an index depends on its own.
            owners = (by_id[d] for d in entry.dependencies if d in by_id)
            indexes[schema, entry.name] = next(owners, None)
        elif entry.desc in ("CONSTRAINT", "FK CONSTRAINT"):
            constraints.add((schema, entry.name))
        elif (kind := _KINDS.get(entry.desc)) is not None:
            others.add(_other(kind, schema, entry.name))
    return Shape(frozenset(tables), columns, indexes, frozenset(constraints), frozenset(others))


def _other(kind: str, schema: str, name: str) -> tuple[str, str, str]:
    if kind in ("schema", "extension"):
        return kind, "", name
    # A function's name has its arguments' types with it, spelled by the version that dumped it.
    return kind, schema, name.partition("(")[0] if kind == "function" else name


def _columns(entry: TocEntry) -> frozenset[str] | None:
    found = _COPIED.match(entry.copy_statement or "")
    if found is None:
        return None
    return frozenset(quoted.replace('""', '"') or plain for quoted, plain in _COLUMN.findall(found[1]))
