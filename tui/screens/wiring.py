"""The real operations behind the rooms. It loads all that they need, psycopg too: only workers import it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tui.incident import pruning, report
from tui.incident.book import Book
from tui.incident.reminders import reminded, reminders
from tui.incident.uses import databases_in_use
from tui.jobs.job import JobSpec, new_id
from tui.jobs.start import start_job
from tui.jobs.watch import all_jobs
from tui.model.backup import Backup, StoreProblem
from tui.model.errors import UsageError
from tui.model.event import JobKind
from tui.model.fleet import Database, Fleet
from tui.model.text import clean
from tui.operations import inventory, records
from tui.operations.catalogue import catalogue, good
from tui.operations.catalogue.catalogue import Description
from tui.operations.pause.pause import Cause
from tui.operations.pause.paused import paused
from tui.operations.pause.pausing import Pausing
from tui.operations.records import Drill
from tui.operations.swap import kept
from tui.operations.verify import drill, due
from tui.operations.verify.due import Duty
from tui.postgres.databases.databases import fresh_name
from tui.screens.rooms import Rooms
from tui.stores.open import open_store


def real_rooms(fleet: Fleet, state: Path, now: Callable[[], datetime], operator: str) -> Rooms:
    """Given the fleet, the state directory, a clock and who is at work, returns the real operations."""

    def read_store(
        store: str,
        on_page: Callable[[tuple[Backup, ...]], None],
        on_problem: Callable[[StoreProblem], None],
    ) -> None:
        # One store at a time, so that a screen knows when each is read to its end.
        specs = tuple(spec for spec in fleet.stores if spec.name == store)
        catalogue.backups(replace(fleet, stores=specs), None, on_page, on_problem, state)

    def describe(backup: Backup) -> Description:
        spec = fleet.store(backup.store)
        if spec is None:
            raise UsageError(f"The configuration names no store {clean(backup.store)}.")
        return catalogue.describe(open_store(spec), backup, fleet)

    def source() -> Path:
        if fleet.source is None:
            raise UsageError("A job needs a configuration file, which it reads too.")
        return fleet.source.resolve()

    def back_up(database: Database) -> str:
        if not database.backup.stores:
            raise UsageError(
                f"{clean(database.name)} has no store to go to.",
                mend="Name stores in its [databases.NAME.backup], or one on the command line:"
                f" pgdr backup {clean(database.name)} --store S",
            )
        spec = JobSpec(
            id=new_id(JobKind.BACKUP, now()),
            kind=JobKind.BACKUP,
            config=source(),
            database=database.name,
            operator=operator,
            stores=database.backup.stores,
        )
        return start_job(state, spec)

    def verify(database: Database, ref: str) -> str:
        moment = now()
        spec = JobSpec(
            id=new_id(JobKind.VERIFY, moment),
            kind=JobKind.VERIFY,
            config=source(),
            database=database.name,
            operator=operator,
            ref=ref,
            target=fresh_name(database.dbname, "verify", moment),
            workers=fleet.jobs,
        )
        return start_job(state, spec)

    def copy_to(database: Database, ref: str, store: str) -> str:
        spec = JobSpec(
            id=new_id(JobKind.COPY, now()),
            kind=JobKind.COPY,
            config=source(),
            database=database.name,
            operator=operator,
            ref=ref,
            stores=(store,),
        )
        return start_job(state, spec)

    def last_drill(database: Database) -> Drill | None:
        return records.last_drill(state, database.name)

    def all_backups(on_problem: Callable[[StoreProblem], None]) -> list[Backup]:
        found: list[Backup] = []
        catalogue.backups(fleet, None, found.extend, on_problem, state)
        return found

    def duties(on_problem: Callable[[StoreProblem], None] | None) -> tuple[Duty, ...]:
        found = all_backups(on_problem) if on_problem is not None else []
        return due.duties(fleet, state, fleet.databases, found, now())

    def pausing(database: Database) -> Pausing:
        return Pausing(fleet, state, database, Cause(operator, "by hand", database.name), now)

    def newest_good(database: Database) -> Backup:
        return drill.pick(fleet, database, all_backups(lambda problem: None), now())

    return Rooms(
        look=lambda on_facts: inventory.look_all(fleet, on_facts, now),
        schema=lambda database: inventory.schema(database, state, now),
        last_seen=lambda database: records.last_seen(state, database.name),
        last_drill=last_drill,
        backups=read_store,
        describe=describe,
        of_database=good.backups_of,
        newest_that_counts=lambda database, own, on_problem: good.newest_that_counts(
            good.backups_of(database, own), good.by_manifest(fleet, state, on_problem), now()
        ),
        jobs=lambda: all_jobs(state, now()),
        incidents=lambda: Book(state).all(),
        report=lambda incident: report.load(state, incident, fleet),
        verify=verify,
        copy_to=copy_to,
        back_up=back_up,
        kept=lambda database: reminded(
            kept.kept_databases(fleet, state, database, databases_in_use(state, database.name)),
            reminders(state, (database.name,)),
        ),
        may_go=lambda database: tuple(r.name for r in reminders(state, (database.name,)) if r.at <= now()),
        drop_kept=lambda database, name: kept.drop_kept(
            fleet, state, database, name, databases_in_use(state, database.name)
        ),
        drills=lambda: drill.history(state, fleet.databases),
        duties=duties,
        newest_good=newest_good,
        paused=lambda: paused(state),
        pausing=pausing,
        retention=lambda: pruning.planned(fleet, state, fleet.stores, fleet.databases, fleet.components, now),
        prune=lambda plan, told_of: pruning.pruned(fleet, state, fleet.stores, plan, operator, now, told_of),
    )
