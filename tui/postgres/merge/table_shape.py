"""What a table is made of, as far as comparing and merging its rows needs to know."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from tui.postgres.connection import Connection
from tui.postgres.facts.counting import TableName

_TABLE = """
SELECT c.oid::int8, c.relkind::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %s AND c.relname = %s AND c.relkind NOT IN ('i', 'I', 'c', 't')
"""

_COLUMNS = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.atttypid::int8, a.attnotnull,
       a.attgenerated::text, a.attidentity::text, a.atthasdef
  FROM pg_attribute a WHERE a.attrelid = %s::oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""

# Unique indexes over whole columns; the primary key first, then the narrowest.
_KEYS = """
SELECT x.relname::text, i.indisprimary, i.indimmediate,
       (SELECT array_agg(a.attname::text ORDER BY k.place)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE k.place <= i.indnkeyatts)
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
 WHERE i.indrelid = %s::oid AND i.indisunique AND i.indisvalid
   AND i.indpred IS NULL AND i.indexprs IS NULL
 ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid
"""

_ALL = """
SELECT n.nspname::text, c.relname::text, c.relispartition
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `generated` follows from others; `always` is an identity that takes no value by itself."""

    name: str
    type: str
    type_oid: int
    not_null: bool
    generated: bool
    identity: bool
    always: bool
    has_default: bool


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """A unique index over whole columns."""

    name: str
    primary: bool
    immediate: bool
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's columns by name, in their order, and its unique indexes."""

    oid: int
    kind: str  # as in pg_class: r table, p partitioned, v view, m materialized view, f foreign, S sequence
    columns: dict[str, Column]
    unique: tuple[UniqueIndex, ...]


def shape(connection: Connection, table: TableName) -> Shape | None:
    """The table's shape, None when there is none of that name. Raises psycopg.Error."""
    found = connection.execute(_TABLE, table).fetchone()
    if found is None:
        return None
    oid, kind = found
    columns = {
        row[0]: Column(
            row[0], row[1], row[2], row[3], bool(row[4].strip()), bool(row[5].strip()), row[5] == "a", row[6]
        )
        for row in connection.execute(_COLUMNS, (oid,)).fetchall()
    }
    keys = connection.execute(_KEYS, (oid,)).fetchall()
    return Shape(oid, kind, columns, tuple(UniqueIndex(n, p, i, tuple(c or ())) for n, p, i, c in keys))


def all_tables(connection: Connection) -> dict[TableName, bool]:
    """Every table that holds rows of its own or in its partitions, with whether it is a partition itself.
    Raises psycopg.Error."""
    return {(row[0], row[1]): row[2] for row in connection.execute(_ALL).fetchall()}


def rows_of(table: TableName, kind: str) -> sql.Composed:
    """What stands after FROM: the table without tables that inherit from it, but with its partitions."""
    only = sql.SQL("" if kind == "p" else "ONLY ")
    return sql.SQL("{}{}").format(only, sql.Identifier(*table))


def named(columns: tuple[str, ...], of: str | None = None) -> sql.Composed:
    """Column names, quoted, with commas between; `of` is the alias of their table."""
    before = (of,) if of else ()
    return sql.SQL(", ").join(sql.Identifier(*before, c) for c in columns)
