"""What stands around a table that rows are merged into: what it refers to, its triggers, its sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from tui.model.amounts import plural
from tui.model.text import clean
from tui.postgres.connection import Connection
from tui.postgres.facts.counting import TableName
from tui.postgres.merge.table_shape import rows_of

# One that refers to a partitioned table has a copy for each of its partitions: those are left out.
_FOREIGN_KEYS = """
SELECT k.conname::text, n.nspname::text, p.relname::text, p.relkind::text,
       (SELECT array_agg(a.attname::text ORDER BY u.place)
          FROM unnest(k.conkey) WITH ORDINALITY u(attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
       (SELECT array_agg(a.attname::text ORDER BY u.place)
          FROM unnest(k.confkey) WITH ORDINALITY u(attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum)
  FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace n ON n.oid = p.relnamespace
 WHERE k.contype = 'f' AND k.conrelid = %s::oid
   AND NOT EXISTS (SELECT FROM pg_constraint above
                    WHERE above.oid = k.conparentid AND above.conrelid = k.conrelid)
 ORDER BY 1
"""

# Those that fire in an ordinary session (O), or always (A). The bit 4 of tgtype is INSERT (pg_trigger.h).
_TRIGGERS = """
SELECT t.tgname::text, t.tgenabled::text, t.tgtype & 4 <> 0 FROM pg_trigger t
 WHERE t.tgrelid = %s::oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') ORDER BY 1
"""

_SEQUENCES = """
SELECT sn.nspname::text, s.relname::text, a.attname::text, q.seqincrement > 0
  FROM pg_depend d
  JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_sequence q ON q.seqrelid = s.oid AND NOT q.seqcycle
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
   AND d.refobjid = %s::oid
 ORDER BY 1, 2
"""

_HOLDERS = """
SELECT a.pid, a.application_name, a.state, l.relation::regclass::text
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid() AND l.relation = ANY(%s::oid[])
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND l.mode NOT IN ('AccessShareLock', 'RowShareLock') ORDER BY a.xact_start LIMIT 3
"""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """One foreign key of a table: its columns, and those of the table that it refers to."""

    name: str
    columns: tuple[str, ...]
    parent: TableName
    parent_kind: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of a person's, how it is enabled (O as usual, A always), and whether INSERT fires it."""

    name: str
    enabled: str
    on_insert: bool


def foreign_keys(connection: Connection, oid: int) -> tuple[ForeignKey, ...]:
    """The foreign keys of a table. Raises psycopg.Error."""
    return tuple(
        ForeignKey(row[0], tuple(row[4]), (row[1], row[2]), row[3], tuple(row[5]))
        for row in connection.execute(_FOREIGN_KEYS, (oid,)).fetchall()
    )


def triggers(connection: Connection, oid: int) -> tuple[Trigger, ...]:
    """A table's own triggers that are enabled, those of foreign keys aside. Raises psycopg.Error."""
    return tuple(Trigger(*row) for row in connection.execute(_TRIGGERS, (oid,)).fetchall())


def switch(connection: Connection, table: TableName, which: Sequence[Trigger], on: bool) -> None:
    """Disables triggers, or enables them as they were. Raises psycopg.Error."""
    for trigger in which:
        word = "DISABLE" if not on else "ENABLE ALWAYS" if trigger.enabled == "A" else "ENABLE"
        statement = sql.SQL("ALTER TABLE {} {} TRIGGER {}")
        connection.execute(
            statement.format(sql.Identifier(*table), sql.SQL(word), sql.Identifier(trigger.name))
        )


def holders(connection: Connection, oids: Sequence[int]) -> str | None:
    """Who holds a lock on one of the tables that keeps a merge out, in words; None when nobody does any more.

    Raises psycopg.Error."""
    rows = connection.execute(_HOLDERS, (list(oids),)).fetchall()
    if not rows:
        return None
    told = [
        f"process {pid} ({clean(name or 'no name', 40)}, {state}) on {table}"
        for pid, name, state, table in rows
    ]
    return f"{plural(len(rows), 'session')} may: " + "; ".join(told) + "."


def set_past(connection: Connection, oid: int, table: TableName, kind: str) -> tuple[str, ...]:
    """Sets the sequences of serial and identity columns past the columns' greatest values where they aren't;
    returns the names of those that were set. Raises psycopg.Error."""
    done = []
    for schema, name, column, ascending in connection.execute(_SEQUENCES, (oid,)).fetchall():
        sequence = sql.Identifier(schema, name)
        beyond = sql.SQL(">" if ascending else "<")
        statement = sql.SQL(
            "SELECT pg_catalog.setval({}::pg_catalog.regclass, at.extreme::int8)"
            " FROM (SELECT {}({}) AS extreme FROM {}) at, {} s"
            " WHERE at.extreme {} s.last_value OR (at.extreme = s.last_value AND NOT s.is_called)"
        ).format(
            sql.Literal(sequence.as_string(None)),
            sql.SQL("max" if ascending else "min"),
            sql.Identifier(column),
            rows_of(table, kind),
            sequence,
            beyond,
        )
        if connection.execute(statement).fetchone() is not None:
            done.append(f"{schema}.{name}")
    return tuple(done)


def in_order(tables: Sequence[TableName], parents: dict[TableName, set[TableName]]) -> tuple[TableName, ...]:
    """Given tables and those that each refers to, returns them with every one after what it refers to, as
    far as they don't refer to each other in a circle; else in the order given."""
    placed: list[TableName] = []
    waiting = list(dict.fromkeys(tables))
    while waiting:
        free = [t for t in waiting if not (parents.get(t, set()) - {t}) & set(waiting)]
        chosen = free or waiting[:1]
        placed += chosen
        waiting = [t for t in waiting if t not in chosen]
    return tuple(placed)
