"""What the demo has running, written down so that a later start can stop what a killed one left behind.

One file a process in a private directory of this user: the process and its owner, each by pid and start
time, so that a recycled pid is never taken for the one that was meant.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tui.files import private_directory, write_whole
from tui.model.errors import PgdrError

GENTLE_S = 10.0
SAME_START_S = 1.0  # psutil derives start times from the boot time, which clock corrections move a little


@dataclass(frozen=True, slots=True)
class Running:
    """A process of a demo: `stop_signal` asks it to end, `directory` is where it works."""

    kind: str
    pid: int
    created: float
    owner_pid: int
    owner_created: float
    directory: str
    stop_signal: int


def registry() -> Path:
    """The registry's directory, made when missing. Raises PgdrError when it isn't this user's own."""
    path = private_directory(Path(tempfile.gettempdir()) / f"pgdr-demo-{os.geteuid()}")
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PgdrError(f"{path} is not a private directory of this user.", mend="Remove it and try again.")
    return path


def enter(kind: str, pid: int, directory: Path, stop_signal: signal.Signals) -> Path:
    """Notes a process that this one has started; returns its file, to be removed when it has ended."""
    running = Running(
        kind=kind,
        pid=pid,
        created=psutil.Process(pid).create_time(),
        owner_pid=os.getpid(),
        owner_created=psutil.Process().create_time(),
        directory=str(directory),
        stop_signal=int(stop_signal),
    )
    path = registry() / f"{kind}-{pid}.json"
    write_whole(path, json.dumps(asdict(running)))
    return path


def stop_leftovers() -> tuple[Running, ...]:
    """Stops every registered process whose owner is gone, and returns those that were still running.

    Processes of demos that are alive are not touched. Takes up to GENTLE_S for each process that does
    not end when asked.
    """
    stopped = []
    for path in sorted(registry().glob("*.json")):
        try:
            running = Running(**json.loads(path.read_text()))
        except FileNotFoundError:
            continue  # its owner has just stopped it
        except (ValueError, TypeError):
            path.unlink(missing_ok=True)  # not ours or of another version: it names nothing we could stop
            continue
        if find(running.owner_pid, running.owner_created):
            continue
        if process := find(running.pid, running.created):
            end(process, signal.Signals(running.stop_signal))
            stopped.append(running)
        path.unlink(missing_ok=True)
    return tuple(stopped)


def find(pid: int, created: float) -> psutil.Process | None:
    """The process of that pid and start time, or None when it is gone (a zombie is gone)."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) > SAME_START_S or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def end(process: psutil.Process, stop_signal: signal.Signals) -> None:
    """Asks a process to end, waits up to GENTLE_S, then kills it and its children."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = process.children(recursive=True)
        process.send_signal(stop_signal)
        try:
            process.wait(GENTLE_S)
        except psutil.TimeoutExpired:
            for one in (process, *children):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            psutil.wait_procs([process, *children], timeout=GENTLE_S)
