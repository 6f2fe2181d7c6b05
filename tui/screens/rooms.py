"""What the screens may ask of the house: callables that block, to be called from a worker's thread.

A test can give a screen others than the real ones, slow ones for instance.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.model.backup import Backup, StoreProblem
    from tui.model.facts import DatabaseFacts, TableFacts
    from tui.model.fleet import Database, Fleet
    from tui.model.incident import Incident
    from tui.model.kept import KeptDatabase
    from tui.model.paused import Paused
    from tui.model.progress import Progress
    from tui.operations.catalogue.catalogue import Description
    from tui.operations.pause.pausing import Pausing
    from tui.operations.records import Drill, Seen
    from tui.operations.retention.prune import PrunePlan
    from tui.operations.retention.retention import Decision
    from tui.operations.verify.drill import DrillRow
    from tui.operations.verify.due import Duty
    from tui.widgets.header import Bearings


@dataclass(frozen=True, slots=True)
class Rooms:
    """The operations as the app has wired them.

    `look` hands over each database's facts as they arrive; `backups` streams the backups of one store
    in pages, and its problems; of those `newest_that_counts` reads the newest manifests. `back_up` starts
    the job that takes a backup, `verify` the one that restores a backup into a scratch database and checks
    it, `copy_to` the one that copies a backup into another store; all return the job's id. `drop_kept` drops
    a kept database for good. `duties` reads the stores, and hands over those that can't be read; with None
    it asks none, and so knows of no verification. `paused` is everything that is still paused or frozen,
    asked of nobody; `pausing` is what pauses the services of one database. `retention` reads the stores and
    decides what may go; `prune` deletes that, and hands over each backup as it is done.
    """

    look: Callable[[Callable[[DatabaseFacts], None]], None]
    schema: Callable[[Database], tuple[TableFacts, ...]]
    last_seen: Callable[[Database], Seen | None]
    last_drill: Callable[[Database], Drill | None]
    backups: Callable[[str, Callable[[tuple[Backup, ...]], None], Callable[[StoreProblem], None]], None]
    describe: Callable[[Backup], Description]
    of_database: Callable[[Database, tuple[Backup, ...]], list[Backup]]
    newest_that_counts: Callable[
        [Database, Collection[Backup], Callable[[StoreProblem], None]], Backup | None
    ]
    jobs: Callable[[], tuple[Progress, ...]]
    incidents: Callable[[], tuple[Incident, ...]]
    report: Callable[[Incident], str]
    verify: Callable[[Database, str], str]
    copy_to: Callable[[Database, str, str], str]
    back_up: Callable[[Database], str]
    kept: Callable[[Database], tuple[KeptDatabase, ...]]
    drop_kept: Callable[[Database, str], KeptDatabase]
    drills: Callable[[], list[DrillRow]]
    duties: Callable[[Callable[[StoreProblem], None] | None], tuple[Duty, ...]]
    newest_good: Callable[[Database], Backup]
    paused: Callable[[], Paused]
    pausing: Callable[[Database], Pausing]
    retention: Callable[[], PrunePlan]
    prune: Callable[[PrunePlan, Callable[[Decision], None]], object]
    may_go: Callable[[Database], tuple[str, ...]] = lambda database: ()  # kept, and needed no longer


@dataclass(frozen=True, slots=True)
class House:
    """What a screen is given: the fleet, the rooms, and what its header tells."""

    fleet: Fleet
    rooms: Rooms
    bearings: Bearings
