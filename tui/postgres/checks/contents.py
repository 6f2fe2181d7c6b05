"""Checks of what is in a restored database besides its tables' rows, and of what its use will rest on."""

from __future__ import annotations

from tui.model.amounts import count, plural
from tui.postgres.catalog import catalog
from tui.postgres.checks.asking import Answer, Asking, listed
from tui.postgres.commands import quoted

# Collations that this database's columns are sorted by; the server's other ones don't matter here.
_COLLATIONS = """
SELECT n.nspname || '.' || c.collname, c.collversion, pg_collation_actual_version(c.oid)
  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
 WHERE c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
   AND EXISTS (SELECT FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
                JOIN pg_namespace m ON m.oid = r.relnamespace
                WHERE a.attcollation = c.oid AND m.nspname <> 'information_schema' AND m.nspname !~ '^pg_')
 ORDER BY 1
"""

_OF_THE_DATABASE = """
SELECT datname, datcollversion, pg_database_collation_actual_version(oid)
  FROM pg_database WHERE datname = current_database()
"""

# Of a role without rights on a table pg_stats shows nothing: then the time of the last ANALYZE counts.
_NOT_ANALYZED = """
SELECT n.nspname || '.' || c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_stat_all_tables t ON t.relid = c.oid
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND pg_relation_size(c.oid) > 0
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND t.last_analyze IS NULL AND t.last_autoanalyze IS NULL
   AND NOT EXISTS (SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)
   AND EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
 ORDER BY pg_relation_size(c.oid) DESC, 1
"""


def ask_all(asking: Asking) -> None:
    """Large objects and materialized views against the manifest, collations against the system that they come
    from, and whether the planner has its statistics."""
    manifest = asking.manifest
    if manifest is not None and manifest.selection == "full":
        if (large := manifest.large_objects) is not None:
            asking.ask("large objects", count(large), lambda: _large_objects(asking, large))
        if (views := manifest.populated) is not None:
            expected = f"{plural(len(views), 'view')} with rows"
            asking.ask("materialized views", expected, lambda: _populated(asking, views))
    asking.ask("collation versions", "those of the system", lambda: _collations(asking))
    asking.ask("statistics", "of every table", lambda: _statistics(asking))


def _large_objects(asking: Asking, expected: int) -> Answer:
    found = catalog.large_objects(asking.connection)
    mend = None if found == expected else "See the restore's errors of BLOB entries, then restore again."
    return Answer(found == expected, count(found), mend)


def _populated(asking: Asking, expected: tuple[str, ...]) -> Answer:
    empty = sorted(set(expected) - set(catalog.materialized_views(asking.connection, populated=True)))
    if empty:
        return Answer(False, f"without rows: {listed(empty)}", "REFRESH MATERIALIZED VIEW each of them.")
    return Answer(True, f"{plural(len(expected), 'view')} with rows")


def _collations(asking: Asking) -> Answer:
    connection = asking.connection
    rows = connection.execute(_COLLATIONS).fetchall()
    mends = [f"ALTER COLLATION {name} REFRESH VERSION" for name, _, _ in rows]
    if connection.info.server_version >= 150000:
        of_database = connection.execute(_OF_THE_DATABASE).fetchall()[0]
        if of_database[1] != of_database[2]:
            rows.append(of_database)
            mends.append(f"ALTER DATABASE {quoted(of_database[0])} REFRESH COLLATION VERSION")
    if not rows:
        return Answer(True, "those of the system")
    said = listed(
        (f"{name} is {was or 'none'}, the system has {now or 'none'}" for name, was, now in rows), 3
    )
    # The indexes have just been built by the system's: only what is noted is out of date.
    return Answer(None, said, f"Indexes restored just now are right: {'; '.join(mends[:3])}")


def _statistics(asking: Asking) -> Answer:
    rows = asking.connection.execute(_NOT_ANALYZED).fetchall()
    if not rows:
        return Answer(True, "of every table")
    names = [row[0] for row in rows]
    return Answer(None, f"none of {listed(names)}", "ANALYZE: until then plans are guesses, and slow.")
