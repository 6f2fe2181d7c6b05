"""Single tables: how restored ones differ from the live ones, and merging back what the live ones miss."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tui.model.difference import MergedTable, TableDifference, UndoneTable
from tui.model.errors import Refused, UsageError
from tui.model.fleet import Database
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.places.open import open_place
from tui.postgres.databases.databases import drop, target_lock
from tui.postgres.facts.counting import TableName
from tui.postgres.facts.facts import server_facts
from tui.postgres.merge.aside import forget, take_back
from tui.postgres.merge.compare import compare_table, tables_of
from tui.postgres.merge.merge import MergeOptions, Planned, merge, order_and_around

OnRows = Callable[[TableName, int, int], None]

ASIDE = "pgdr_undo_"  # how the schemas begin in which a merge keeps its way back


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """One table of a merge: how it differs, and how many rows it will have."""

    difference: TableDifference
    before: int
    after: int
    triggers: tuple[str, ...]  # those that would fire


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge would do, its tables in the order in which they would be filled."""

    host: str | None
    port: int | None
    server_version: str
    live: str
    restored: str
    tables: tuple[PlannedTable, ...]
    findings: tuple[Finding, ...]

    @property
    def stops(self) -> tuple[Finding, ...]:
        """The findings that must be mended before this can run."""
        return tuple(f for f in self.findings if f.level is Level.STOP)

    def planned(self, update_changed: bool = False) -> dict[TableName, Planned]:
        """The rows of each table that are to be merged, for `merge_tables`."""
        return {
            t.difference.table: Planned(
                t.difference.missing or 0, (t.difference.changed or 0) if update_changed else None
            )
            for t in self.tables
        }


def chosen_tables(database: Database, restored: str, names: Sequence[str] = ()) -> tuple[TableName, ...]:
    """Given `schema.table`s (or names alone, where only one schema has such a table), returns those tables
    of the restored database. When none is given, all of them; partitions count with their table then.

    Raises UsageError when one isn't there, Refused when `restored` is the live database, and as `connect`.
    """
    if restored == database.dbname:
        raise Refused("That is the live database itself.", mend="Name the restored one.")
    found = tables_of(open_place(database), restored)
    there = {table: part for table, part in found.items() if not table[0].startswith(ASIDE)}
    if not names:
        return tuple(table for table, is_partition in there.items() if not is_partition)
    chosen: list[TableName] = []
    for name in names:
        fitting = [t for t in there if ".".join(t) == name] or [t for t in there if t[1] == name]
        if len(fitting) != 1:
            raise _not_one(name, fitting, list(there), restored)
        chosen += fitting
    return tuple(dict.fromkeys(chosen))


def compare_tables(
    database: Database,
    restored: str,
    tables: Sequence[TableName],
    on_table: Callable[[TableDifference], None] = lambda difference: None,
    on_rows: OnRows = lambda table, live, restored: None,
) -> tuple[TableDifference, ...]:
    """Given the name of a restored database on the server of `database` and tables of it, returns how each
    differs from the live one; each goes to `on_table` as it is known.

    `on_rows` is told about twice a second how many rows of both have been read; what it raises ends the
    comparison. Only reads. Raises DatabaseMissing when one of the two isn't there, and as `connect` does.
    """
    endpoint = open_place(database)
    found = []
    for table in tables:

        def told(live: int, restored: int, table: TableName = table) -> None:
            on_rows(table, live, restored)

        difference = compare_table(endpoint, database.dbname, restored, table, told)
        found.append(difference)
        on_table(difference)
    return tuple(found)


def plan_merge(database: Database, restored: str, differences: Sequence[TableDifference]) -> MergePlan:
    """Given differences that were found, returns what merging the missing rows back would do. Only reads;
    raises as `connect` does."""
    endpoint = open_place(database)
    facts = server_facts(endpoint)
    by_table = {d.table: d for d in differences}
    ordered, around = order_and_around(endpoint, database.dbname, list(by_table))
    findings: list[Finding] = []
    tables = []
    for table in ordered:
        difference, name = by_table[table], clean(".".join(table))
        if difference.reason is not None:
            findings.append(Finding(Level.STOP, name, difference.reason, difference.mend or "Leave it out."))
            continue
        live, missing = difference.live_rows or 0, difference.missing or 0
        triggers = around[table].triggers if table in around and missing else ()
        tables.append(PlannedTable(difference, live, live + missing, triggers))
        findings += _about(difference, triggers)
    if facts.in_recovery:
        mend = "Merge on the primary."
        findings.append(
            Finding(Level.STOP, "server", "The server is a standby: nothing can be written.", mend)
        )
    return MergePlan(
        host=facts.host,
        port=facts.port,
        server_version=facts.version,
        live=database.dbname,
        restored=restored,
        tables=tuple(tables),
        findings=tuple(findings),
    )


