"""What there is on the disks that a database and its backups need, as far as it can be seen from here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tui.model.errors import PgdrError
from tui.model.fleet import Database, Fleet, LocalStore
from tui.places.open import open_place
from tui.postgres.facts.facts import server_facts
from tui.postgres.facts.sizes import server_sizes


@dataclass(frozen=True, slots=True)
class DiskUse:
    """One thing on a disk: what it is, where, its bytes, and those that are free there; None is not known.
    `problem` says why it couldn't be asked."""

    what: str
    where: str
    used_bytes: int | None
    free_bytes: int | None
    problem: str | None = None


def disk_use(fleet: Fleet, state: Path, database: Database) -> tuple[DiskUse, ...]:
    """Given a database of the fleet, returns what fills its server's disk, the biggest first, then the disks
    of this machine that pgdr writes to: its state, where archives are staged, and the local stores."""
    return (*_server(database), *_here(fleet, state))


def _server(database: Database) -> list[DiskUse]:
    try:
        endpoint = open_place(database)
        free = server_facts(endpoint).free_bytes
        found = server_sizes(endpoint)
    except PgdrError as error:
        return [DiskUse("server", database.service, None, None, str(error))]
    return [DiskUse(what, name, used, free) for what, name, used in found]


def _here(fleet: Fleet, state: Path) -> list[DiskUse]:
    paths = [("state and staging", state)]
    paths += [(f"store {store.name}", store.path) for store in fleet.stores if isinstance(store, LocalStore)]
    made = []
    for what, path in paths:
        try:
            disk = shutil.disk_usage(path)
            made.append(DiskUse(what, str(path), disk.used, disk.free))
        except OSError as error:
            made.append(DiskUse(what, str(path), None, None, error.strerror))
    return made
