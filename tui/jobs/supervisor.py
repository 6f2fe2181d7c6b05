"""The supervisor: a process in a session of its own that carries one job out and writes its journal.

Started as `python -m tui.jobs.supervisor DIRECTORY`. It holds the job's lock as long as it lives, owns
what it starts, and writes how it ended as its last event. Closing the terminal, killing the app or
losing the link doesn't reach it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from tui.config.load import load
from tui.files import write_whole
from tui.jobs.carry_out import Ending, carry_out
from tui.jobs.job import JobFiles, JobSpec, read_spec
from tui.jobs.journal import Journal, read
from tui.jobs.lock import backup_lock_path, held, target_lock_path
from tui.jobs.resume import history
from tui.jobs.sweep import sweep
from tui.jobs.updates import Updater
from tui.model.backup import Verdict
from tui.model.elsewhere import database_at
from tui.model.errors import PgdrError, Refused, Unreachable
from tui.model.event import CancelAsked, JobEnded, JobKind, JobStarted, JobState, TargetMade
from tui.model.fleet import Database, Fleet
from tui.model.text import clean, rfc3339
from tui.operations.report import Stopped

_LOOK_EVERY_S = 0.5
_RESERVE = 16 << 10  # bytes kept free for a job's last words on a disk that has become full


class Cancel:
    """Whether someone asked the job to stop, by a file beside its journal or by SIGTERM."""

    def __init__(self, files: JobFiles, journal: Journal) -> None:
        self._asked = threading.Event()
        self._keep = False
        self._files = files
        self._journal = journal
        threading.Thread(target=self._look, name="cancel", daemon=True).start()

    def asked(self) -> bool:
        """Whether to stop now."""
        return self._asked.is_set()

    def keep(self) -> bool:
        """Whether the unfinished database is to be kept."""
        return self._keep

    def terminate(self, *_: object) -> None:
        """SIGTERM: the machine goes down or someone killed the supervisor politely; the database is kept."""
        self._keep = True
        self._asked.set()

    def _look(self) -> None:
        while not self._asked.is_set():
            try:
                asked = json.loads(self._files.cancel.read_text())
                self._keep = bool(asked["keep"])
                self._journal.append(CancelAsked(clean(str(asked["operator"]), 80), self._keep))
                self._asked.set()
            except (OSError, ValueError, KeyError, TypeError):
                time.sleep(_LOOK_EVERY_S)  # not there, or not whole yet


def main(directory: Path) -> int:
    """Carries out the job whose order lies in `directory`. Returns 0 when it was done, else 1."""
    files = JobFiles(directory)
    spec = read_spec(files)
    began = time.monotonic()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with ExitStack() as stack:
        stack.enter_context(held(files.lock, _who(spec)))
        journal = Journal(files.journal, _now)
        stack.callback(journal.close)
        journal.append(_started(spec))
        reserve = files.directory / "reserve"
        write_whole(reserve, bytes(_RESERVE))
        sweep(directory.parent.parent, _now())
        cancel = Cancel(files, journal)
        signal.signal(signal.SIGTERM, cancel.terminate)
        try:
            ending = _run(files, spec, journal, cancel, stack)
        except Stopped:
            kept = f" Its database {clean(spec.target or '')} was kept." if cancel.keep() else ""
            ending = Ending(JobState.CANCELLED, None, f"Stopped as asked.{kept}")
        except PgdrError as error:
            ending = Ending(
                JobState.FAILED,
                None,
                _sentence(error),
                error.mend,
                unreachable=isinstance(error, Unreachable),
                refused=isinstance(error, Refused),
            )
        except Exception as error:  # noqa: BLE001 - the last word of a job must be in its journal, whatever
            # happened; a message of unknown origin could hold anything, so only its kind is told
            ending = Ending(
                JobState.FAILED,
                None,
                f"A fault in pgdr itself: {type(error).__name__} in {_place(error)}.",
                "Please report it. The live database was not touched.",
            )
        reserve.unlink(missing_ok=True)
        ending = _with_resume(ending, spec, files, cancel)
        journal.append(
            JobEnded(
                state=ending.state,
                verdict=ending.verdict,
                duration_s=time.monotonic() - began,
                message=ending.message,
                mend=ending.mend,
                ref=ending.ref,
                rows=ending.rows,
                items=ending.items,
                fetched_bytes=ending.fetched_bytes,
                unreachable=ending.unreachable,
                refused=ending.refused,
            )
        )
    return 0 if ending.state is JobState.DONE else 1


def _run(files: JobFiles, spec: JobSpec, journal: Journal, cancel: Cancel, stack: ExitStack) -> Ending:
    state = files.directory.parent.parent
    fleet = load(spec.config)
    database = _database(fleet, spec)
    for store in spec.stores if spec.kind is JobKind.BACKUP else ():
        stack.enter_context(held(backup_lock_path(state, database.name, store), _who(spec)))
    if spec.target is not None:
        server = f"{database.endpoint.host}:{database.endpoint.port}"
        stack.enter_context(held(target_lock_path(state, server, spec.target), _who(spec)))
    told = Updater(files, spec, fleet, journal, _now) if spec.kind is JobKind.RESTORE else nullcontext()
    with told:
        return carry_out(
            fleet,
            state,
            database,
            spec,
            staging=files.staging,
            report=journal.append,
            stop=cancel.asked,
            keep=cancel.keep,
            now=_now,
            was=history(state, spec),
        )


def _with_resume(ending: Ending, spec: JobSpec, files: JobFiles, cancel: Cancel) -> Ending:
    """Says how to go on, where the restore has left a database that it can be gone on with in."""
    done = ending.state is JobState.DONE and ending.verdict is not Verdict.FAILED
    if spec.kind is not JobKind.RESTORE or done or (ending.state is JobState.CANCELLED and not cancel.keep()):
        return ending
    if not any(isinstance(entry.event, TargetMade) for entry in read(files.journal)[0]):
        return ending
    then = "Then go" if ending.mend else "Go"
    mend = f"{ending.mend or ''} {then} on with it: pgdr resume {spec.id}".strip()
    return replace(ending, mend=mend)


def _database(fleet: Fleet, spec: JobSpec) -> Database:
    database = fleet.database(spec.database)
    if database is None:
        raise PgdrError(
            f"The configuration no longer names {clean(spec.database)}.",
            mend=f"It was read from {spec.config}.",
        )
    return database_at(database, spec.address)


def _started(spec: JobSpec) -> JobStarted:
    return JobStarted(
        job=spec.id,
        kind=spec.kind,
        database=spec.database,
        ref=spec.ref,
        target=spec.target,
        operator=spec.operator,
        host=socket.gethostname(),
        pid=os.getpid(),
        workers=spec.workers,
        rto_s=spec.rto_s,
    )


def _who(spec: JobSpec) -> dict[str, str]:
    return {"operator": spec.operator, "job": spec.id, "since": rfc3339(_now()), "pid": str(os.getpid())}


def _sentence(error: PgdrError) -> str:
    return " ".join(part for part in (error.what, error.why) if part)


def _place(error: Exception) -> str:
    traceback = error.__traceback__
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    if traceback is None:
        return "an unknown place"
    code = traceback.tb_frame.f_code
    return f"{Path(code.co_filename).name}:{traceback.tb_lineno} ({code.co_name})"


def _now() -> datetime:
    return datetime.now(timezone.utc)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
