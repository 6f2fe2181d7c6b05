"""The archive of a restore as a file of this machine: where it lies, left by an earlier try, or fetched."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui.files import private_directory
from tui.model.backup import ArchiveFormat, Contents, Layer, Manifest, StoredObject
from tui.model.errors import ArchiveError, PgdrError
from tui.model.event import BytesMoved, LogLine, Phase, PhaseBegan
from tui.model.fleet import Fleet
from tui.model.text import clean_lines
from tui.model.verdict import ErrorClass, RestoreError
from tui.operations.catalogue.directory import files_of, place
from tui.operations.catalogue.names import cipher_of
from tui.operations.layers.layers import opened
from tui.operations.report import Report, Stop, Stopped
from tui.postgres.archive.files import cut_rows, data_files, files_for, tar_members, told_missing
from tui.postgres.archive.reader import OTHER_COPY
from tui.stores.download import new_file, room_here
from tui.stores.steady import steady
from tui.stores.store import Store

_NAME = "archive.dump"
_FETCHED_AT_ONCE = 4
_LOOK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class Fetched:
    """An archive as a file here, the bytes that were fetched for it and how long that took; whether it was
    held against its manifest's hash, if it has one."""

    path: Path
    bytes: int
    seconds: float
    compared: bool = True


def archive_here(
    store: Store,
    key: str,
    size: int,
    manifest: Manifest | None,
    staging: Path,
    left: tuple[Path, ...],
    report: Report,
    stop: Stop,
    contents: Contents,
    fleet: Fleet,
    chosen: Collection[int] | None = None,
) -> Fetched:
    """Returns the archive as a file, or directory, in `staging` where its store has it elsewhere or it is
    packed; what `left`, the staging directories of earlier tries, have of it is used when it is the same.

    Of an archive of several files only those are fetched that hold what is `chosen` (dump ids; None: all).
    An archive that was encrypted is in clear there: who asks for it discards `staging` in the end.

    Raises ArchiveError when what was fetched isn't what was backed up or can't be opened, Stopped, and as
    the store does; `staging` is gone then.
    """
    path = place(store, key)
    packed = contents.layers and contents.format is not ArchiveFormat.PLAIN  # SQL is unpacked as it is sent
    if path is not None and not packed:
        _look_through(path, contents)
        first = contents.format is ArchiveFormat.PLAIN or contents.compression == "none"
        if manifest and first:
            _compare_here(path, manifest)
        return Fetched(path, 0, 0.0, compared=first)
    private_directory(staging)
    path = staging / _NAME
    whole = contents.format is not ArchiveFormat.DIRECTORY and not packed
    taken = whole and any(_taken_over(directory / _NAME, path, size, manifest) for directory in left)
    for directory in left:
        discard(directory)
    if taken:
        report(LogLine("The archive that was fetched before is used again."))
        return Fetched(path, 0, 0.0)
    began = time.monotonic()
    report(PhaseBegan(Phase.FETCH))
    try:
        if contents.format is ArchiveFormat.DIRECTORY:
            moved = _fetch_files(store, key, path, manifest, contents, chosen, fleet, report, stop)
        elif packed:
            found = store.stat(key)
            expected = manifest.sha256 if manifest and manifest.sha256 else None

            def advanced(done: int) -> None:
                report(BytesMoved(Phase.FETCH, done, found.size_bytes))

            _fetch_opened(store, found, path, contents.layers, fleet, expected, advanced, stop)
            moved = found.size_bytes if store.path(key) is None else 0
        else:
            store.fetch(key, path, lambda done: report(BytesMoved(Phase.FETCH, done, size)), stop)
            moved = path.stat().st_size
            if manifest and manifest.sha256:
                _compare(_hash(path), manifest.sha256)
        _look_through(path, contents)
    except PgdrError:
        discard(staging)
        if stop():
            raise Stopped from None
        raise
    except BaseException:
        discard(staging)
        raise
    return Fetched(path, moved, time.monotonic() - began)


def _fetch_opened(
    store: Store,
    found: StoredObject,
    path: Path,
    layers: tuple[Layer, ...],
    fleet: Fleet,
    expected: str | None,
    advanced: Callable[[int], None],
    stop: Stop,
    what: str = "archive",
) -> None:
    """What lies in the layers becomes `path`; only when all of it came, and the stored bytes have the
    `expected` hash. `advanced` is told how many of those came so far, from time to time."""
    digest = hashlib.sha256()
    came = 0

    def stored() -> Iterator[bytes]:  # another thread may draw from it
        nonlocal came
        for piece in steady(store, found):
            if stop():
                raise Stopped
            digest.update(piece)
            came += len(piece)
            yield piece

    # What comes out of a compression is larger than what goes in, and of an encryption hardly smaller
    with new_file(path, found.size_bytes) as file, closing(opened(stored(), layers, fleet)) as pieces:
        told_at = 0.0
        for piece in pieces:
            with room_here(path):
                file.write(piece)
            if time.monotonic() - told_at >= _LOOK_EVERY_S:
                told_at = time.monotonic()
                advanced(came)
        if expected is not None:
            _compare(digest.hexdigest(), expected, what)


