"""What stands in a database's own catalog, asked on an open connection.

The same questions go to the database that is dumped and to the one restored from it.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from tui.model.backup import SequenceState, TableState
from tui.postgres.connection import Connection

_SEQUENCES_A_QUERY = 200

# Tables whose rows pg_dump writes: partitions but not their parents, no temporary ones, none that an
# extension brings along (CREATE EXTENSION fills those).
_TABLES = """
SELECT n.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY c.relpages DESC, 1, 2
"""

_SEQUENCES = """
SELECT n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY 1, 2
"""

# NOT NULL is a constraint of its own from 18 on, and constraint triggers are triggers: neither is counted.
_COUNTS = """
SELECT (SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                              AND d.objid IN (c.oid, i.indexrelid) AND d.deptype = 'e')),
       (SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
           AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                              AND d.objid = c.oid AND d.deptype = 'e'))
"""

# The bootstrap superuser is in no pg_shdepend, hence the owners by themselves.
_ROLES = """
SELECT DISTINCT r.rolname::text FROM pg_roles r
 WHERE r.rolname !~ '^pg_' AND r.oid IN (
   SELECT s.refobjid FROM pg_shdepend s
    WHERE s.refclassid = 'pg_authid'::regclass
      AND (s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           OR (s.classid = 'pg_database'::regclass
               AND s.objid = (SELECT oid FROM pg_database WHERE datname = current_database())))
   UNION SELECT datdba FROM pg_database WHERE datname = current_database()
   UNION SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   UNION SELECT p.proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
          WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_')
 ORDER BY 1
"""

_MATERIALIZED_VIEWS = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' AND c.relispopulated = %s
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1
"""

# Internal triggers are those that enforce foreign keys.
_DISABLED_TRIGGERS = """
SELECT n.nspname || '.' || c.relname || ' ' || t.tgname FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE t.tgenabled = 'D' AND NOT t.tgisinternal
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1
"""

# datcollversion came with 15. The collations that come along with PostgreSQL count where something uses them.
_COLLATIONS = """
SELECT '', to_jsonb(d)->>'datcollversion' FROM pg_database d WHERE d.datname = current_database()
UNION ALL
SELECT n.nspname || '.' || c.collname, c.collversion
  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    OR EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = c.oid)
 ORDER BY 1
"""


def tables(connection: Connection) -> tuple[TableState, ...]:
    """The tables whose rows pg_dump writes, biggest first, neither counted nor measured yet (0).

    Takes no lock on them, so it waits for nobody.
    """
    rows = connection.execute(_TABLES).fetchall()
    return tuple(TableState(schema, name, 0, 0, tuple(columns)) for schema, name, columns in rows)


def sequence_names(connection: Connection) -> tuple[tuple[str, str], ...]:
    """The sequences (schema, name) whose state pg_dump writes."""
    return tuple((row[0], row[1]) for row in connection.execute(_SEQUENCES).fetchall())


def sequences(connection: Connection, names: Sequence[tuple[str, str]]) -> tuple[SequenceState, ...]:
    """The state at this moment of each of the sequences `names`: sequences know no snapshot."""
    found: list[SequenceState] = []
    one = sql.SQL("SELECT {}::text, {}::text, last_value, is_called FROM {}")
    for start in range(0, len(names), _SEQUENCES_A_QUERY):
        parts = [
            one.format(sql.Literal(schema), sql.Literal(name), sql.Identifier(schema, name))
            for schema, name in names[start : start + _SEQUENCES_A_QUERY]
        ]
        rows = connection.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
        found += [SequenceState(*row) for row in rows]
    return tuple(found)


def extensions(connection: Connection) -> dict[str, str]:
    """Extensions and their versions."""
    rows = connection.execute("SELECT extname, extversion FROM pg_extension ORDER BY 1").fetchall()
    return {row[0]: row[1] for row in rows}


def index_and_constraint_counts(connection: Connection) -> tuple[int, int]:
    """How many indexes the tables have, and how many primary keys, unique, foreign key, check and exclusion
    constraints."""
    row = connection.execute(_COUNTS).fetchall()[0]
    return row[0], row[1]


def roles(connection: Connection) -> tuple[str, ...]:
    """The roles that own something here or were granted something, without PostgreSQL's own."""
    return tuple(row[0] for row in connection.execute(_ROLES).fetchall())


def large_objects(connection: Connection) -> int:
    """How many large objects there are."""
    return int(connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchall()[0][0])


def materialized_views(connection: Connection, *, populated: bool) -> tuple[str, ...]:
    """The materialized views (`schema.name`) that hold their rows, or those that don't."""
    return tuple(row[0] for row in connection.execute(_MATERIALIZED_VIEWS, (populated,)).fetchall())


def disabled_triggers(connection: Connection) -> tuple[str, ...]:
    """The triggers (`schema.table name`) that someone has disabled."""
    return tuple(row[0] for row in connection.execute(_DISABLED_TRIGGERS).fetchall())


def collation_versions(connection: Connection) -> dict[str, str]:
    """The versions of the library that sorts, as the catalog has them: of the database's own collation (its
    name here is ""; PostgreSQL 15 and later) and of each collation (`schema.name`) that is used. Those that
    have none are left out.

    https://www.postgresql.org/docs/current/sql-altercollation.html
    """
    return {row[0]: row[1] for row in connection.execute(_COLLATIONS).fetchall() if row[1] is not None}
