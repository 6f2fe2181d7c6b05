"""Drills: recoveries rehearsed in a scratch database, without touching the live one, notifying nobody."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tui.model.backup import Backup
from tui.model.errors import PgdrError
from tui.model.fleet import Database, Fleet
from tui.model.text import clean
from tui.operations.catalogue.good import backups_of, by_manifest, newest_good
from tui.operations.records import Drill, drills


@dataclass(frozen=True, slots=True)
class DrillRow:
    """One drill against its targets (those of its day, where it remembers them), and how it differs from the
    one before of the same kind: `rto_change_s` below 0 is quicker."""

    database: str
    drill: Drill
    rto_target_s: float
    rpo_target_s: float
    rto_change_s: float | None

    @property
    def within_rto(self) -> bool:
        """Whether it was quick enough."""
        return self.drill.rto_s <= self.rto_target_s

    @property
    def within_rpo(self) -> bool | None:
        """Whether no more than allowed would have been lost."""
        return None if self.drill.rpo_s is None else self.drill.rpo_s <= self.rpo_target_s


def pick(fleet: Fleet, database: Database, backups: Collection[Backup], now: datetime) -> Backup:
    """Given the stores' backups, returns the one that a recovery would begin with: the newest good one of the
    database. Raises PgdrError when there is none."""
    own = backups_of(database, backups)
    newest = newest_good(own, by_manifest(fleet), now)
    if newest is not None:
        return newest
    raise PgdrError(
        f"There is no good backup of {clean(database.name, 80)}.",
        f"{len(own)} are there, but none is complete and believed."
        if own
        else "The stores have none at all.",
        f"Take one: pgdr backup {clean(database.name, 80)}",
    )


def due_next(fleet: Fleet, kind: str, at: datetime) -> datetime | None:
    """When a drill of that kind is due again after one at that time; None where it never is."""
    every: timedelta | None = {
        "table": fleet.table_drill_every,
        "full": fleet.full_drill_every,
    }.get(kind, fleet.drill_every)
    return at + every if every is not None else None


def history(state: Path, databases: Collection[Database]) -> list[DrillRow]:
    """The drills of these databases, the newest first."""
    rows = []
    for database in databases:
        before: dict[str, float] = {}
        for drill in drills(state, database.name):
            was = before.get(drill.kind)
            change = drill.rto_s - was if was is not None else None
            before[drill.kind] = drill.rto_s
            rows.append(
                DrillRow(
                    database.name,
                    drill,
                    drill.rto_target_s or database.rto.total_seconds(),
                    drill.rpo_target_s or database.rpo.total_seconds(),
                    change,
                )
            )
    return sorted(rows, key=lambda row: row.drill.at, reverse=True)
