"""The archive of a restore as a file of this machine: where it lies, left by an earlier try, or fetched."""

from __future__ import annotations

import hashlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tui.files import private_directory
from tui.model.backup import Manifest
from tui.model.errors import ArchiveError, PgdrError
from tui.model.event import BytesMoved, LogLine, Phase, PhaseBegan
from tui.operations.report import Report, Stop, Stopped
from tui.stores.store import Store

_NAME = "archive.dump"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An archive as a file here, the bytes that were fetched for it and how long that took."""

    path: Path
    bytes: int
    seconds: float


def archive_here(
    store: Store,
    key: str,
    size: int,
    manifest: Manifest | None,
    staging: Path,
    left: tuple[Path, ...],
    report: Report,
    stop: Stop,
) -> Fetched:
    """Returns the archive as a file, in `staging` where its store has it elsewhere; what `left`, the staging
    directories of earlier tries, have of it is used when it is the same archive.

    Raises ArchiveError when what was fetched isn't what was backed up, Stopped, and as the store does.
    """
    path = store.path(key)
    if path is not None:
        return Fetched(path, 0, 0.0)
    private_directory(staging)
    path = staging / _NAME
    taken = any(_taken_over(directory / _NAME, path, size, manifest) for directory in left)
    for directory in left:
        discard(directory)
    if taken:
        report(LogLine("The archive that was fetched before is used again."))
        return Fetched(path, 0, 0.0)
    began = time.monotonic()
    report(PhaseBegan(Phase.FETCH))
    try:
        store.fetch(key, path, lambda done: report(BytesMoved(Phase.FETCH, done, size)), stop)
    except PgdrError:
        discard(staging)
        if stop():
            raise Stopped from None
        raise
    if manifest and manifest.sha256:
        found = _hash(path)
        if found != manifest.sha256:
            discard(staging)
            raise ArchiveError(
                "The archive that was fetched is not the one that was backed up: its hash differs.",
                f"Expected sha256 {manifest.sha256[:16]}…, found {found[:16]}….",
                "Pick another backup; this one is damaged where it lies, or was on the way.",
            )
    return Fetched(path, path.stat().st_size, time.monotonic() - began)


def discard(staging: Path) -> None:
    """Removes a staging directory with all that is in it."""
    shutil.rmtree(staging, ignore_errors=True)


def _taken_over(old: Path, new: Path, size: int, manifest: Manifest | None) -> bool:
    """Only with a hash to hold it against: without a manifest nothing tells that it is the same archive."""
    try:
        if manifest is None or not manifest.sha256 or old.stat().st_size != size:
            return False
        if _hash(old) != manifest.sha256:
            return False
        old.replace(new)
    except OSError:
        return False
    return True


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