def merge_tables(
    database: Database,
    restored: str,
    tables: Sequence[TableName],
    how: MergeOptions,
    planned: Mapping[TableName, Planned] | None = None,
    on_rows: OnRows = lambda table, live, restored: None,
) -> tuple[MergedTable, ...]:
    """Puts the rows that the live tables miss back from the restored ones, in one transaction; returns the
    counts before and after. With `planned` nothing is done when the tables have moved on since.

    Raises as `tui.postgres.merge.merge.merge` does, and Refused when another pgdr works on the database.
    """
    endpoint = open_place(database)
    with target_lock(endpoint, database.dbname):
        return merge(endpoint, database.dbname, restored, tables, how, planned, on_rows)


def take_merge_back(
    database: Database, restored: str, aside: str, *, triggers: bool
) -> tuple[UndoneTable, ...]:
    """Takes a merge back by what it kept in the schema `aside` of the restored database; returns what was
    done to each table. Rows that were written to since are left alone.

    Raises as `tui.postgres.merge.aside.take_back` does, and Refused when another pgdr works on the database.
    """
    endpoint = open_place(database)
    with target_lock(endpoint, database.dbname):
        done = take_back(endpoint, database.dbname, restored, aside, fire=triggers)
        if not any(table.left for table in done):
            forget(endpoint, restored, aside)  # else it is all that tells of what those rows were
        return done


def drop_restored(database: Database, restored: str) -> None:
    """Drops a restored database that is no longer needed, ending its sessions.

    Raises Refused when it is the live one or another pgdr works on it, and as `drop` does.
    """
    if restored == database.dbname:
        raise Refused("That is the live database: it is never dropped.", mend="Name the restored one.")
    endpoint = open_place(database)
    with target_lock(endpoint, restored):
        drop(endpoint, restored, force=True, restored=True)


def _about(difference: TableDifference, triggers: Sequence[str]) -> list[Finding]:
    name = clean(".".join(difference.table))
    found = []
    if triggers:
        named = ", ".join(clean(t, 60) for t in triggers[:5])
        found.append(
            Finding(
                Level.WARNING,
                name,
                f"Its triggers will fire for every row put in: {named}.",
                "They can be switched off for the merge (--triggers off).",
            )
        )
    if not difference.key and difference.missing:
        found.append(
            Finding(
                Level.WARNING,
                name,
                "It has no key: a row that was changed counts as missing, and its old version would come "
                "back beside the new one.",
                "Look at the rows first if any may have been changed since the backup.",
            )
        )
    if difference.only_live or difference.only_restored:
        found.append(Finding(Level.WARNING, name, columns_apart(difference)))
    return found


def columns_apart(difference: TableDifference) -> str:
    """In words, which columns only one side has."""
    parts = []
    for side, columns in (("live", difference.only_live), ("restored", difference.only_restored)):
        if columns:
            parts.append(f"only the {side} one has {', '.join(clean(c, 40) for c in columns[:5])}")
    return f"Columns differ: {'; '.join(parts)}. The others are compared and merged."


def _not_one(
    name: str, fitting: Sequence[TableName], there: Sequence[TableName], restored: str
) -> UsageError:
    shown = clean(name, 80)
    if fitting:
        return UsageError(
            f"There is more than one table {shown}.", mend=f"Say which schema's: SCHEMA.{shown}."
        )
    names = [".".join(t) for t in there]
    near = difflib.get_close_matches(name, names, n=3) or names[:5]
    return UsageError(
        f"There is no table {shown} in {clean(restored, 80)}.",
        mend=f"It has {', '.join(clean(n, 60) for n in near)}." if near else "It has no tables at all.",
    )
