"""Looking at the backups: what each store has, how old its newest good one is, what the last ones say."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tui.incident.parts import Parts
from tui.model import amounts as show
from tui.model.backup import Backup, StoreProblem, Verdict
from tui.model.errors import PgdrError
from tui.model.fleet import Database, Fleet, StoreSpec
from tui.model.plan import Level
from tui.model.text import clean
from tui.operations.catalogue.catalogue import Description, backups, describe
from tui.operations.catalogue.good import backups_of, by_manifest, newest_good
from tui.stores.open import open_store

# So long the newest backup is waited for that a slower store may have, once one store has answered.
GRACE_S = 4.0
# How many of the newest good backups are looked into: the first is compared with, the others tell whether
# it had lost something already.
LOOKED_INTO = 4


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one store has of a database; `problems` say why it may not be all. `newest` is the newest good
    one, once the manifests were asked (`weighed`)."""

    store: StoreSpec
    backups: tuple[Backup, ...]
    problems: tuple[StoreProblem, ...]
    newest: Backup | None = None

    @property
    def unread(self) -> bool:
        """Whether the store could not be read."""
        return any(not problem.is_note for problem in self.problems)


def stores_of(fleet: Fleet, database: Database) -> tuple[StoreSpec, ...]:
    """The stores that hold a database's backups."""
    return tuple(s for s in fleet.stores if not database.backup.stores or s.name in database.backup.stores)


def read_shelf(fleet: Fleet, database: Database, spec: StoreSpec, state: Path | None) -> Shelf:
    """What one store has of a database. Raises nothing for the store's sake: that is told with it."""
    listed: list[Backup] = []
    problems: list[StoreProblem] = []
    one = replace(fleet, stores=(spec,))
    backups(one, database.dbname, listed.extend, problems.append, state)
    newest_last = {b.ref: b for b in listed}  # one that comes twice has more known of it the second time
    return Shelf(spec, tuple(backups_of(database, newest_last.values())), tuple(problems))


def weighed(shelf: Shelf, fleet: Fleet, state: Path | None, now: datetime) -> Shelf:
    """The shelf with its newest good backup. A store that no longer answers is one of its problems."""
    problems = list(shelf.problems)
    newest = newest_good(shelf.backups, by_manifest(fleet, state, problems.append), now)
    return replace(shelf, newest=newest, problems=tuple(problems))


def tell_shelf(parts: Parts, database: Database, shelf: Shelf, now: datetime) -> None:
    """Tells the age of a store's newest good backup, or why there is none."""
    name = clean(shelf.store.name)
    kind = "off-site" if shelf.store.offsite else "on-site"
    for problem in shelf.problems:
        if not problem.is_note:
            said = " ".join(part for part in (problem.what, problem.why) if part)
            what = f"The {kind} store {name} could not be read: {said}"
            parts.found(Level.WARNING, f"store {name}", what, problem.mend)
    if shelf.unread and not shelf.backups:
        return
    newest = shelf.newest
    if newest is None:
        what = f"The {kind} store {name} has no good backup of it."
        if shelf.backups:
            what = (
                f"The {kind} store {name} has {show.plural(len(shelf.backups), 'backup')} of it, none of"
                " which can be counted on: no manifest, partial, failed, or far too small."
            )
        parts.found(Level.WARNING, f"store {name}", what, "Another store may have one.")
        return
    age = now - newest.sort_time
    late = age > database.rpo
    limit = show.limit(database.rpo)
    what = (
        f"The newest good backup in {name} ({kind}) is {show.age(age)} old, of"
        f" {show.minute(newest.sort_time)} UTC, {'older than' if late else 'within'} the RPO of {limit}."
    )
    newer = [b for b in shelf.backups if b.sort_time > newest.sort_time]
    if newer:
        what += f" {show.plural(len(newer), 'newer one')} can't be counted on."
    mend = "What was written since is lost if it is used." if late else None
    parts.found(Level.WARNING if late else Level.OK, f"store {name}", what, mend)


def newest_first(shelves: Iterable[Shelf], now: datetime) -> list[Backup]:
    """The backups of all stores that are complete, as far as a listing tells, the newest first, of each
    moment one: the on-site one, which is nearer. One that is suspiciously small is among them: what it has
    lost tells when that was lost."""
    ranked: list[tuple[Backup, bool]] = []
    for shelf in shelves:
        ranked += [(b, shelf.store.offsite) for b in shelf.backups if _may_tell(b, now)]
    ranked.sort(key=lambda pair: (pair[0].sort_time, not pair[1]), reverse=True)
    kept: dict[datetime, Backup] = {}
    for backup, _ in ranked:
        kept.setdefault(backup.sort_time, backup)
    return list(kept.values())


def _may_tell(backup: Backup, now: datetime) -> bool:
    failed = backup.verification is not None and backup.verification.verdict is Verdict.FAILED
    return backup.is_proven and not failed and backup.sort_time <= now


def last_clean(shelves: Iterable[Shelf]) -> datetime | None:
    """When the newest backup was taken that passed every check when it was verified."""
    return max(
        (
            b.sort_time
            for shelf in shelves
            for b in shelf.backups
            if b.verification and b.verification.verdict is Verdict.CLEAN
        ),
        default=None,
    )


def gather(parts: Parts, reading: Sequence[Future[Shelf]]) -> list[Shelf]:
    """The shelves that have answered: all, or those within the grace that begins when the first one with a
    backup has. A store that hangs doesn't keep what another one tells."""
    first: float | None = None
    while True:
        done = [shelf for future in reading if future.done() and (shelf := parts.wait(future, 0)) is not None]
        if all(future.done() for future in reading) or parts.left() <= 0:
            return done
        if first is None and any(shelf.backups for shelf in done):
            first = time.monotonic()
        if first is not None and time.monotonic() - first > GRACE_S:
            return done
        time.sleep(0.05)


def look_into(fleet: Fleet, newest: Sequence[Backup]) -> list[Description]:
    """The newest few backups of these, looked into: whole, full and with a manifest or readable contents.
    What can't be read is passed over: the step that picks one says why."""
    found: list[Description] = []
    for backup in newest:
        if len(found) == LOOKED_INTO:
            break
        spec = fleet.store(backup.store)
        if spec is None:
            continue
        try:
            description = describe(open_store(spec), backup, fleet)
        except PgdrError:
            continue
        stopped = any(p.level is Level.STOP for p in description.problems)
        full = description.manifest is None or description.manifest.selection == "full"
        if not stopped and full and (description.manifest or description.contents):
            found.append(description)
    return found
