"""What the screens may ask of the house: callables that block, to be called from a worker's thread.

A test can give a screen others than the real ones, slow ones for instance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tui.incident import report
from tui.incident.book import Book
from tui.jobs.job import JobSpec, new_id
from tui.jobs.start import start_job
from tui.jobs.watch import all_jobs
from tui.model.backup import Backup
from tui.model.errors import UsageError
from tui.model.event import JobKind
from tui.model.facts import DatabaseFacts, TableFacts
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident
from tui.model.progress import Progress
from tui.model.text import clean
from tui.operations import catalogue, inventory, records
from tui.operations.catalogue import Description, StoreProblem
from tui.operations.records import Drill, Seen
from tui.postgres.databases import fresh_name
from tui.stores.open import open_store
from tui.widgets.header import Bearings


@dataclass(frozen=True, slots=True)
class Rooms:
    """The operations as the app has wired them.

    `look` hands over each database's facts as they arrive; `backups` streams the backups of one store
    in pages, and its problems; `verify` starts the job that restores a backup into a scratch database and
    checks it, and returns the job's id.
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
    verify: Callable[[Database, str], str]


@dataclass(frozen=True, slots=True)
class House:
    """What a screen is given: the fleet, the rooms, and what its header tells."""

    fleet: Fleet
    rooms: Rooms
    bearings: Bearings


def rooms_of(fleet: Fleet, state: Path, now: Callable[[], datetime], operator: str = "unknown") -> Rooms:
    """Given the fleet, the state directory, a clock and who is at work, returns the real operations."""

    def read_store(
        store: str,
        on_page: Callable[[tuple[Backup, ...]], None],
        on_problem: Callable[[StoreProblem], None],
    ) -> None:
        # One store at a time, so that a screen knows when each is read to its end.
        specs = tuple(spec for spec in fleet.stores if spec.name == store)
        catalogue.backups(replace(fleet, stores=specs), None, on_page, on_problem)

    def describe(backup: Backup) -> Description:
        spec = fleet.store(backup.store)
        if spec is None:
            raise UsageError(f"The configuration names no store {clean(backup.store)}.")
        return catalogue.describe(open_store(spec), backup)

    def verify(database: Database, ref: str) -> str:
        if fleet.source is None:
            raise UsageError("A job needs a configuration file, which it reads too.")
        moment = now()
        spec = JobSpec(
            id=new_id(JobKind.VERIFY, moment),
            kind=JobKind.VERIFY,
            config=fleet.source.resolve(),
            database=database.name,
            operator=operator,
            ref=ref,
            target=fresh_name(database.dbname, "verify", moment),
            workers=fleet.jobs,
        )
        return start_job(state, spec)

    def last_drill(database: Database) -> Drill | None:
        rehearsed = records.drills(state, database.name)
        return rehearsed[-1] if rehearsed else None

    return Rooms(
        look=lambda on_facts: inventory.look_all(fleet, on_facts, now),
        schema=lambda database: inventory.schema(database, state, now),
        last_seen=lambda database: records.last_seen(state, database.name),
        last_drill=last_drill,
        backups=read_store,
        describe=describe,
        of_database=inventory.backups_of,
        jobs=lambda: all_jobs(state, now()),
        incidents=lambda: Book(state).all(),
        report=lambda incident: report.load(state, incident, fleet),
        verify=verify,
    )
