"""What pg_restore will do with an archive, item by item, and the list that makes it do only a part.

Which entries count follows pg_backup_archiver.c (_tocEntryRequired without --create,
_tocEntryRestorePass): so that what was announced and what is done can be compared by number.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable

from tui.model.backup import ArchiveFormat, Contents, Manifest, TocEntry
from tui.model.errors import UsageError
from tui.model.event import Item, Phase
from tui.model.text import clean
from tui.postgres.archive.archive import data_sizes

_SPECIAL = frozenset({"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES", "<Init>"})
_ATTRIBUTES = frozenset({"ACL", "COMMENT", "SECURITY LABEL", "STATISTICS DATA"})
_ACLS = frozenset({"ACL", "ACL LANGUAGE", "DEFAULT ACL"})
_LATE = frozenset({"EVENT TRIGGER", "MATERIALIZED VIEW DATA"})
_LARGE_OBJECTS = frozenset({"BLOB", "BLOB METADATA"})
_CONSTRAINTS = frozenset({"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT"})
_RELATIONS = frozenset({"TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW"})
_PRE_DATA, _DATA, _POST_DATA = 2, 3, 4

_INDEXES = frozenset({"INDEX", "CONSTRAINT"})
_HOLDING = _RELATIONS | {"SEQUENCE"}

# What belongs to a table and comes along when the table alone is restored.
_BELONGINGS = frozenset(
    {
        "TABLE DATA", "TABLE ATTACH", "DEFAULT", "SEQUENCE", "SEQUENCE OWNED BY", "SEQUENCE SET", "INDEX",
        "INDEX ATTACH", "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "TRIGGER", "RULE", "POLICY",
        "ROW SECURITY", "STATISTICS", "MATERIALIZED VIEW DATA",
    }
)  # fmt: skip

_NAME = r'(?:"(?:[^"]|"")*"|[^\s".(]+)'
_ON_TABLE = re.compile(rf"\bON (?:ONLY )?(?:{_NAME}\.)?({_NAME}) USING ")
_ALTER_TABLE = re.compile(rf"\s*ALTER (?:FOREIGN )?TABLE (?:ONLY )?(?:{_NAME}\.)?({_NAME})\s")


def items(
    contents: Contents, archive_bytes: int, manifest: Manifest | None, tables: tuple[str, ...] = ()
) -> tuple[Item, ...]:
    """Given an archive's contents, its size and its manifest, returns what pg_restore (without
    --create) will do, in the order in which it begins when it works alone.

    With `tables` (`schema.table`, or `table` where only one has that name), only these: with what they
    need to exist, and their data, defaults, sequences, indexes, constraints, triggers, rights and
    comments; foreign keys whose both ends are among them; the partitions of a partitioned one.
    Raises UsageError when a table isn't in the archive.
    """
    entries = restored(contents)
    if tables and contents.format is ArchiveFormat.PLAIN:
        raise UsageError(
            "Single tables can't be taken out of plain SQL: nothing in it says what belongs to a table.",
            mend="Restore all of it beside the live database; then pgdr compare and pgdr merge take tables.",
        )
    if tables:
        chosen = _closure(contents, _find_tables(contents, tables))
        entries = tuple(e for e in entries if e.dump_id in chosen)
    by_id = {e.dump_id: e for e in contents.entries}
    sizes = data_sizes(contents, archive_bytes, manifest.blocks if manifest else ())
    table_bytes = {(e.schema, e.name): sizes[e.dump_id] for e in contents.entries if e.dump_id in sizes}
    rows = {(t.schema, t.name): t.rows for t in manifest.tables} if manifest else {}
    phases = _phases(contents)

    made = []
    for entry in entries:
        table = _table_of(entry, by_id)
        about = (entry.schema or "", table or entry.name)
        measured = table is not None or entry.desc == "TABLE DATA"
        made.append(
            Item(
                dump_id=entry.dump_id,
                desc=entry.desc,
                schema=entry.schema,
                name=_own_name(entry, table),
                phase=phases[entry.dump_id],
                table=table,
                weight_bytes=sizes.get(entry.dump_id) if table is None else table_bytes.get(about),
                rows=rows.get(about) if measured else None,
            )
        )
    return tuple(made)


def restored(contents: Contents) -> tuple[TocEntry, ...]:
    """Given an archive's contents, returns the entries that pg_restore acts on, in its order:
    the TOC's, but rights after everything else, and event triggers and the filling of materialized
    views after them."""
    entries = [e for e in contents.entries if _is_restored(e)]
    return tuple(sorted(entries, key=_restore_pass))


def is_main_pass(entry: TocEntry) -> bool:
    """Whether pg_restore acts on an entry in its first pass: rights, event triggers and the filling of
    materialized views come after everything else."""
    return _restore_pass(entry) == 0


def use_list(contents: Contents, ids: Iterable[int]) -> str:
    """Given dump ids, returns the text of a list for `pg_restore --use-list`, in the TOC's order.

    pg_restore reads the number and ignores what follows the semicolon (SortTocFromFile).
    """
    wanted = set(ids)
    return "".join(
        f"{e.dump_id}; {clean(e.desc)} {clean(e.schema or '-')} {clean(e.name)}\n"
        for e in contents.entries
        if e.dump_id in wanted
    )


def _is_restored(entry: TocEntry) -> bool:
    if entry.desc in _SPECIAL:
        return False
    if entry.desc in _ATTRIBUTES and entry.name.startswith("DATABASE "):
        return False
    if entry.has_data or entry.desc in {"SEQUENCE SET", "STATISTICS DATA"} | _LARGE_OBJECTS:
        return True
    return bool(entry.definition) or _is_of_large_object(entry)


def _is_of_large_object(entry: TocEntry) -> bool:
    return entry.desc in _ATTRIBUTES and entry.name.startswith("LARGE OBJECT")


def _restore_pass(entry: TocEntry) -> int:
    return 1 if entry.desc in _ACLS else 2 if _is_late(entry) else 0


def _is_late(entry: TocEntry) -> bool:
    if entry.desc == "COMMENT":
        return entry.name.startswith("EVENT TRIGGER ")
    if entry.desc == "STATISTICS DATA":  # of an index or a materialized view, both of which come late
        return entry.section == _POST_DATA
    return entry.desc in _LATE


def _phases(contents: Contents) -> dict[int, Phase]:
    """An entry without a section (a comment, rights) is in the section of the one before it, as in
    ProcessArchiveRestoreOptions."""
    phases, section = {}, _PRE_DATA
    for entry in contents.entries:
        section = entry.section if entry.section != 1 else section
        if _restore_pass(entry):
            phase = Phase.FINISH
        elif section == _PRE_DATA:
            phase = Phase.SCHEMA
        elif section == _DATA:
            phase = Phase.DATA
        elif entry.desc in ("INDEX", "CONSTRAINT"):
            phase = Phase.INDEXES
        elif entry.desc == "FK CONSTRAINT":
            phase = Phase.FOREIGN_KEYS
        else:
            phase = Phase.FINISH
        phases[entry.dump_id] = phase
    return phases


def _table_of(entry: TocEntry, by_id: dict[int, TocEntry]) -> str | None:
    if entry.desc != "INDEX" and entry.desc not in _CONSTRAINTS:
        return None
    on = [by_id[d] for d in entry.dependencies if d in by_id and by_id[d].desc in _RELATIONS]
    if entry.desc in _CONSTRAINTS:  # its tag is "table constraint"; a foreign key needs two tables
        on = [t for t in on if t.schema == entry.schema and entry.name.startswith(t.name + " ")]
    if len(on) == 1:
        return on[0].name
    pattern = _ON_TABLE if entry.desc == "INDEX" else _ALTER_TABLE
    found = pattern.search(entry.definition) if entry.desc == "INDEX" else pattern.match(entry.definition)
    if found is None:
        return None
    name = found[1]
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _own_name(entry: TocEntry, table: str | None) -> str:
    """The constraint's own name where the tag has its table's before it."""
    if table is not None and entry.desc in _CONSTRAINTS:
        return entry.name.removeprefix(table + " ")
    return entry.name


def _find_tables(contents: Contents, tables: tuple[str, ...]) -> set[int]:
    by_name: dict[str, set[int]] = defaultdict(set)
    for entry in contents.entries:
        if entry.desc in _RELATIONS:
            by_name[f"{entry.schema}.{entry.name}"].add(entry.dump_id)
            by_name[entry.name].add(entry.dump_id)
    found = set()
    for table in tables:
        ids = by_name.get(table, set())
        if len(ids) > 1:
            raise UsageError(
                f"There is more than one table {clean(table)} in this backup.",
                None,
                f"Say which schema's: SCHEMA.{clean(table)}.",
            )
        if not ids:
            near = difflib.get_close_matches(table, by_name, n=3)
            raise UsageError(
                f"There is no table {clean(table)} in this backup.",
                None,
                f"Near it: {', '.join(clean(n) for n in near)}."
                if near
                else "See what is in it: pgdr show REF.",
            )
        found |= ids
    return found


def _closure(contents: Contents, tables: set[int]) -> set[int]:
    """The dump ids of `tables`, of what belongs to them, and of what all of these need."""
    by_id = {e.dump_id: e for e in contents.entries}
    owned = set(tables)
    size = 0
    while len(owned) > size:  # a partition may itself be partitioned; each round goes one level down
        size = len(owned)
        for entry in contents.entries:
            if entry.desc == "TABLE ATTACH" and len(set(entry.dependencies) & owned) == 1:
                parts = {d for d in entry.dependencies if d in by_id and _is_part(by_id[d], entry)}
                if not parts & owned:
                    owned |= parts
    needed = _needs(by_id, owned)
    for entry in contents.entries:  # the TOC has what is needed before what needs it
        if entry.desc not in _BELONGINGS or entry.dump_id in needed:
            continue
        holders = _INDEXES if entry.desc == "INDEX ATTACH" else _HOLDING
        on = {d for d in entry.dependencies if d in by_id and by_id[d].desc in holders}
        if on and all(d in owned or (d in needed and by_id[d].desc == "SEQUENCE") for d in on):
            owned.add(entry.dump_id)
            needed |= _needs(by_id, {entry.dump_id})
    for entry in contents.entries:
        if entry.desc in _ATTRIBUTES and needed.intersection(entry.dependencies):
            needed.add(entry.dump_id)
    return needed


def _is_part(table: TocEntry, attach: TocEntry) -> bool:
    return table.desc in _RELATIONS and (table.schema, table.name) == (attach.schema, attach.name)


def _needs(by_id: dict[int, TocEntry], ids: set[int]) -> set[int]:
    """`ids` and everything that they can't exist without. An index's dependency on the index of the
    partitioned parent isn't such a thing: it can be built alone."""
    needed: set[int] = set()
    waiting = list(ids)
    while waiting:
        dump_id = waiting.pop()
        if dump_id not in needed and dump_id in by_id:
            needed.add(dump_id)
            waiting.extend(
                d for d in by_id[dump_id].dependencies if d in by_id and by_id[d].desc not in _INDEXES
            )
    return needed