def _fetch_files(
    store: Store,
    key: str,
    path: Path,
    manifest: Manifest | None,
    contents: Contents,
    chosen: Collection[int] | None,
    fleet: Fleet,
    report: Report,
    stop: Stop,
) -> int:
    """The files of a directory archive, some at once, each with the manifest's hash and without its
    encryption; returns the bytes that were fetched."""
    files = files_of(store, key)
    if chosen is not None:
        wanted = files_for(contents, files, chosen)
        files = {name: file for name, file in files.items() if name in wanted}
    hashes = {f"{key}/{file.name}": file.sha256 for file in manifest.files} if manifest else {}
    total = sum(file.size_bytes for file in files.values())
    moved = dict.fromkeys(files, 0)
    ending = threading.Event()

    def ended() -> bool:
        return ending.is_set() or stop()

    def one(name: str, found: StoredObject) -> None:
        def advanced(done: int) -> None:
            moved[name] = done

        kind, expected, what = cipher_of(found.key), hashes.get(found.key), f"file {name} of the archive"
        if kind is None:
            store.fetch(found.key, path / name, advanced, ended)
            if expected is not None:
                _compare(_hash(path / name), expected, what)
        else:
            _fetch_opened(store, found, path / name, (Layer(kind),), fleet, expected, advanced, ended, what)
        moved[name] = found.size_bytes

    private_directory(path)
    with ThreadPoolExecutor(_FETCHED_AT_ONCE, "pgdr-fetch") as pool:
        waiting = {pool.submit(one, name, found) for name, found in files.items()}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=_LOOK_EVERY_S, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                report(BytesMoved(Phase.FETCH, sum(moved.values()), total))
        finally:
            ending.set()  # of those under way, should one have failed
            for future in waiting:
                future.cancel()
    return total if place(store, key) is None else 0


def _look_through(path: Path, contents: Contents) -> None:
    """What a look at the files tells, before anything is created: whether each is there, and where rows end
    too early for pg_restore to see it. Raises ArchiveError."""
    if contents.format is ArchiveFormat.TAR:
        with path.open("rb") as file:

            def read(start: int, length: int) -> bytes:
                file.seek(start)
                return file.read(length)

            found = data_files(contents, tar_members(read, path.stat().st_size))
        if (wrong := told_missing(found)) is not None:
            raise ArchiveError(wrong, mend=OTHER_COPY)
    if contents.format is ArchiveFormat.DIRECTORY:
        there = {item.name: item.stat().st_size for item in path.iterdir()}
        name = cut_rows(contents, there, lambda name, length: _tail(path / name, length))
        if name is not None:
            raise ArchiveError(f"The archive is cut short: its file {name} ends too early.", mend=OTHER_COPY)


def _tail(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - length))
        return file.read(length)


def changed(archive: Fetched, manifest: Manifest | None) -> RestoreError | None:
    """Given an archive that is loaded, returns what is to be told where it isn't the one of its manifest.

    Compressed rows show by themselves that a byte has changed, and are loaded as far as they go; definitions
    don't. So such an archive is held against its hash afterwards: some 3 s for each GB, from the cache.
    """
    if manifest is None or archive.compared:
        return None
    try:
        _compare_here(archive.path, manifest)
    except (ArchiveError, OSError) as error:
        return RestoreError(
            entry=None,
            dump_id=None,
            message=clean_lines(str(error)),
            error_class=ErrorClass.ARCHIVE,
            harmless=False,
            meaning="It has changed since it was taken: a definition or a value may be another now.",
            mend="Use another store's copy of this backup, or the backup before it.",
        )
    return None


def _compare_here(path: Path, manifest: Manifest) -> None:
    """What isn't compressed has no checksum of its own: nothing but the manifest's shows a changed byte."""
    if manifest.files:
        for file in manifest.files:
            _compare(_hash(path / file.name), file.sha256, f"file {file.name} of the archive", "lies here")
    elif manifest.sha256 and path.is_file():
        _compare(_hash(path), manifest.sha256, came="lies here")


def _compare(found: str, expected: str, what: str = "archive", came: str = "was fetched") -> None:
    if found != expected:
        raise ArchiveError(
            f"The {what} that {came} is not the one that was backed up: its hash differs.",
            f"Expected sha256 {expected[:16]}…, found {found[:16]}….",
            "Pick another backup; this one is damaged where it lies, or was on the way.",
        )


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
