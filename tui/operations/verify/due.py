"""What is due: backups that are late against the RPO, verifications and rehearsals that should have been."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tui.model.amounts import age, limit
from tui.model.backup import Backup, Verdict
from tui.model.errors import PgdrError
from tui.model.fleet import Database, Fleet
from tui.model.text import clean
from tui.operations.catalogue.good import Believed, backups_of, newest_of_each
from tui.operations.catalogue.names import verification_key
from tui.operations.records import Drill, drills
from tui.stores.open import open_store

_LONGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class Lateness:
    """A database's newest good backup against its RPO. `late` is None when no store could be asked; `why` is
    a sentence."""

    database: str
    rpo_s: float
    ref: str | None
    created_at: datetime | None
    age_s: float | None
    late: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is due every so often for a database: when it was last done well, by whom, when it is
    due again (None: now, since it was never done), and how it is done."""

    database: str
    what: str  # verification, single table, recovery, full
    every_s: float
    last_at: datetime | None
    by: str | None
    due_at: datetime | None
    overdue: bool
    how: str


def lateness(
    databases: Iterable[Database],
    backups: Collection[Backup],
    unread: Collection[str],
    now: datetime,
    believed: Believed = lambda backup: True,
) -> tuple[Lateness, ...]:
    """Given the stores' backups and the names of the stores that couldn't be read, returns for each database
    whether its RPO is breached: whether the newest good backup is older than it.

    `unread` is looked at last: stores that `believed` couldn't ask may be added to it meanwhile.
    """
    databases = tuple(databases)
    newest = newest_of_each(databases, backups, believed, now)
    return tuple(_lateness(d, backups_of(d, backups), newest[d.name], unread, now) for d in databases)


def _lateness(
    database: Database, own: list[Backup], newest: Backup | None, unread: Collection[str], now: datetime
) -> Lateness:
    rpo, rpo_s = database.rpo, database.rpo.total_seconds()
    newest = newest if newest and newest.is_proven else None
    blind = sorted(set(database.backup.stores) & set(unread))
    if newest is not None:
        old = now - newest.sort_time
        late: bool | None = old > rpo
        why = f"The newest good backup is {age(old)} old; the RPO is {limit(rpo)}."
        newer = [b for b in own if b.sort_time > newest.sort_time]
        if late and newer:
            why += f" {clean(newer[-1].ref, 120)} is newer, but incomplete, partial, failed or too small."
    else:
        late = True
        why = "There is no good backup." if not own else "There are backups, but none that can be counted on."
    if late and blind:
        why += f" What {', '.join(blind)} has could not be asked."
        late = None if newest is None and set(database.backup.stores) <= set(unread) else late
    return Lateness(
        database.name,
        rpo_s,
        newest.ref if newest else None,
        newest.sort_time if newest else None,
        (now - newest.sort_time).total_seconds() if newest else None,
        late,
        why,
    )


def duties(
    fleet: Fleet, state: Path, databases: Iterable[Database], backups: Collection[Backup], now: datetime
) -> tuple[Duty, ...]:
    """Given the stores' backups, returns what is due for each database, by the fleet's intervals: the
    verification of a backup, the restore of a single table, the rehearsal of a recovery, the loss of all.

    Only what ended well counts as done. Reads who verified last from beside the backup.
    """
    found: list[Duty] = []
    for database in databases:
        own = backups_of(database, backups)
        name = database.name
        verified = [b for b in own if b.verification and b.verification.verdict is not Verdict.FAILED]
        last = max(verified, key=_verified_at, default=None)
        if fleet.verify_every is not None:
            at, by = (_verified_at(last), _by(fleet, last)) if last else (None, None)
            how = f"pgdr verify --due {name}"
            found.append(_duty(name, "verification", fleet.verify_every, at, by, how, now))
        table = shlex.quote(database.key_tables[0]) if database.key_tables else "S.T"
        rehearsed = [d for d in drills(state, name) if d.verdict is not Verdict.FAILED]
        for what, every, kinds, how in (
            ("single table", fleet.table_drill_every, ("table",), f"pgdr drill {name} --table {table}"),
            ("recovery", fleet.drill_every, ("recovery", "full"), f"pgdr drill {name}"),
            ("full", fleet.full_drill_every, ("full",), "pgdr drill --all"),
        ):
            done: Drill | None = next((d for d in reversed(rehearsed) if d.kind in kinds), None)
            at, by = (done.at, done.operator) if done else (None, None)
            if every is not None:
                found.append(_duty(name, what, every, at, by, how, now))
    return tuple(found)


def _duty(
    database: str, what: str, every: timedelta, last: datetime | None, by: str | None, how: str, now: datetime
) -> Duty:
    due = last + every if last else None
    return Duty(database, what, every.total_seconds(), last, by, due, due is None or due <= now, how)


def _verified_at(backup: Backup) -> datetime:
    assert backup.verification is not None
    return backup.verification.at


def _by(fleet: Fleet, backup: Backup) -> str | None:
    """Who verified a backup, as its result says; None where nothing tells."""
    spec = fleet.store(backup.store)
    if spec is None or backup.verification is None:
        return None
    try:
        data = open_store(spec).read(verification_key(backup.key, backup.verification), 0, _LONGEST)
        said = json.loads(data).get("operator")
    except (PgdrError, ValueError, AttributeError, RecursionError):
        return None  # of an older program, or no longer there: that it was done is in its name
    return clean(said, 80) if isinstance(said, str) else None
