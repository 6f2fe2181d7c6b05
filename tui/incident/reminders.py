"""What recoveries have kept, and when to think of dropping it. Nothing is dropped by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tui.incident.book import Book
from tui.model.incident import Incident
from tui.model.kept import KeptDatabase


@dataclass(frozen=True, slots=True)
class Reminder:
    """A database on the server of `database` (its name in the fleet) that a recovery has kept at `kept_at`,
    and that may be dropped from `at` on."""

    database: str
    name: str
    kept_at: datetime
    at: datetime
    operator: str
    incident: str


def reminders(state: Path, databases: Collection[str]) -> tuple[Reminder, ...]:
    """Given the state directory and names of databases of the fleet, returns what their recoveries have kept,
    the first to be dropped first; whether it is still there, the server knows. What was kept on a fresh
    server isn't told: it is not where the configuration looks."""
    found = [
        reminder
        for incident in Book(state).all()
        if incident.database in databases and (reminder := _of(incident)) is not None
    ]
    return tuple(sorted(found, key=lambda r: (r.at, r.name)))


def reminded(kept: Iterable[KeptDatabase], told: Iterable[Reminder]) -> tuple[KeptDatabase, ...]:
    """Given databases that stand beside a live one and its reminders, returns them with theirs."""
    at = {reminder.name: reminder.at for reminder in told}
    return tuple(replace(one, remove_at=at.get(one.name)) for one in kept)


def _of(incident: Incident) -> Reminder | None:
    if incident.remove_at is None or incident.address is not None:
        return None
    swap, merge = incident.swap, incident.merge
    if swap is not None and swap.undone_at is None and swap.kept_as is not None:
        name, kept_at, by = swap.kept_as, swap.at, swap.operator
    elif merge is not None and merge.undone_at is None:
        name, kept_at, by = merge.restored_name, merge.at, merge.operator
    else:
        return None
    return Reminder(incident.database, name, kept_at, incident.remove_at, by, incident.id)
