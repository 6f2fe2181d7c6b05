"""What jobs that nobody goes on with have left: archives, opened ones among them, in their staging, and dumps
of backups that were killed."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from tui.jobs.job import JobFiles, jobs_directory, read_spec
from tui.jobs.lock import dumps_directory, is_held, taken
from tui.model.errors import PgdrError
from tui.model.event import JobKind
from tui.operations.restore.fetch import discard

KEPT_FOR = timedelta(days=1)

_DUMP = re.compile(r"[0-9a-f]{24}")  # as target_lock_path names its locks
_ASIDE = re.compile(_DUMP.pattern + r"\.gone-\d+")


def sweep(state: Path, now: datetime) -> tuple[str, ...]:
    """Removes what nobody goes on with: the staged archives of jobs that ended, or were lost, more than a day
    ago, of backups at once, and the dumps of `pgdr backup`s that were killed. Returns the jobs.

    What was staged is the archive as pg_restore reads it: of an encrypted backup the plain one. A restore can
    still be gone on with after that; it fetches its archive again.
    """
    swept = []
    for directory in jobs_directory(state).iterdir():
        files = JobFiles(directory)
        try:
            last = max(path.stat().st_mtime for path in (files.journal, files.spec) if path.exists())
            if not files.staging.exists():
                continue
            # A backup can't be gone on with, and of an encrypted one a dump in clear may lie there
            young = now.timestamp() - last < KEPT_FOR.total_seconds()
            if young and read_spec(files).kind is not JobKind.BACKUP:
                continue
            if not is_held(files.lock):
                discard(files.staging)
                swept.append(directory.name)
        except (OSError, ValueError, PgdrError):
            continue  # no job's directory, gone meanwhile, or another user's: no reason to stop a recovery
    _sweep_dumps(state)
    return tuple(swept)


def _sweep_dumps(state: Path) -> None:
    """Nobody goes on with a backup, and of an encrypted one its dump is in clear. What pgdr has not made is
    left alone, and what can't be removed, too: that stops no recovery."""
    dumps = dumps_directory(state)
    with suppress(OSError):
        for directory in list(dumps.iterdir()):
            with suppress(OSError):
                if _ASIDE.fullmatch(directory.name):
                    discard(directory)
                elif _DUMP.fullmatch(directory.name) and not directory.is_symlink():
                    _put_aside(directory, state / "locks" / f"{directory.name}.lock")


def _put_aside(directory: Path, lock: Path) -> None:
    """Removes a dump's directory while its lock is ours: a backup takes the lock before it stages anything.
    Renamed first, so that the lock is free again at once."""
    aside = directory.with_name(f"{directory.name}.gone-{os.getpid()}")
    with taken(lock) as mine:
        if mine:
            directory.rename(aside)
    if mine:
        discard(aside)
