"""Watching jobs: whoever wants to know folds the same journal and sees the same."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tui.files import write_whole
from tui.jobs.job import JobFiles, JobSpec, files_of, jobs_directory, read_spec
from tui.jobs.journal import read
from tui.jobs.lock import is_held
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.event import JobKind, JobState
from tui.model.progress import Progress
from tui.model.text import clean
from tui.postgres.progress.progress import Fold

_BEGINS_WITHIN_S = 15.0  # a supervisor, on a machine that is busy
_PORTION = 1 << 20  # of a journal, read at a time: some have a million entries


class JobView:
    """One job as it stands, read on from where the last look ended. One thread at a time."""

    def __init__(self, files: JobFiles) -> None:
        self._files = files
        self._spec = read_spec(files)
        self._fold = Fold()
        self._offset = 0

    def picture(self, now: datetime) -> Progress:
        """The job at this moment; LOST when its supervisor is gone without having said how it ended."""
        # The lock is asked before the journal is read: a supervisor that ends in between has written
        # its last event by then, so an ended job is never taken for a lost one.
        alive = is_held(self._files.lock)
        before = -1
        while before != self._offset:
            before = self._offset
            entries, self._offset = read(self._files.journal, before, _PORTION)
            for entry in entries:
                self._fold.add(entry)
        picture = self._fold.picture(now)
        begun = picture.job != ""
        if not begun:
            spec = self._spec
            picture = dataclasses.replace(
                picture,
                job=spec.id,
                kind=spec.kind,
                database=spec.database,
                ref=spec.ref,
                target=spec.target,
                operator=spec.operator,
            )
        if picture.state is JobState.RUNNING and not alive and (begun or not self._just_ordered()):
            picture = dataclasses.replace(
                picture,
                state=JobState.LOST,
                message="The job's supervisor ended without a word: killed, or the machine went down.",
                mend=f"What it printed, if anything, is in {self._files.log}. " + _after_loss(self._spec),
            )
        return picture

    def _just_ordered(self) -> bool:
        """Whether its supervisor may not have begun yet."""
        return time.time() - self._files.spec.stat().st_mtime < _BEGINS_WITHIN_S


@dataclasses.dataclass(frozen=True, slots=True)
class LogPart:
    """Lines of a log, whether more are there already, and whether none will follow these."""

    lines: tuple[str, ...]
    more: bool
    ended: bool


class WholeLog:
    """Every line of one job's log from its beginning, read on from where the last look ended. Nothing is read
    before the first look. One thread at a time."""

    def __init__(self, state: Path, job: str) -> None:
        self._state = state
        self._job = job
        self._journal: Path | None = None
        self._fold = Fold(log_lines=None)
        self._offset = 0

    def read_on(self) -> LogPart:
        """The lines that came since the last look, a portion of them where they are many.

        Raises UsageError when there is no such job.
        """
        if self._journal is None:
            self._journal = files_of(self._state, self._job).journal
        before = self._offset
        entries, self._offset = read(self._journal, before, _PORTION)
        for entry in entries:
            self._fold.add(entry)
        more = self._offset != before
        return LogPart(self._fold.take_log(), more, self._fold.ended and not more)


def _after_loss(spec: JobSpec) -> str:
    if spec.kind is JobKind.RESTORE:
        return f"Go on with it: pgdr resume {spec.id}"
    return "Start it again; a database that it left unfinished can be dropped."


def view(state: Path, job: str) -> JobView:
    """The job with the id `job`, or the only one whose id begins with it, or `last`.

    Raises UsageError when there is none, or more than one.
    """
    return JobView(files_of(state, full_id(state, job)))


def full_id(state: Path, job: str) -> str:
    """Given an id, the beginning of one, or `last`, returns the id. UsageError when it isn't one job."""
    ids = _ids(state)
    if job == "last" and ids:
        return ids[0]
    matching = [i for i in ids if i.startswith(job)] if job else []
    if job in matching or len(matching) == 1:
        return job if job in matching else matching[0]
    if len(matching) > 1:
        raise UsageError(f"{clean(job, 80)} could be {', '.join(matching[:4])}.", mend="Give more of it.")
    return files_of(state, job).directory.name


def all_jobs(state: Path, now: datetime) -> tuple[Progress, ...]:
    """Every job of this state directory, the newest first; one that can't be read is left out."""
    pictures = []
    for job in _ids(state):
        try:
            pictures.append(JobView(files_of(state, job)).picture(now))
        except PgdrError:
            continue
    return tuple(pictures)


def follow(
    state: Path,
    job: str,
    on_picture: Callable[[Progress], None],
    now: Callable[[], datetime],
    every_s: float = 0.5,
) -> Progress:
    """Looks at a job every `every_s` seconds until it has ended; hands each picture to `on_picture`
    and returns the last one."""
    watched = view(state, job)
    while True:
        picture = watched.picture(now())
        on_picture(picture)
        if picture.state is not JobState.RUNNING:
            return picture
        time.sleep(every_s)


def ask_cancel(state: Path, job: str, operator: str, keep: bool) -> None:
    """Asks a running job to stop; its fresh database is kept with `keep`, else dropped.

    The supervisor looks for this twice a second. Raises Refused when the job has ended already.
    """
    files = files_of(state, full_id(state, job))
    if not is_held(files.lock):
        raise Refused(f"Job {files.directory.name} is not running.", mend="See how it ended: pgdr jobs")
    write_whole(files.cancel, json.dumps({"operator": operator, "keep": keep}))


def _ids(state: Path) -> list[str]:
    directories = [p for p in jobs_directory(state).iterdir() if (p / "spec.json").is_file()]
    return [p.name for p in sorted(directories, key=_begun, reverse=True)]


def _begun(directory: Path) -> str:
    # restore-20261121T031415Z-a3f2: by the time in the id, whatever the kind
    return directory.name.partition("-")[2]
