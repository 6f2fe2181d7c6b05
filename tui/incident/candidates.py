"""The backups that a recovery could use: what each would lose, how long it would take, which is advised."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from tui.model.backup import Backup, StoreProblem, Verdict
from tui.model.errors import PgdrError
from tui.model.fleet import Database, Fleet, LocalStore
from tui.model.plan import Estimate, Level
from tui.operations.catalogue import Description, backups, describe
from tui.operations.estimate import restore_estimate
from tui.operations.inventory import backups_of
from tui.operations.records import timings
from tui.stores.open import open_store

# Looking inside costs a ranged read or two each; the older ones can be looked at on the backups screen.
_LOOKED_INTO = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """One backup, seen as a choice. `age` is the data lost if it is used."""

    backup: Backup
    age: timedelta
    within_rpo: bool
    estimate: Estimate
    within_rto: bool
    advised: bool
    why: str
    description: Description | None


def candidates(
    fleet: Fleet, state: Path, database: Database, now: datetime
) -> tuple[tuple[Candidate, ...], tuple[StoreProblem, ...]]:
    """Every backup of `database` in its stores as a candidate, newest first, and the stores that
    couldn't be read. At most one is advised: the newest that nothing speaks against, from the store
    that has it nearest."""
    found: list[Backup] = []
    problems: list[StoreProblem] = []
    backups(fleet, database.dbname, found.extend, problems.append, state)
    own = sorted(
        backups_of(database, found), key=lambda b: (b.sort_time, _near(fleet, b), b.ref), reverse=True
    )
    with ThreadPoolExecutor(4, "look-inside") as pool:
        described = list(pool.map(lambda b: _describe(fleet, b), own[:_LOOKED_INTO]))
    learned = timings(state, database.name)
    listed = []
    for position, backup in enumerate(own):
        description = described[position] if position < len(described) else None
        remote = not _near(fleet, backup)
        estimate = restore_estimate(backup.size_bytes, remote, learned)
        age = now - (description.backup.sort_time if description else backup.sort_time)
        listed.append(
            Candidate(
                backup=description.backup if description else backup,
                age=age,
                within_rpo=age <= database.rpo,
                estimate=estimate,
                within_rto=estimate.high <= database.rto,
                advised=False,
                why=_objection(backup, description, own),
                description=description,
            )
        )
    return _advise(listed), tuple(problems)


def _advise(listed: list[Candidate]) -> tuple[Candidate, ...]:
    chosen = next((c for c in listed if not c.why), None)
    result = []
    for candidate in listed:
        if candidate is chosen:
            lost = "within" if candidate.within_rpo else "beyond"
            result.append(
                replace(
                    candidate, advised=True, why=f"The newest complete one; the data lost is {lost} the RPO."
                )
            )
        else:
            result.append(candidate if candidate.why else replace(candidate, why=_lesser(candidate, chosen)))
    return tuple(result)


def _lesser(candidate: Candidate, chosen: Candidate | None) -> str:
    if chosen and candidate.backup.sort_time == chosen.backup.sort_time:
        return "The same backup, farther away."
    return "Older than the advised one: more data lost."


def _objection(backup: Backup, description: Description | None, own: Sequence[Backup]) -> str:
    """Why this backup should not be used, or nothing."""
    if backup.verification and backup.verification.verdict is Verdict.FAILED:
        return "Its last verification failed."
    if description is None:
        return "Not looked into."
    stops = [f.what for f in description.problems if f.level is Level.STOP]
    if stops:
        return stops[0]
    if description.contents is None and description.manifest is None:
        return "Its contents can't be read."
    if description.manifest and description.manifest.selection != "full":
        return f"Not a full backup ({description.manifest.selection})."
    sizes = sorted(b.size_bytes for b in own)
    if description.manifest is None and backup.size_bytes * 2 < sizes[len(sizes) // 2]:
        return "Much smaller than the others, and without a manifest that would explain it."
    return ""


def _describe(fleet: Fleet, backup: Backup) -> Description | None:
    spec = fleet.store(backup.store)
    try:
        return describe(open_store(spec), backup, fleet) if spec else None
    except PgdrError:
        return None  # the candidate stays in the list, marked as not looked into


def _near(fleet: Fleet, backup: Backup) -> bool:
    return isinstance(fleet.store(backup.store), LocalStore)
