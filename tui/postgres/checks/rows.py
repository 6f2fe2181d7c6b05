"""Checks of what is in a database's tables: as many rows as were backed up, and as fresh."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from tui.model.amounts import limit, plural
from tui.model.text import clean
from tui.model.verdict import Check
from tui.postgres.checks.asking import Answer, Asking, listed
from tui.postgres.connection import Connection
from tui.postgres.facts.counting import Count, Counted, TableName, count_all

# A partitioned table holds no rows itself, and so is in no manifest: its leaves are.
_TABLE_AND_LEAVES = """
SELECT n.nspname, c.relname
  FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace
  CROSS JOIN LATERAL pg_partition_tree(p.oid) t
  JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE p.relkind = 'p' AND t.isleaf
   AND (pn.nspname || '.' || p.relname = %(name)s OR (p.relname = %(name)s AND pn.nspname = 'public'))
UNION
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r'
   AND (n.nspname || '.' || c.relname = %(name)s OR (c.relname = %(name)s AND n.nspname = 'public'))
"""


def ask_all(asking: Asking, others: Sequence[Connection] = ()) -> None:
    """Counts every table of the manifest, on `others` besides the asking's own connection.

    The fleet's key tables are a check each, the rest one check that names those which differ. Without a
    manifest only the key tables are counted, and nothing is judged.
    """
    manifest = asking.manifest
    if manifest is not None and manifest.selection == "schema":
        return
    expected = {(t.schema, t.name): t.rows for t in manifest.tables} if manifest else {}
    keys = {name: _leaves(asking, name, expected) for name in asking.database.key_tables}
    wanted = list(expected) or list(dict.fromkeys(leaf for leaves in keys.values() for leaf in leaves))
    open_keys = dict(keys)
    counts: dict[TableName, int | str] = {}

    def on_count(table: TableName, counted: Counted) -> None:
        counts[table] = counted.rows if isinstance(counted, Count) else counted
        for name, leaves in list(open_keys.items()):
            if leaves and all(leaf in counts for leaf in leaves):
                del open_keys[name]
                asking.tell(_key_check(name, leaves, expected if manifest else None, counts))

    if not asking.connection.closed:
        count_all([asking.connection, *others], wanted, on_count)
    for name in open_keys:
        asking.tell(
            Check(
                f"rows of {clean(name)}",
                False,
                "a table that was backed up" if manifest else "a table",
                "no such table" if not manifest else "no such table in the manifest or the database",
                "Mend key_tables in the configuration, or restore it again.",
            )
        )
    rest = [table for table in expected if not any(table in leaves for leaves in keys.values())]
    if rest:
        asking.tell(_rest_check(rest, expected, counts))


def _leaves(asking: Asking, name: str, expected: dict[TableName, int]) -> list[TableName]:
    named = [table for table in expected if ".".join(table) == name]
    named = named or [table for table in expected if table == ("public", name)]
    if named:
        return named
    try:
        rows = asking.connection.execute(_TABLE_AND_LEAVES, {"name": name}).fetchall()
    except psycopg.Error:  # told as a table that isn't there
        return []
    found = [(row[0], row[1]) for row in rows]
    return [table for table in found if table in expected] if expected else found


def _key_check(
    name: str,
    leaves: list[TableName],
    expected: dict[TableName, int] | None,
    counts: dict[TableName, int | str],
) -> Check:
    check = f"rows of {clean(name)}"
    wrong = [why for why in (counts[leaf] for leaf in leaves) if isinstance(why, str)]
    found = sum(rows for rows in (counts[leaf] for leaf in leaves) if isinstance(rows, int))
    wanted = (
        f"{sum(expected[leaf] for leaf in leaves):,}" if expected is not None else "not known: no manifest"
    )
    if wrong:
        return Check(check, False, wanted, f"error: {wrong[0]}")
    if expected is None:
        return Check(check, None, wanted, f"{found:,}")
    same = all(counts[leaf] == expected[leaf] for leaf in leaves)
    return Check(
        check, same, wanted, f"{found:,}", None if same else "See the restore's errors of this table."
    )


def _rest_check(
    rest: list[TableName], expected: dict[TableName, int], counts: dict[TableName, int | str]
) -> Check:
    name = f"rows of {plural(len(rest), 'other table')}"
    wanted = sum(expected[table] for table in rest)
    differ = []
    for table in rest:
        rows = counts.get(table, "not counted")
        if rows != expected[table]:
            said = f"{rows:,} of {expected[table]:,}" if isinstance(rows, int) else rows
            differ.append(f"{'.'.join(table)}: {said}")
    if differ:
        return Check(
            name,
            False,
            f"{wanted:,}",
            clean(listed(differ), 300),
            "See the restore's errors of these tables.",
        )
    return Check(name, True, f"{wanted:,}", f"{wanted:,}")


def freshness(asking: Asking) -> None:
    """For each of the fleet's freshness columns: whether its newest value lies at most the RPO before the
    backup. Without a manifest only the value is told."""
    for column in asking.database.freshness:
        *table, name = column.split(".")
        if manifest := asking.manifest:
            expected = f"at most {limit(asking.database.rpo)} before {manifest.created_at:%Y-%m-%d %H:%M} UTC"
        else:
            expected = "not known: no manifest"
        asking.ask(f"newest {column}", expected, lambda table=table, name=name: _newest(asking, table, name))  # type: ignore[misc]


def _newest(asking: Asking, table: list[str], column: str) -> Answer:
    names = table if len(table) > 1 else ["public", *table]
    query = sql.SQL("SELECT max({})::timestamptz AT TIME ZONE 'UTC' FROM {}").format(
        sql.Identifier(column), sql.Identifier(*names)
    )
    with asking.connection.transaction():
        asking.connection.execute("SET LOCAL TIME ZONE 'UTC'")  # a timestamp without a zone is taken as UTC
        newest = asking.connection.execute(query).fetchall()[0][0]
    if newest is None:
        return Answer(False, "no row", "See whether the table ought to be empty.")
    found = f"{newest:%Y-%m-%d %H:%M:%S} UTC"
    if asking.manifest is None:
        return Answer(None, found)
    age = asking.manifest.created_at.replace(tzinfo=None) - newest
    fresh = age <= asking.database.rpo
    mend = "Either nothing was written, or the backup was of something that had stopped: pick another one."
    return Answer(fresh, found, None if fresh else mend)
