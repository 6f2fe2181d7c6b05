"""What the screens of single tables work with. Its callables block: they are for a worker's thread, which
also loads what they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model.difference import MergedTable, TableDifference
from tui.model.errors import UsageError
from tui.model.fleet import Database, Fleet
from tui.widgets.header import Bearings

if TYPE_CHECKING:
    from tui.operations.restore.tables import MergePlan

TableName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a person wants to merge."""

    triggers: bool = True
    update_changed: bool = False
    skip_blocked: bool = False


@dataclass(frozen=True, slots=True)
class TableDesk:
    """One database of the fleet, and what can be done with single tables of it. `copy(name, text)` puts a
    text on the clipboard and into a file, and answers with what it did."""

    fleet: Fleet
    database: Database
    state: Path
    bearings: Bearings
    operator: str
    copy: Callable[[str, str], str]

    def now(self) -> datetime:
        """The time, in UTC."""
        return self.bearings.now()

    def restore(self, ref: str, tables: Sequence[str]) -> tuple[str, str]:
        """Starts the job that restores tables into a scratch database; returns its id and that one's name."""
        from tui.jobs.job import JobSpec, new_id
        from tui.jobs.start import start_job
        from tui.model.event import JobKind
        from tui.postgres.databases.databases import fresh_name

        if self.fleet.source is None:
            raise UsageError("A job needs a configuration file, which it reads too.")
        moment = self.now()
        target = fresh_name(self.database.dbname, "restore", moment)
        spec = JobSpec(
            id=new_id(JobKind.RESTORE, moment),
            kind=JobKind.RESTORE,
            config=self.fleet.source.resolve(),
            database=self.database.name,
            operator=self.operator,
            ref=ref,
            target=target,
            tables=tuple(tables),
            workers=self.fleet.jobs,
        )
        return start_job(self.state, spec), target

    def compare(
        self,
        restored: str,
        tables: Sequence[str],
        on_table: Callable[[TableDifference], None],
        on_rows: Callable[[TableName, int, int], None],
    ) -> tuple[TableDifference, ...]:
        """How restored tables (`schema.table`) differ from the live ones; what `on_rows` raises ends it."""
        from tui.operations.restore.tables import chosen_tables, compare_tables

        chosen = chosen_tables(self.database, restored, tables)
        return compare_tables(self.database, restored, chosen, on_table, on_rows)

    def plan(self, restored: str, differences: Sequence[TableDifference]) -> MergePlan:
        """What merging their missing rows back would do."""
        from tui.operations.restore.tables import plan_merge

        return plan_merge(self.database, restored, differences)

    def merge(self, plan: MergePlan, wishes: Wishes) -> tuple[MergedTable, ...]:
        """Does what was planned, or nothing."""
        from tui.operations.restore.tables import merge_tables
        from tui.postgres.merge.merge import MergeOptions

        how = MergeOptions(wishes.triggers, wishes.update_changed, wishes.skip_blocked)
        tables = [t.difference.table for t in plan.tables]
        return merge_tables(self.database, plan.restored, tables, how, plan.planned(wishes.update_changed))

    def drop(self, restored: str) -> None:
        """Drops a scratch database."""
        from tui.operations.restore.tables import drop_restored

        drop_restored(self.database, restored)
