"""What jobs that nobody goes on with have left: archives, opened ones among them, in their staging, and dumps
of backups that were killed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tui.jobs.job import JobFiles, jobs_directory
from tui.jobs.lock import dumps_directory, is_held
from tui.operations.restore.fetch import discard

KEPT_FOR = timedelta(days=1)


def sweep(state: Path, now: datetime) -> tuple[str, ...]:
    """Removes the staged archives of jobs that ended, or were lost, more than a day ago; returns the jobs.

    What was staged is the archive as pg_restore reads it: of an encrypted backup the plain one. A restore can
    still be gone on with after that; it fetches its archive again.
    """
    swept = []
    for directory in jobs_directory(state).iterdir():
        files = JobFiles(directory)
        try:
            last = max(path.stat().st_mtime for path in (files.journal, files.spec) if path.exists())
            if not files.staging.exists() or now.timestamp() - last < KEPT_FOR.total_seconds():
                continue
        except (OSError, ValueError):
            continue  # no job's directory, or gone meanwhile
        if not is_held(files.lock):
            discard(files.staging)
            swept.append(directory.name)
    return tuple(swept)


def sweep_backups(state: Path) -> None:
    """Removes what `pgdr backup` had staged when it was killed: nobody goes on with a backup, and of an
    encrypted one it is in clear. One that is at work holds its lock before it stages anything."""
    for directory in dumps_directory(state).glob("*"):
        if not is_held(state / "locks" / f"{directory.name}.lock"):
            discard(directory)
