"""How what a worker has found out changes what is known of a database: pure functions of entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from tui.screens.fleet_rows import Entry, OnShelf

if TYPE_CHECKING:
    from tui.model.backup import Backup, StoreProblem
    from tui.model.facts import TableFacts
    from tui.operations.records import Drill

Change = Callable[[Entry], Entry]


def with_drill(drill: Drill | None) -> Change:
    """Its last drill."""
    return lambda entry: replace(entry, drill=drill)


def with_removals(names: tuple[str, ...]) -> Change:
    """What is kept on its server and needed no longer."""
    return lambda entry: replace(entry, may_go=names)


def with_tables(tables: tuple[TableFacts, ...], at: datetime) -> Change:
    """Its tables as they were at a moment."""
    return lambda entry: replace(entry, tables=tables, tables_at=at, tables_problem=None)


def with_store(
    store: str, newest: Backup | None, verified_at: datetime | None, problems: tuple[StoreProblem, ...]
) -> Change:
    """A store that was read to its end, or couldn't be: what it told before counts no longer, unless nothing
    came of it this time."""

    def change(entry: Entry) -> Entry:
        own = entry.database.backup.stores
        mine = not own or store in own
        others = tuple(shelf for shelf in entry.shelves if shelf.store != store)
        before = tuple(shelf for shelf in entry.shelves if shelf.store == store)
        if newest is not None:
            others += (OnShelf(store, newest, verified_at),)
        elif problems:
            others += before
        return replace(
            entry,
            shelves=others,
            problems=(*(p for p in entry.problems if p.store != store), *(problems if mine else ())),
            stores_left=tuple(name for name in entry.stores_left if name != store),
        )

    return change
