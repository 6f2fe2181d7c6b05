"""Telling how restored tables differ from live ones, as lines and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui.model.amounts import count, plural
from tui.model.difference import TableDifference
from tui.model.text import clean
from tui.verbs.context import Context

if TYPE_CHECKING:
    from tui.model.fleet import Database


def compared(
    context: Context, database: Database, restored: str, names: Sequence[str]
) -> tuple[TableDifference, ...]:
    """Compares tables of `restored` with the live ones, telling each as it is known. Raises UsageError when
    there is no such table, DatabaseMissing when one of the two databases isn't there."""
    from tui.operations.restore.tables import chosen_tables, compare_tables

    console = context.console
    chosen = chosen_tables(database, restored, names)

    def on_rows(table: tuple[str, str], live: int, restored: int) -> None:
        console.progress(f"{'.'.join(table)}: {live:,} live rows, {restored:,} restored")

    return compare_tables(database, restored, chosen, lambda d: _tell(context, d), on_rows)


def _tell(context: Context, difference: TableDifference) -> None:
    say = context.console.line
    name = clean(".".join(difference.table))
    if difference.reason is not None:
        say(f"{name}: not compared. {difference.reason}" + (f" {difference.mend}" if difference.mend else ""))
        return
    rows = f"{count(difference.live_rows)} live, {count(difference.restored_rows)} restored"
    if difference.same:
        say(f"{name}: the same {plural(difference.live_rows or 0, 'row')}")
        return
    say(f"{name}: {rows}")
    kinds = (
        ("missing", difference.missing, difference.missing_keys, "in the restored one only"),
        ("extra", difference.extra, difference.extra_keys, "in the live one only"),
        ("changed", difference.changed, difference.changed_keys, "in both, with other values"),
    )
    for word, number, keys, meaning in kinds:
        if number:
            such = f": {', '.join(keys)}" + (", …" if number > len(keys) else "") if keys else ""
            say(f"  {word:8} {plural(number, 'row')} {meaning}{such}")
    if not difference.key:
        say("  no key: rows were compared as wholes, so a changed one is a missing and an extra one")
    for side, columns in (("live", difference.only_live), ("restored", difference.only_restored)):
        if columns:
            say(f"  columns  only the {side} one has {', '.join(clean(c, 60) for c in columns)}")


def merge_hint(
    context: Context, database: Database, restored: str, differences: Sequence[TableDifference]
) -> None:
    """Says how to merge what is missing back, where anything is."""
    tables = [".".join(d.table) for d in differences if d.missing]
    if tables:
        chosen = " ".join(f"--table {shlex.quote(clean(table))}" for table in tables[:5])
        names = " ".join(shlex.quote(clean(name)) for name in (database.name, restored))
        context.console.narrate(f"Merge the missing rows back with: pgdr merge {names} {chosen}")


def document(difference: TableDifference) -> dict[str, Any]:
    """One table as `compare --json` has it."""
    from tui.model import codec

    plain: dict[str, Any] = codec.plain(difference)
    return {**plain, "same": difference.same}


def compare_code(differences: Sequence[TableDifference]) -> int:
    """0 all the same, 3 they differ, 1 one could not be compared."""
    if any(d.reason is not None for d in differences):
        return 1
    return 0 if all(d.same for d in differences) else 3
