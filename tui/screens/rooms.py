"""What the screens may ask of the house: callables that block, to be called from a worker's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.model.backup import Backup
from tui.model.facts import DatabaseFacts, TableFacts
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident
from tui.model.progress import Progress
from tui.operations.catalogue import Description, StoreProblem
from tui.operations.records import Drill, Seen
from tui.widgets.header import Bearings


@dataclass(frozen=True, slots=True)
class Rooms:
    """The operations as the app has wired them.

    `look` hands over each database's facts as they arrive; `backups` streams the backups of one store
    in pages, and its problems.
    """

    look: Callable[[Callable[[DatabaseFacts], None]], None]
    schema: Callable[[Database], tuple[TableFacts, ...]]
    last_seen: Callable[[Database], Seen | None]
    last_drill: Callable[[Database], Drill | None]
    backups: Callable[[str, Callable[[tuple[Backup, ...]], None], Callable[[StoreProblem], None]], None]
    describe: Callable[[Backup], Description]
    of_database: Callable[[Database, tuple[Backup, ...]], list[Backup]]
    jobs: Callable[[], tuple[Progress, ...]]
    incidents: Callable[[], tuple[Incident, ...]]
    report: Callable[[Incident], str]


@dataclass(frozen=True, slots=True)
class House:
    """What a screen is given: the fleet, the rooms, and what its header tells."""

    fleet: Fleet
    rooms: Rooms
    bearings: Bearings
