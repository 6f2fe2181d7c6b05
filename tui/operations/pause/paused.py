"""What is paused or frozen, written down before it is done, so that nothing of it is ever forgotten.

    STATE/paused/service.NAME.toml       a service that was stopped, or was about to be
    STATE/paused/freeze.NAME.OID.toml    a database that was frozen, or was about to be

Each stays until its service runs again, its database is thawed, or a person has gone past it with a reason.
Written whole, so a kill at any moment leaves the record of before or of after.
"""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import tomli_w

from tui.files import PRIVATE_FILE, private_directory, write_whole
from tui.model import codec
from tui.model.errors import PgdrError, Refused
from tui.model.paused import FrozenDatabase, Paused, PausedService
from tui.model.text import clean

T = TypeVar("T", PausedService, FrozenDatabase)

_SERVICE, _FREEZE = "service", "freeze"


def paused(state: Path) -> Paused:
    """Everything that is still paused or frozen, or may be. Asks no server and no service."""
    problems: list[str] = []

    def read(kind: str, cls: type[T]) -> tuple[T, ...]:
        found = []
        for path in sorted((state / "paused").glob(f"{kind}.*.toml")):
            try:
                record = _read(path, cls)
            except PgdrError as error:
                problems.append(str(error))
                continue
            if record is not None and record.gone_past is None:
                found.append(record)
        return tuple(sorted(found, key=lambda record: record.at))

    services, databases = read(_SERVICE, PausedService), read(_FREEZE, FrozenDatabase)
    return Paused(services, databases, tuple(problems))


def paused_service(state: Path, name: str) -> PausedService | None:
    """What was written down of a service; None when it isn't paused or was gone past. Raises PgdrError when
    it can't be read: it may hold the only word on how many replicas there were."""
    found = _read(_service_path(state, name), PausedService)
    return found if found is not None and found.gone_past is None else None


def write_service(state: Path, record: PausedService) -> None:
    """Writes it down; on disk when this returns."""
    _write(_service_path(state, record.service), record)


def forget_service(state: Path, name: str) -> None:
    """It runs again."""
    _service_path(state, name).unlink(missing_ok=True)


def frozen(state: Path, database: str) -> tuple[FrozenDatabase, ...]:
    """What is frozen of a database of the fleet: the live one, then those that swaps have put aside. Raises
    PgdrError when a record can't be read: it may hold the only word on what was before."""
    paths = sorted((state / "paused").glob(f"{_FREEZE}.{_escaped(database)}.*.toml"))
    found = [record for record in (_read(path, FrozenDatabase) for path in paths) if record is not None]
    mine = [record for record in found if record.database == database and record.gone_past is None]
    return tuple(sorted(mine, key=lambda record: (record.aside, -record.at.timestamp())))


def write_frozen(state: Path, record: FrozenDatabase) -> None:
    """Writes it down; on disk when this returns."""
    _write(_freeze_path(state, record), record)


def forget_frozen(state: Path, record: FrozenDatabase) -> None:
    """It is thawed, or there is no such database any more."""
    _freeze_path(state, record).unlink(missing_ok=True)


def dropped(state: Path, database: str, dbname: str) -> None:
    """Forgets the freeze of one that was dropped for good."""
    for record in frozen(state, database):
        if record.aside and record.dbname == dbname:
            forget_frozen(state, record)


@contextmanager
def alone_with(state: Path, kind: str, name: str) -> Iterator[None]:
    """Holds the lock on one service or database for as long as the block lasts. Raises Refused when another
    pgdr of this state directory is pausing or resuming it. The lock goes when this process does."""
    path = _directory(state) / f"{kind}.{_escaped(name)}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(
                f"Another pgdr is pausing or resuming {clean(name)} at this moment.",
                mend="Wait for it, then look again.",
            ) from None
        yield
    finally:
        os.close(handle)


def at_work(state: Path, kind: str, name: str) -> bool:
    """Whether a pgdr is pausing or resuming it at this moment."""
    path = state / "paused" / f"{kind}.{_escaped(name)}.lock"
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def change_service(state: Path, name: str, how: Callable[[PausedService], PausedService]) -> PausedService:
    """Changes what was written down of a service. Raises Refused when nothing was, or another is at it."""
    with alone_with(state, _SERVICE, name):
        record = paused_service(state, name)
        if record is None:
            raise Refused(f"{clean(name)} is not recorded as paused here.", mend="See: pgdr paused")
        changed = how(record)
        write_service(state, changed)
        return changed


def _directory(state: Path) -> Path:
    return private_directory(state / "paused")


def _escaped(name: str) -> str:
    # A name can hold any character; percent-encoded it is one plain part of a file's name.
    return quote(name, safe="").replace(".", "%2E")[:200]


def _service_path(state: Path, name: str) -> Path:
    return state / "paused" / f"{_SERVICE}.{_escaped(name)}.toml"


def _freeze_path(state: Path, record: FrozenDatabase) -> Path:
    return state / "paused" / f"{_FREEZE}.{_escaped(record.database)}.{record.oid}.toml"


def _read(path: Path, cls: type[T]) -> T | None:
    try:
        return codec.build(tomllib.loads(path.read_text("utf-8")), cls)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise PgdrError(
            f"What was written down of a pause can't be read: {clean(str(path))}.",
            clean(str(error), 200),
            "Read it, see to the service or database by hand, then put the file away.",
        ) from None


def _write(path: Path, record: PausedService | FrozenDatabase) -> None:
    private_directory(path.parent)
    write_whole(path, tomli_w.dumps(codec.without_none(codec.plain(record))))
