"""Checks of sequences: none behind what was backed up, none about to give a number that is taken."""

from __future__ import annotations

from psycopg import sql

from tui.model.amounts import plural
from tui.model.backup import SequenceState
from tui.postgres.catalog import catalog
from tui.postgres.checks.asking import Answer, Asking, listed

# Sequences of serial ('a') and identity ('i') columns of a kind that has a greatest value.
_OWNED = """
SELECT sn.nspname, s.relname, n.nspname, c.relname, a.attname, q.seqincrement > 0
  FROM pg_depend d
  JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_sequence q ON q.seqrelid = s.oid AND NOT q.seqcycle
  JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
   AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY 1, 2
"""

_DIRECTIONS = """
SELECT n.nspname, c.relname, q.seqincrement > 0, q.seqcycle
  FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
"""


def against_manifest(asking: Asking) -> None:
    """Every sequence of the manifest is there, and as far as it was or farther."""
    manifest = asking.manifest
    if manifest is None or manifest.selection == "schema" or not manifest.sequences:
        return
    wanted = manifest.sequences
    asking.ask("sequences", f"{plural(len(wanted), 'sequence')} at or past", lambda: _reached(asking, wanted))


def _reached(asking: Asking, wanted: tuple[SequenceState, ...]) -> Answer:
    connection = asking.connection
    directions = {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(_DIRECTIONS).fetchall()}
    there = [(s.schema, s.name) for s in wanted if (s.schema, s.name) in directions]
    states = {(s.schema, s.name): s for s in catalog.sequences(connection, there)}
    problems = []
    for state in wanted:
        name = (state.schema, state.name)
        if name not in states:
            problems.append(f"{state.schema}.{state.name} is missing")
            continue
        ascending, cycles = directions[name]
        if not cycles and not _at_or_past(states[name], state, ascending):
            at = states[name].last_value
            problems.append(f"{state.schema}.{state.name} is at {at:,}, was at {state.last_value:,}")
    if problems:
        return Answer(False, listed(problems), "Set each with setval() before anything is written.")
    return Answer(True, plural(len(wanted), "sequence"))


def _at_or_past(found: SequenceState, wanted: SequenceState, ascending: bool) -> bool:
    sign = 1 if ascending else -1
    return (sign * found.last_value, found.is_called) >= (sign * wanted.last_value, wanted.is_called)


def against_columns(asking: Asking) -> None:
    """No sequence will give a number that its own column already has."""
    asking.ask("sequences past their columns", "every one", lambda: _past_columns(asking))


def _past_columns(asking: Asking) -> Answer:
    owned = asking.connection.execute(_OWNED).fetchall()
    problems = []
    for sequence_schema, sequence, schema, table, column, ascending in owned:
        query = sql.SQL("SELECT last_value, is_called, (SELECT {}({}) FROM {}) FROM {}").format(
            sql.SQL("max" if ascending else "min"),
            sql.Identifier(column),
            sql.Identifier(schema, table),
            sql.Identifier(sequence_schema, sequence),
        )
        last, called, extreme = asking.connection.execute(query).fetchall()[0]
        if extreme is None:
            continue
        ahead = last - extreme if ascending else extreme - last
        if ahead < 0 or (ahead == 0 and not called):
            problems.append(f"{sequence_schema}.{sequence} is at {last:,}, {table}.{column} at {extreme:,}")
    if problems:
        mend = "Set each with setval() to its column's greatest value before anything is written."
        return Answer(False, listed(problems, 3), mend)
    return Answer(True, f"{plural(len(owned), 'sequence')} past")
