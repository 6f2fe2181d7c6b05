"""Which backups can be counted on: one answer for the inventory, the fleet's screen, what is late, drills and
incidents, so that none of them calls a database safe that another one calls late.

A listing tells most; that a backup is of a part only, or cut short, its manifest alone tells. Of a store's
manifests only those of the newest backups are read, down to the first that is good, and each only once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from tui.model.backup import Backup, StoreProblem, Verdict, newest_first
from tui.model.errors import PgdrError
from tui.model.fleet import Database, Fleet
from tui.operations.catalogue.heads import Heads
from tui.operations.retention.known import known_of
from tui.operations.retention.retention import suspicions
from tui.stores.open import open_store

Believed = Callable[[Backup], bool]

_AHEAD = timedelta(hours=1)
_AT_ONCE = 8  # databases whose manifests are asked for


def backups_of(database: Database, backups: Iterable[Backup]) -> list[Backup]:
    """Those of `backups` that are of this database: of its name on the server, in one of its stores.

    Two databases of the fleet may have the same name on two servers; a database that names its stores
    is told apart by them.
    """
    stores = database.backup.stores
    return [b for b in backups if b.database == database.dbname and (not stores or b.store in stores)]


def good_ones(backups: Iterable[Backup], now: datetime) -> list[Backup]:
    """Given backups of one database, returns those that can be counted on, newest first: complete, not failed
    by a verification, not of the future, and not suspiciously small against those before them in their store.
    """
    by_store: dict[str, list[Backup]] = defaultdict(list)
    for backup in sorted(_once(backups), key=lambda b: (b.sort_time, b.ref)):
        if backup.is_proven and not _failed(backup) and backup.sort_time <= now + _AHEAD:
            by_store[backup.store].append(backup)
    good = []
    for there in by_store.values():
        small = suspicions([b.size_bytes for b in there])
        good += [b for b, expected in zip(there, small, strict=True) if expected is None]
    return newest_first(good)


def newest_good(backups: Iterable[Backup], believed: Believed, now: datetime) -> Backup | None:
    """Given backups of one database, returns the newest of the good ones that `believed` says yes to."""
    return next((backup for backup in good_ones(backups, now) if believed(backup)), None)


def newest_that_counts(backups: Collection[Backup], believed: Believed, now: datetime) -> Backup | None:
    """As `newest_good`; without one, the newest of which nothing tells that it is complete, such as another
    program's archive: something to know of, though not to count on (`within`)."""
    good = newest_good(backups, believed, now)
    if good is not None:
        return good
    listed = _once(backups)
    unproven = [b for b in listed if not b.is_proven and b.size_bytes > 0 and b.sort_time <= now + _AHEAD]
    return next(iter(newest_first(unproven)), None)


def newest_of_each(
    databases: Collection[Database], backups: Collection[Backup], believed: Believed, now: datetime
) -> dict[str, Backup | None]:
    """Given the stores' backups, returns for each database, by its name in the fleet, the newest that counts:
    several at once, since `believed` may have to ask a store."""
    if not databases:
        return {}
    with ThreadPoolExecutor(min(_AT_ONCE, len(databases)), "pgdr-newest") as pool:
        own = [backups_of(database, backups) for database in databases]
        newest = pool.map(lambda listed: newest_that_counts(listed, believed, now), own)
        return dict(zip((database.name for database in databases), newest, strict=True))


def within(newest: Backup, rpo: timedelta, now: datetime) -> bool:
    """Whether losing all since the newest backup that counts would be acceptable."""
    return newest.is_proven and now - newest.sort_time <= rpo


def last_verified(backups: Iterable[Backup]) -> datetime | None:
    """When one of these was last verified and didn't fail."""
    return max((b.verification.at for b in backups if b.verification and not _failed(b)), default=None)


def by_manifest(
    fleet: Fleet, state: Path | None = None, on_problem: Callable[[StoreProblem], None] | None = None
) -> Believed:
    """Whether a backup's manifest agrees that it is whole, and of the whole database: a listing doesn't tell.

    Costs a request for each manifest that isn't kept in `state`. What a store doesn't answer for isn't
    believed; `on_problem` is told of it, from the thread that asked.
    """

    def believed(backup: Backup) -> bool:
        spec = fleet.store(backup.store)
        if spec is None:
            return False
        try:
            with closing(Heads(backup.store, state)) as heads:
                (known,) = known_of(open_store(spec), [backup], {}, heads)
        except PgdrError as error:
            if on_problem is not None:
                on_problem(StoreProblem(backup.store, error.what, error.why, error.mend))
            return False
        return known.sound and known.foreign is None

    return believed


def _once(backups: Iterable[Backup]) -> Collection[Backup]:
    return {b.ref: b for b in backups}.values()  # one that was listed twice has more known the second time


def _failed(backup: Backup) -> bool:
    return backup.verification is not None and backup.verification.verdict is Verdict.FAILED
