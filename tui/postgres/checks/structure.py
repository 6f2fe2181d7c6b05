"""Checks of what a database is made of."""

from __future__ import annotations

from typing import LiteralString

from tui.model.amounts import plural
from tui.model.backup import Manifest
from tui.postgres.catalog import catalog
from tui.postgres.checks.asking import Answer, Asking, listed

# Not of partitioned indexes: one is invalid as long as a partition has no index for it, also in the source.
_INVALID_INDEXES = """
SELECT n.nspname || '.' || c.relname FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'i' AND NOT (i.indisvalid AND i.indisready)
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1
"""

_NOT_VALIDATED = """
SELECT n.nspname || '.' || c.relname || ' ' || k.conname FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT k.convalidated AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1
"""

# Internal triggers are those that enforce foreign keys: pg_dump never writes them as disabled.
_DISABLED_TRIGGERS = """
SELECT n.nspname || '.' || c.relname || ' ' || t.tgname, t.tgisinternal FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE t.tgenabled = 'D' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1
"""


def ask_all(asking: Asking) -> None:
    """Tables, columns, indexes, constraints and extensions against the manifest, as far as its selection
    covers them; then what must not be in any database that is to be used."""
    manifest = asking.manifest
    if manifest is not None:
        asking.ask("tables", plural(len(manifest.tables), "table"), lambda: _tables(asking, manifest))
        columns = sum(len(t.columns) for t in manifest.tables)
        if columns:
            asking.ask("columns", plural(columns, "column"), lambda: _columns(asking, manifest))
        if manifest.selection in ("full", "schema"):
            asking.ask("extensions", _versions(manifest.extensions), lambda: _extensions(asking, manifest))
            asking.ask("indexes", plural(manifest.indexes, "index"), lambda: _indexes(asking, manifest))
            asking.ask(
                "constraints",
                plural(manifest.constraints, "constraint"),
                lambda: _constraints(asking, manifest),
            )
    asking.ask("invalid indexes", "none", lambda: _invalid_indexes(asking))
    asking.ask("constraints not validated", "none", lambda: _not_validated(asking))
    asking.ask("disabled triggers", "none", lambda: _disabled_triggers(asking))


def _tables(asking: Asking, manifest: Manifest) -> Answer:
    present = {(t.schema, t.name) for t in catalog.tables(asking.connection)}
    missing = sorted({(t.schema, t.name) for t in manifest.tables} - present)
    if missing:
        return Answer(False, f"missing: {listed('.'.join(name) for name in missing)}", "Restore it again.")
    return Answer(True, plural(len(manifest.tables), "table"))


def _columns(asking: Asking, manifest: Manifest) -> Answer:
    present = {(t.schema, t.name): set(t.columns) for t in catalog.tables(asking.connection)}
    differences, same = [], 0
    for table in manifest.tables:
        found = present.get((table.schema, table.name))
        if found is None or not table.columns:
            continue  # told under tables; a manifest without columns has nothing to say
        for word, names in (
            ("lacks", set(table.columns) - found),
            ("has besides", found - set(table.columns)),
        ):
            if names:
                differences.append(f"{table.schema}.{table.name} {word} {listed(sorted(names), 3)}")
        same += len(found & set(table.columns))
    return Answer(not differences, listed(differences) if differences else plural(same, "column"))


def _versions(extensions: dict[str, str]) -> str:
    return listed((f"{name} {version}" for name, version in sorted(extensions.items())), 8) or "none"


def _extensions(asking: Asking, manifest: Manifest) -> Answer:
    found = catalog.extensions(asking.connection)
    missing = sorted(set(manifest.extensions) - set(found))
    if missing:
        return Answer(
            False, f"missing: {listed(missing)}", "Install them on the server, then CREATE EXTENSION."
        )
    other = [f"{n} is {found[n]}, was {v}" for n, v in sorted(manifest.extensions.items()) if found[n] != v]
    if other:
        # CREATE EXTENSION takes the version that the server has: harmless for most, not for all.
        return Answer(None, listed(other), "Read these extensions' notes on the change of version.")
    return Answer(True, _versions({name: found[name] for name in manifest.extensions}))


def _indexes(asking: Asking, manifest: Manifest) -> Answer:
    found, _ = catalog.index_and_constraint_counts(asking.connection)
    return Answer(found >= manifest.indexes, plural(found, "index"), _again(found, manifest.indexes))


def _constraints(asking: Asking, manifest: Manifest) -> Answer:
    _, found = catalog.index_and_constraint_counts(asking.connection)
    return Answer(
        found >= manifest.constraints, plural(found, "constraint"), _again(found, manifest.constraints)
    )


def _again(found: int, expected: int) -> str | None:
    return None if found >= expected else "See the restore's errors for those that could not be made."


def _names(asking: Asking, query: LiteralString) -> list[str]:
    return [row[0] for row in asking.connection.execute(query).fetchall()]


def _invalid_indexes(asking: Asking) -> Answer:
    names = _names(asking, _INVALID_INDEXES)
    return Answer(not names, listed(names) or "none", "REINDEX INDEX each of them." if names else None)


def _not_validated(asking: Asking) -> Answer:
    names = _names(asking, _NOT_VALIDATED)
    if not names:
        return Answer(True, "none")
    # pg_dump writes NOT VALID where it was so, and nothing else makes it so: no fault of the restore's.
    return Answer(
        None, listed(names), "They were so when the backup was taken. ALTER TABLE … VALIDATE CONSTRAINT."
    )


def _disabled_triggers(asking: Asking) -> Answer:
    rows = asking.connection.execute(_DISABLED_TRIGGERS).fetchall()
    names = [row[0] for row in rows]
    if any(internal for _, internal in rows):
        return Answer(False, listed(names), "Foreign keys aren't enforced: ALTER TABLE … ENABLE TRIGGER ALL.")
    known = asking.manifest.disabled_triggers if asking.manifest else None
    if known is None and names:
        return Answer(
            None, listed(names), "They were so when the backup was taken, or someone disabled them."
        )
    others = [name for name in names if name not in (known or ())]
    if others:
        return Answer(False, listed(others), "They were not when the backup was taken: ENABLE TRIGGER each.")
    return Answer(True, f"those of the backup: {listed(names)}" if names else "none")
