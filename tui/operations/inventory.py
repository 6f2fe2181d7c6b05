"""The inventory: every database of the fleet as it is now, each row as its answer arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tui.model.backup import Backup
from tui.model.facts import DatabaseFacts, Status, TableFacts
from tui.model.fleet import Database, Fleet
from tui.operations.catalogue.good import backups_of, last_verified, within
from tui.operations.records import Seen, last_drill, remember_seen
from tui.operations.report import Clock
from tui.postgres.facts import facts as server

# One slow server must not hold up the others: a thread each, up to this many at once.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The newest backup of a database that can be counted on; without any the newest that nothing tells to be
    complete, which is never `within_rpo`: whether losing all since would be acceptable."""

    ref: str
    created_at: datetime
    age_s: float
    within_rpo: bool


@dataclass(frozen=True, slots=True)
class LastDrill:
    """The newest rehearsal of a database."""

    at: datetime
    rto_s: float


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One database, live; what is not known is None."""

    name: str
    service: str
    place: str
    host: str | None
    port: int | None
    criticality: str
    status: str
    why: str | None
    server_version: str | None
    size_bytes: int | None
    sessions: int | None
    rpo_s: float
    rto_s: float
    last_backup: LastBackup | None
    last_verified_at: datetime | None
    last_drill: LastDrill | None
    offsite_copy: bool | None = None  # the rule "at least one copy off-site": see offsite.py


def look_all(fleet: Fleet, on_facts: Callable[[DatabaseFacts], None], now: Clock) -> None:
    """Looks at every database of the fleet at once; `on_facts` gets each answer as it arrives, from
    the thread that got it. Returns when the slowest has answered or given up."""
    if not fleet.databases:
        return
    with ThreadPoolExecutor(min(_AT_ONCE, len(fleet.databases)), "look") as pool:
        for done in [pool.submit(lambda d: on_facts(server.look(d, now())), d) for d in fleet.databases]:
            done.result()


def schema(database: Database, state: Path, now: Clock) -> tuple[TableFacts, ...]:
    """The tables of a database that is up, biggest first; they are remembered for when it isn't.

    Raises Unreachable or PgdrError when it can't be asked.
    """
    tables = server.schema(database)
    remember_seen(state, database.name, Seen(now(), tables))
    return tables


def row(
    database: Database,
    facts: DatabaseFacts,
    backups: Iterable[Backup],
    newest: Backup | None,
    state: Path,
    now: datetime,
) -> InventoryRow:
    """Puts one row together from what was seen, the backups known, and the `newest` of this database that
    counts, as good.newest_of_each tells it."""
    rehearsed = last_drill(state, database.name)
    return InventoryRow(
        name=database.name,
        service=database.service,
        place=database.place,
        host=facts.host or database.endpoint.host,
        port=facts.port or database.endpoint.port,
        criticality=database.criticality.value,
        status=facts.status.value,
        why=facts.why,
        server_version=facts.server_version,
        size_bytes=facts.size_bytes if facts.status is Status.UP else None,
        sessions=facts.sessions,
        rpo_s=database.rpo.total_seconds(),
        rto_s=database.rto.total_seconds(),
        last_backup=_last_backup(database, newest, now),
        last_verified_at=last_verified(backups_of(database, backups)),
        last_drill=LastDrill(rehearsed.at, rehearsed.rto_s) if rehearsed else None,
    )


def _last_backup(database: Database, newest: Backup | None, now: datetime) -> LastBackup | None:
    if newest is None:
        return None
    age = now - newest.sort_time
    return LastBackup(newest.ref, newest.sort_time, age.total_seconds(), within(newest, database.rpo, now))
