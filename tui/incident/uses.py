"""Which databases and backups the open incidents and the jobs still need."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tui.incident.book import Book
from tui.jobs.watch import all_jobs
from tui.model.backup import Verdict
from tui.model.event import JobKind, JobState
from tui.model.progress import Progress
from tui.model.text import clean

_RESUMABLE = timedelta(days=30)


def databases_in_use(state: Path, database: str) -> dict[str, str]:
    """Given a database of the fleet, returns the names of those on its server that an open incident of it
    needs (the restored one, the one kept by its swap), each with a sentence that says so."""
    needed: dict[str, str] = {}
    for incident in Book(state).all():
        if incident.database != database or incident.closed_at is not None:
            continue
        swap, merge = incident.swap, incident.merge
        names = [
            merge.restored_name if merge else None,
            incident.target,
            *incident.scratch,
            *((swap.kept_as, swap.restored_name) if swap else ()),
        ]
        for name in names:
            if name is not None:
                needed[name] = f"incident {clean(incident.id)} is open and works with it."
    return needed


def backups_in_use(state: Path, now: datetime) -> dict[str, str]:
    """Given the state directory, returns the refs of the backups that an open incident has picked, or that a
    job works with or could be gone on with, each with a sentence that says so.

    What could be gone on with counts for a month: nobody comes back to it later.
    """
    needed: dict[str, str] = {}
    for picture in all_jobs(state, now):
        if picture.ref is not None and (why := _why_needed(picture, now)) is not None:
            needed[picture.ref] = f"Kept because job {clean(picture.job)} {why}."
    for incident in Book(state).open_ones():
        if incident.ref is not None:
            needed[incident.ref] = f"Kept because incident {clean(incident.id)} is open and has picked it."
    return needed


def _why_needed(picture: Progress, now: datetime) -> str | None:
    if picture.state is JobState.RUNNING:
        return "works with it"
    if picture.kind is not JobKind.RESTORE or picture.target is None:
        return None
    if picture.state is JobState.DONE and picture.verdict is not Verdict.FAILED:
        return None
    began = picture.started_at
    return "could be gone on with" if began is None or now - began < _RESUMABLE else None
