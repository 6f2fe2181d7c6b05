"""Looking at what the database is made of, against what the last backup would make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from tui.incident.assess_tables import dotted
from tui.incident.parts import Parts
from tui.model import amounts as show
from tui.model.fleet import Database, Endpoint
from tui.model.plan import Level
from tui.model.text import clean
from tui.operations.catalogue.catalogue import Description
from tui.postgres.catalog.shape import Shape, TableName, archived_shape, live_shape

_SHOWN = 6
_MOST = 0.6
_AGAIN = "See whether a migration or a person took it away; a backup from before has it."


@dataclass(frozen=True, slots=True)
class Differences:
    """What is gone since the last backup, and what is new. Tables are "schema.table", columns with their
    table before them, indexes and constraints by their names, others in words."""

    gone: tuple[str, ...] = ()
    new_tables: tuple[str, ...] = ()
    columns_gone: tuple[str, ...] = ()
    columns_new: tuple[str, ...] = ()
    indexes_gone: tuple[str, ...] = ()
    indexes_new: tuple[str, ...] = ()
    constraints_gone: tuple[str, ...] = ()
    constraints_new: tuple[str, ...] = ()
    others_gone: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str, int, int], ...] = ()  # gone, new, columns in both, columns it had
    fewer_indexes: int = 0  # where only their numbers are known
    fewer_constraints: int = 0


def compare_shape(
    parts: Parts, endpoint: Endpoint, database: Database, last: Description, counted: Collection[str] = ()
) -> Differences:
    """Compares the live database with its last backup and tells what differs; tables of `counted` ones
    that are gone are told with their rows, elsewhere."""
    live, indexes, constraints = live_shape(endpoint, database.dbname)
    found = differences(last, live, indexes, constraints)
    for table in found.gone:
        if table not in counted:
            name = clean(table, 120)
            parts.found(Level.STOP, name, f"Table {name} is not there; the last backup has it.", _AGAIN)
    _tell(parts, found)
    return found


def differences(last: Description, live: Shape, indexes: int, constraints: int) -> Differences:
    """Given the last backup, looked into, and what the live database is made of, returns what differs. Names
    of indexes and constraints are in the archive's table of contents; where that can't be read the manifest
    tells tables, columns and numbers."""
    contents = last.contents if last.contents and not last.contents.is_partial else None
    archive = archived_shape(contents) if contents else Shape()
    manifest = last.manifest
    columns = dict(archive.columns)
    tables = set(archive.tables)
    if manifest is not None:
        tables |= {(t.schema, t.name) for t in manifest.tables}
        # The manifest knows generated columns too.
        columns |= {(t.schema, t.name): frozenset(t.columns) for t in manifest.tables if t.columns}
    gone = tables - live.tables
    columns_gone, columns_new = [], []
    for table in sorted(tables & live.tables):
        if table in columns:
            had, has = columns[table], live.columns.get(table, frozenset())
            columns_gone += [f"{dotted(table)}.{column}" for column in sorted(had - has)]
            if manifest is not None:
                columns_new += [f"{dotted(table)}.{column}" for column in sorted(has - had)]
    return Differences(
        gone=tuple(sorted(map(dotted, gone))),
        new_tables=tuple(sorted(map(dotted, live.tables - tables))) if contents else (),
        columns_gone=tuple(columns_gone),
        columns_new=tuple(columns_new),
        indexes_gone=tuple(
            sorted(
                name if schema == "public" else f"{schema}.{name}"
                for (schema, name), table in archive.indexes.items()
                if (schema, name) not in live.indexes and table not in gone
            )
        ),
        indexes_new=_names(live.indexes.keys() - archive.indexes.keys()) if contents else (),
        constraints_gone=_names(
            (schema, name)
            for schema, name in archive.constraints - live.constraints
            if not _belongs(schema, name, gone)
        ),
        constraints_new=_names(live.constraints - archive.constraints) if contents else (),
        others_gone=tuple(
            sorted(
                f"{kind} {name}" if schema in ("", "public") else f"{kind} {schema}.{name}"
                for kind, schema, name in archive.others - live.others
                if not (kind == "trigger" and _belongs(schema, name, gone))
            )
        ),
        renamed=_renamed(gone, live.tables - tables if contents else (), columns, live),
        fewer_indexes=max(0, manifest.indexes - indexes) if manifest and not contents else 0,
        fewer_constraints=max(0, manifest.constraints - constraints) if manifest and not contents else 0,
    )


def _renamed(
    gone: Collection[TableName],
    new: Collection[TableName],
    columns: Mapping[TableName, frozenset[str]],
    live: Shape,
) -> tuple[tuple[str, str, int, int], ...]:
    """The new tables that have most of the columns of one that is gone."""
    found = []
    for before in sorted(gone):
        had = columns.get(before, frozenset())
        for after in sorted(new):
            both = len(had & live.columns.get(after, frozenset()))
            if len(had) > 1 and both >= _MOST * len(had):
                found.append((dotted(before), dotted(after), both, len(had)))
    return tuple(found)


def _belongs(schema: str, tag: str, tables: Collection[TableName]) -> bool:
    """Whether "table constraint" is of one of the tables: it went with it."""
    return any(schema == s and tag.startswith(f"{name} ") for s, name in tables)


def _names(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(name if schema == "public" else f"{schema}.{name}" for schema, name in pairs))


def _tell(parts: Parts, found: Differences) -> None:
    lost: dict[str, list[str]] = defaultdict(list)
    for column in found.columns_gone:
        table, _, name = column.rpartition(".")
        lost[table].append(name)
    for table, columns in lost.items():
        word = "column" if len(columns) == 1 else "columns"
        what = f"Table {clean(table, 120)} has lost its {word} {_listed(columns)} since the last backup."
        parts.found(Level.STOP, clean(table, 120), what, _AGAIN)
    for one, several, names in (
        ("index", "indexes", found.indexes_gone),
        ("constraint", "constraints", found.constraints_gone),
    ):
        if names:
            many = (
                f"The {one} {_listed(names)} is" if len(names) == 1 else f"The {several} {_listed(names)} are"
            )
            parts.found(Level.STOP, several, f"{many} gone since the last backup.", _AGAIN)
    if found.others_gone:
        are = "is" if len(found.others_gone) == 1 else "are"
        what = f"Gone since the last backup {are}: {_listed(found.others_gone)}."
        parts.found(Level.STOP, "structure", what, _AGAIN)
    for word, number in (("index", found.fewer_indexes), ("constraint", found.fewer_constraints)):
        if number:
            what = f"There are {show.plural(number, word)} fewer than in the last backup."
            parts.found(Level.STOP, "structure", what, _AGAIN)
    for before, after, both, had in found.renamed:
        what = (
            f"Table {clean(after, 120)} has {both} of the {had} columns of {clean(before, 120)}, which is"
            " gone: it may be the same one, renamed."
        )
        mend = "ALTER TABLE … RENAME TO … puts it back, if that is all that was done."
        parts.found(Level.WARNING, clean(after, 120), what, mend)
    new = [f"table {name}" for name in found.new_tables]
    new += [f"column {name}" for name in found.columns_new]
    new += [f"index {name}" for name in found.indexes_new]
    new += [f"constraint {name}" for name in found.constraints_new]
    if new:
        parts.found(Level.OK, "structure", f"New since the last backup: {_listed(new)}.")
    elif found == Differences():
        parts.found(
            Level.OK, "structure", "Tables, columns, indexes and constraints are as in the last backup."
        )


def _listed(names: Collection[str]) -> str:
    shown = [clean(name.removeprefix("public."), 80) for name in list(names)[:_SHOWN]]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(shown) + more
