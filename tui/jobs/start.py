"""Starting a job: its order is written, a supervisor is started in a session of its own."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tui.files import PRIVATE_FILE
from tui.jobs.job import JobFiles, JobSpec, write_spec
from tui.jobs.lock import is_held
from tui.model.errors import PgdrError
from tui.model.text import clean
from tui.process import Command, start

_STARTED_WITHIN_S = 20.0


def start_job(state: Path, spec: JobSpec) -> str:
    """Starts the job that `spec` orders and returns its id once its supervisor lives.

    The supervisor is in a session of its own: it outlives this process, its terminal and its link.
    Raises PgdrError with what the supervisor printed when it doesn't come up.
    """
    files = write_spec(state, spec)
    command = Command((sys.executable, "-m", "tui.jobs.supervisor", str(files.directory)))
    with os.fdopen(os.open(files.log, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE), "wb") as log:
        # cwd: the supervisor must not keep the directory of a terminal, or of a mount, busy
        process = start(command, stdout=log, stderr=log, detached=True, cwd="/")
    deadline = time.monotonic() + _STARTED_WITHIN_S
    while time.monotonic() < deadline:
        if files.journal.exists() or is_held(files.lock):
            return spec.id
        if process.poll() is not None:
            raise _did_not_start(files)
        time.sleep(0.02)
    raise _did_not_start(files)


def _did_not_start(files: JobFiles) -> PgdrError:
    printed = files.log.read_text(errors="replace").strip().splitlines()
    return PgdrError(
        f"Job {files.directory.name} did not start.",
        clean(printed[-1], 300) if printed else None,
        f"Its log is {files.log}.",
    )
