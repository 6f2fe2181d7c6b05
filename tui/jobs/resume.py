"""Going on with an interrupted restore: the order of the job that does it, and what its journals tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tui.jobs.carry_out import application
from tui.jobs.job import JobFiles, JobSpec, files_of, jobs_directory, new_id, read_spec
from tui.jobs.journal import read
from tui.jobs.watch import JobView
from tui.model.backup import Verdict
from tui.model.errors import PgdrError, Refused
from tui.model.event import JobKind, JobState, TargetMade
from tui.operations.restore.fetch import discard
from tui.operations.restore.resume import Before, before


def resuming(state: Path, job: str, operator: str, now: datetime) -> JobSpec:
    """Given the id of a restore that ended before it was done, returns the order of a new job that goes on
    with it: into the same database, from the same backup.

    Raises UsageError when there is no such job, Refused when it still runs, is done, was gone on with
    already, or is no restore.
    """
    files = files_of(state, job)
    spec = read_spec(files)
    if spec.kind is not JobKind.RESTORE:
        raise Refused(f"Job {spec.id} is a {spec.kind.value}, not a restore.", mend="Start it anew.")
    picture = JobView(files).picture(now)
    if picture.state is JobState.RUNNING:
        raise Refused(f"Job {spec.id} is still running.", mend=f"Watch it: pgdr attach {spec.id}")
    if picture.state is JobState.DONE and picture.verdict is not Verdict.FAILED:
        raise Refused(f"Job {spec.id} is done: there is nothing to go on with.")
    later = _gone_on_by(state, spec.id)
    if later is not None:
        raise Refused(
            f"Job {later} has gone on with {spec.id} already.",
            mend=f"See it: pgdr attach {later}; if it was interrupted too: pgdr resume {later}",
        )
    return replace(spec, id=new_id(JobKind.RESTORE, now), operator=operator, resumes=spec.id)


def history(state: Path, spec: JobSpec) -> Before | None:
    """Given the order of a job, returns what the journal of the restore that it goes on with tells; None
    for a job that begins from the start.

    A job that was ended before it had its database leaves the word to the one that it went on with.
    """
    if spec.resumes is None:
        return None
    chain: list[JobFiles] = []
    resumed: str | None = spec.resumes
    while resumed is not None and len(chain) < 100:
        chain.append(files_of(state, resumed))
        resumed = read_spec(chain[-1]).resumes
    jobs = [files.directory.name for files in chain]
    for files in chain:
        entries, _ = read(files.journal)
        if any(isinstance(entry.event, TargetMade) for entry in entries) or files is chain[-1]:
            return before(
                files.directory.name,
                entries,
                tuple(application(job) for job in jobs),
                tuple(files.staging for files in chain),
            )
    return None


def forget(state: Path, job: str) -> None:
    """Removes the archive that was kept so that a job could be gone on with: it won't be."""
    discard(JobFiles(jobs_directory(state) / job).staging)


def _gone_on_by(state: Path, job: str) -> str | None:
    for directory in jobs_directory(state).iterdir():
        try:
            spec = read_spec(JobFiles(directory))
        except PgdrError:
            continue
        if spec.resumes == job:
            return spec.id
    return None
