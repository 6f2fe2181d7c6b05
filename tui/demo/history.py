"""The sample's backups: real archives with true manifests, taken while the exchange was growing.

The sample's past is lived in seconds, so each archive is dated back: the clock in its header (the one
thing pg_dump writes of the time) is set to the moment it stands for, before its hash goes into the manifest.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from tui.files import private_directory
from tui.model.backup import Manifest, Verdict, Verification
from tui.model.errors import PgdrError
from tui.model.event import Event, Phase, PhaseBegan
from tui.model.fleet import Fleet, LocalStore
from tui.operations.backup.backup import back_up
from tui.operations.catalogue import catalogue
from tui.operations.report import never
from tui.stores.open import open_store

LOCAL = "local"
OFFSITE = "offsite"
BOTH = (LOCAL, OFFSITE)
CUT_SHORT_TO = 0.14
ARCHIVE_HEADER = 12  # magic, version, integer size, offset size, format, compression (1.15 and newer)


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup of the sample: how long before the anchor, where it lies, and what became of it since.

    `verified` is how long before the anchor it was verified. `cut_short` damages the local copy.
    """

    age: timedelta
    stores: tuple[str, ...] = BOTH
    verified: timedelta | None = None
    cut_short: bool = False


def _h(hours: float) -> timedelta:
    return timedelta(hours=hours)


def _d(days: float) -> timedelta:
    return timedelta(days=days)


NEWEST = timedelta(hours=2, minutes=10)
EVERY = timedelta(hours=6)
YOUNG = EVERY - NEWEST - timedelta(minutes=20)  # so much later than the last one, one is due
EXCHANGE_HISTORY = (
    Taken(_d(29), (OFFSITE,)),
    Taken(_d(8), (OFFSITE,), verified=_d(7)),
    Taken(_d(4), (OFFSITE,), verified=_d(3)),
    Taken(NEWEST + 7 * EVERY),
    Taken(NEWEST + 6 * EVERY, (OFFSITE,)),
    Taken(NEWEST + 5 * EVERY),
    Taken(NEWEST + 4 * EVERY),
    Taken(NEWEST + 3 * EVERY),
    Taken(NEWEST + 2 * EVERY, cut_short=True),
    Taken(NEWEST + EVERY),
    Taken(NEWEST, (OFFSITE,)),
)
KONG_HISTORY = (
    Taken(_d(10), (OFFSITE,), verified=_d(9)),
    Taken(_h(98), (LOCAL,)),
    Taken(_h(74)),
    Taken(_h(50)),
    Taken(_h(26)),
)
GOALERT_HISTORY = (
    Taken(_h(76)),
    Taken(_h(52), (LOCAL,)),
    Taken(_h(28)),
    Taken(timedelta(hours=4, minutes=2)),
)


@dataclass(frozen=True, slots=True)
class Shelves:
    """The directories behind the two stores, and one of the same disk to work in."""

    local: Path
    offsite: Path
    work: Path

    def directory(self, store: str) -> Path:
        """The directory whose files are the objects of `store`."""
        return self.local if store == LOCAL else self.offsite


def take(fleet: Fleet, name: str, moment: datetime, work: Path, snapshot_taken: Callable[[], None]) -> Path:
    """Takes one real backup of the fleet's database `name` into the directory `work`, dated `moment`.

    Returns its archive, beside which lie its roles and its manifest.

    `snapshot_taken` is called when the dump's snapshot is fixed: from then on the database may change.
    """
    # A name of its own: one database isn't backed up into one store twice at a time, and here it is.
    into = open_store(LocalStore(work.name, private_directory(work)))
    database = next(d for d in fleet.databases if d.name == name)

    def report(event: Event) -> None:
        if event == PhaseBegan(Phase.DUMP):
            snapshot_taken()

    done = back_up(
        fleet, database, (into,), staging=work / "staging", report=report, stop=never, now=lambda: moment
    )
    archive = work / done.manifest.key
    catalogue.write_manifest(into, dated_back(archive, done.manifest, moment))
    return archive


def shelve(archive: Path, taken: Taken, moment: datetime, anchor: datetime, shelves: Shelves) -> None:
    """Puts a backup taken by `take` where the history has it, with its damage and its verification."""
    for name in taken.stores:
        place = private_directory(shelves.directory(name))
        for file in sorted(archive.parent.glob(archive.name + "*")):
            shutil.copyfile(file, place / file.name)
            (place / file.name).chmod(0o600)
        if taken.cut_short and name == LOCAL:
            os.truncate(place / archive.name, int(archive.stat().st_size * CUT_SHORT_TO))
        if taken.verified is not None:
            store = open_store(LocalStore(name, place))
            catalogue.record_verification(
                store, archive.name, Verification(anchor - taken.verified, Verdict.CLEAN), ()
            )
        for file in place.glob(archive.name + "*"):
            os.utime(file, (moment.timestamp() + 60, moment.timestamp() + 60))


def copy_dated(archive: Path, database: str, moment: datetime, work: Path) -> Path:
    """A copy of a backup taken by `take`, dated `moment` instead: for databases that hardly change."""
    store = open_store(LocalStore(LOCAL, private_directory(work)))
    key = catalogue.key_for(database, moment)
    manifest = catalogue.read_manifest(open_store(LocalStore(LOCAL, archive.parent)), archive.name)
    if manifest is None:
        raise PgdrError(f"The sample's backup {archive.name} has no manifest.")
    shutil.copyfile(archive, work / key)
    globals_sql = archive.with_name(archive.name + catalogue.GLOBALS)
    if globals_sql.exists():
        shutil.copyfile(globals_sql, work / (key + catalogue.GLOBALS))
    made = dated_back(work / key, manifest, moment)
    catalogue.write_manifest(store, replace(made, key=key, created_at=moment))
    return work / key


def dated_back(archive: Path, manifest: Manifest, moment: datetime) -> Manifest:
    """Sets an archive's clock; returns its manifest with the hashes of what it is then."""
    date_back(archive, moment)
    whole = archive.read_bytes()
    toc = whole[: min((block.offset for block in manifest.blocks), default=len(whole))]
    return replace(
        manifest, sha256=hashlib.sha256(whole).hexdigest(), toc_sha256=hashlib.sha256(toc).hexdigest()
    )


def date_back(archive: Path, moment: datetime) -> None:
    """Sets the clock in an archive's header: seven integers of unchanged width (a sign byte and their bytes,
    little end first) in the order of C's struct tm. pg_backup_archiver.c, WriteHead and WriteInt."""
    with archive.open("r+b") as file:
        head = file.read(ARCHIVE_HEADER)
        if head[:5] != b"PGDMP" or tuple(head[5:7]) < (1, 15):
            raise PgdrError(f"{archive.name} is not an archive that can be dated.")
        width = head[8]
        clock = (
            *(moment.second, moment.minute, moment.hour, moment.day),
            *(moment.month - 1, moment.year - 1900, 0),
        )
        file.write(b"".join(b"\x00" + value.to_bytes(width, "little") for value in clock))


def due(last: datetime, now: datetime) -> tuple[datetime, ...]:
    """When the exchange would have been backed up between `last` and NEWEST before now, oldest first.

    At most three moments, so that a start after a night stays quick; none while `last` is young enough.
    """
    moments = [now - NEWEST - n * EVERY for n in range(3)]
    return tuple(m for m in reversed(moments) if m - last >= YOUNG)
