"""Locks that end with their holder: a file lock is released by the kernel, however a process dies."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.files import PRIVATE_FILE, NotWritten, private_directory
from tui.model.errors import Refused
from tui.model.text import clean


@contextmanager
def held(path: Path, who: dict[str, str]) -> Iterator[None]:
    """Holds the lock at `path` for the length of a `with`, with `who` written in it for others to read.

    Raises Refused, saying who holds it and since when, when another process does.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        raise NotWritten(path, error) from error
    try:
        if not _taken(handle):
            raise _refusal(path)
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(who).encode(), 0)
        except OSError as error:
            raise NotWritten(path, error) from error
        yield
    finally:
        os.close(handle)


@contextmanager
def taken(path: Path) -> Iterator[bool]:
    """Tries to take a lock that is there already, for the length of a `with`; gives whether it is ours.

    For as long as it takes to rename something: who wants the lock meanwhile waits a moment.
    """
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    # Whoever asks is_held() has the lock for an instant, so one refusal proves nothing: five do.
    for attempt in range(5):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02 * (attempt + 1))
        else:
            return True
    return False


def is_held(path: Path) -> bool:
    """Whether some living process holds the lock at `path`."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def target_lock_path(state: Path, server: str, database: str) -> Path:
    """Where the lock on one database of one server lies; names of any characters give a plain file name."""
    digest = hashlib.sha256(f"{server}\0{database}".encode()).hexdigest()[:24]
    return private_directory(state / "locks") / f"{digest}.lock"


def backup_lock_path(state: Path, database: str, store: str) -> Path:
    """Where the lock on backups of a database (its name in the fleet) into a store lies."""
    return target_lock_path(state, f"backup into {store}", database)


def dumps_directory(state: Path) -> Path:
    """Where backups stage their dumps, each in a directory called as its lock is."""
    return state / "dumps"


def backup_staging(state: Path, lock: Path) -> Path:
    """Where a dump may be staged by whoever holds the lock of that backup."""
    return dumps_directory(state) / lock.stem


def _refusal(path: Path) -> Refused:
    try:
        who = json.loads(path.read_text())
    except (OSError, ValueError):
        who = {}
    by = clean(str(who.get("operator", "someone")), 60)
    job = clean(str(who.get("job", "a job")), 80)
    since = clean(str(who.get("since", "an unknown time")), 40)
    return Refused(
        f"{by} is at work on this target already, with {job}, since {since}.",
        mend="Wait for it to end." if " " in job else f"Watch it with: pgdr attach {job}",
    )
