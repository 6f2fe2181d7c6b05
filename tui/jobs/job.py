"""What a job is asked to do, and where its files lie."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tui.files import private_directory, write_whole
from tui.model import codec
from tui.model.errors import PgdrError, UsageError
from tui.model.event import JobKind
from tui.model.incident import Address
from tui.model.text import clean, stamp


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job's order. `config` is the absolute path of the configuration it reads its fleet from.

    `target` is the fresh database's name on the server, the one at `address` where the configured one is
    lost; `stores` and `tables` are empty for the
    database's own stores and for everything; `resumes` is the interrupted restore that it goes on with.
    """

    id: str
    kind: JobKind
    config: Path
    database: str
    operator: str
    ref: str | None = None
    target: str | None = None
    tables: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    selection: str = "full"
    workers: int = 2
    rto_s: float | None = None
    resumes: str | None = None
    drill: str = "recovery"  # of a drill: see records.Drill
    began_at: datetime | None = None  # of a drill: when its clock began, before its order was written
    data_at: datetime | None = None  # of a drill: when its backup was taken
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class JobFiles:
    """The files of one job, under its directory."""

    directory: Path

    @property
    def spec(self) -> Path:
        """The order."""
        return self.directory / "spec.json"

    @property
    def journal(self) -> Path:
        """The events."""
        return self.directory / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """Held while the supervisor lives."""
        return self.directory / "lock"

    @property
    def cancel(self) -> Path:
        """There when someone asked the job to stop."""
        return self.directory / "cancel.json"

    @property
    def log(self) -> Path:
        """What the supervisor printed."""
        return self.directory / "supervisor.log"

    @property
    def staging(self) -> Path:
        """Where a downloaded archive lies while it is needed."""
        return self.directory / "staging"


def new_id(kind: JobKind, moment: datetime) -> str:
    """An id that sorts by time within its kind and that no other job has: `restore-20261121T031415Z-a3f2`."""
    return f"{kind.value}-{stamp(moment)}-{secrets.token_hex(2)}"


def jobs_directory(state: Path) -> Path:
    """Where the jobs of a state directory lie; made when missing."""
    return private_directory(state / "jobs")


def files_of(state: Path, job: str) -> JobFiles:
    """The files of the job with the id `job`. Raises UsageError when there is no such job."""
    directory = jobs_directory(state) / job
    if "/" in job or job in {"", ".", ".."} or not (directory / "spec.json").is_file():
        known = sorted(p.name for p in jobs_directory(state).iterdir())[-3:]
        raise UsageError(
            f"There is no job {clean(job, 80)}.",
            mend=f"The newest: {', '.join(known)}." if known else "No job has been started yet.",
        )
    return JobFiles(directory)


def write_spec(state: Path, spec: JobSpec) -> JobFiles:
    """Makes the job's directory and puts its order there."""
    files = JobFiles(private_directory(jobs_directory(state) / spec.id))
    write_whole(files.spec, json.dumps(codec.plain(spec), indent=1))
    return files


def read_spec(files: JobFiles) -> JobSpec:
    """The order of a job. Raises PgdrError when its file can't be read."""
    try:
        return codec.build(json.loads(files.spec.read_text()), JobSpec)
    except (OSError, ValueError, RecursionError) as error:
        raise PgdrError(
            f"The order of job {files.directory.name} can't be read.",
            clean(str(error), 200),
            f"Remove {files.directory} if the job is of no interest.",
        ) from error
