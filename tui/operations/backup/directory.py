"""A dump in the directory format: several workers write it to this machine's disk, from which its files go
into the stores, one by one. The table of contents goes last, so that what has one is whole.

An encrypted one is in clear on this disk, for this user alone, until pg_dump has ended; then each file is
encrypted by itself, so that single tables can be read, and its clear one removed.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from tui.files import private_directory
from tui.model.backup import StoredFile
from tui.model.errors import ArchiveError, PgdrError
from tui.model.event import BytesMoved, Phase
from tui.model.text import clean
from tui.operations.backup.dump import Dump
from tui.operations.backup.fan import StoreFailed
from tui.operations.backup.stream import Streamed
from tui.operations.catalogue.directory import TOC, TOCS
from tui.operations.layers.encryption import encrypted, kind_of
from tui.operations.report import Report
from tui.postgres.archive.archive import read_contents
from tui.postgres.archive.files import data_files, told_missing
from tui.process import Command
from tui.stores.store import Store

_CHUNK = 1 << 20
_LOOK_EVERY_S = 0.3
_AT_ONCE = 4  # files that are hashed or encrypted
_ROOM = 16 << 20  # bytes; with less this machine's disk is what is full
_MORE_ROOM = "Make room on this machine's disk, or keep the state elsewhere: pgdr --state DIR"


class DirectoryDump:
    """One dump into a directory of this machine and from there into several stores. To be used in a `with`:
    its end removes the directory."""

    def __init__(
        self,
        command: Command,
        stores: Sequence[Store],
        key: str,
        report: Report,
        directory: Path,
        *,
        recipients: tuple[str, ...] = (),
        gnupg_home: Path | None = None,
    ) -> None:
        """Starts `command`, which writes the dump to `directory`; what an earlier one left there goes. Its
        files are encrypted for the `recipients`, if there are any."""
        self.failed: list[StoreFailed] = []
        self._stores = stores
        self._key = key
        self._report = report
        self._directory = directory
        self._recipients = recipients
        self._gnupg_home = gnupg_home
        self._files: tuple[StoredFile, ...] = ()
        self._moved = 0
        self._stop = threading.Event()
        private_directory(directory.parent)
        shutil.rmtree(directory, ignore_errors=True)
        self._dump = Dump(command, report)

    def __enter__(self) -> DirectoryDump:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._dump.end()
        shutil.rmtree(self._directory, ignore_errors=True)
        with suppress(OSError):
            self._directory.parent.rmdir()

    def heed(self) -> None:
        """Tells how far pg_dump is. Raises its error when it has failed."""
        self._report(BytesMoved(Phase.DUMP, sum(size for _, size in self._there()), None))
        if not self._dump.running():
            self._dump.wait()

    def wait(self, heed: Callable[[], None]) -> None:
        """Waits until pg_dump has ended well; `heed` is called meanwhile. Raises its error."""
        pause = threading.Event()
        while self._dump.running():
            heed()
            pause.wait(_LOOK_EVERY_S)
        try:
            self._dump.wait()
        except PgdrError as error:
            free = shutil.disk_usage(self._directory.parent).free
            if "No space left" not in (error.why or "") or free > _ROOM:
                raise
            raise PgdrError(error.what, error.why, _MORE_ROOM) from error

    def made(self, heed: Callable[[], None]) -> Streamed:
        """Reads what was written, and encrypts it: each file's hash as it is stored, and as the hash of all
        that of the lines `hash  name`, as sha256sum prints them, in the order of the names.

        Raises PgdrError when a file is missing: whoever clears up a disk may have taken one away.
        """
        self._look_through()
        names = dict(self._there())
        read = dict.fromkeys(names, 0)
        ending = threading.Event()

        def one(name: str) -> StoredFile:
            def advanced(done: int) -> None:
                read[name] = done
                if ending.is_set():
                    raise PgdrError("It was ended.")

            return self._ready(name, advanced)

        heed()
        with ThreadPoolExecutor(_AT_ONCE, "pgdr-seal") as pool:
            waiting = {pool.submit(one, name) for name in names}
            made = []
            try:
                while waiting:
                    heed()
                    self._report(BytesMoved(Phase.DUMP, sum(read.values()), sum(names.values())))
                    done, waiting = wait(waiting, timeout=_LOOK_EVERY_S, return_when=FIRST_EXCEPTION)
                    made += [future.result() for future in done]
            finally:
                ending.set()
                for future in waiting:
                    future.cancel()
        files = sorted(made, key=lambda file: file.name)
        self._files = tuple(files)
        whole = hashlib.sha256("".join(f"{f.sha256}  {f.name}\n" for f in files).encode())
        return Streamed(sum(f.size_bytes for f in files), whole.hexdigest(), files=self._files)

    def _look_through(self) -> None:
        there = dict(self._there())
        if TOC not in there:
            wrong: str | None = "Its table of contents is gone."
        else:
            try:
                with (self._directory / TOC).open("rb") as toc:
                    contents = read_contents(partial(_ranged, toc), there[TOC])
                found = data_files(contents, there, lambda name: (self._directory / name).read_bytes())
                wrong = told_missing(found)
            except (OSError, ArchiveError) as error:
                wrong = clean(str(error), 300)
        if wrong is not None:
            raise _not_whole(wrong, self._directory)

    def _ready(self, name: str, advanced: Callable[[int], None]) -> StoredFile:
        """Makes one of pg_dump's files what is stored of it; `advanced` is told its bytes that were read."""
        plain = self._directory / name
        kind = kind_of(self._recipients)
        if kind is None:
            return _measured(name, _chunks(plain, advanced))
        name = f"{name}.{kind}"
        with (
            _written(self._directory / name) as file,
            closing(encrypted(_chunks(plain, advanced), self._recipients, self._gnupg_home)) as sealed,
        ):
            made = _measured(name, sealed, into=file)
        plain.unlink(missing_ok=True)
        return made

    def finish(self, heed: Callable[[], None]) -> list[Store]:
        """Puts the files into every store at once; returns the stores that have all of them.

        `heed` is called meanwhile; what it raises ends it. Raises the first store's error when none has.
        """
        problems: dict[str, PgdrError] = {}

        def put_all(store: Store) -> None:
            try:
                for file in sorted(self._files, key=lambda f: (f.name in TOCS, f.name)):
                    store.write(f"{self._key}/{file.name}", self._read(file))
            except PgdrError as error:
                problems[store.name] = error
            except Exception as error:  # noqa: BLE001 - a thread that died unsaid would be a backup that isn't there
                problems[store.name] = PgdrError(f"The store {store.name} failed: {type(error).__name__}.")

        threads = [
            threading.Thread(target=put_all, args=(s,), name=f"pgdr-store-{s.name}", daemon=True)
            for s in self._stores
        ]
        total = len(self._stores) * sum(f.size_bytes for f in self._files)
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    heed()
                    self._report(BytesMoved(Phase.STORE, self._moved, total))
                    thread.join(_LOOK_EVERY_S)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        self.failed = [StoreFailed(s.name, problems[s.name]) for s in self._stores if s.name in problems]
        for store in self._stores:
            if store.name in problems:
                self.take_away(store)
        if len(self.failed) == len(self._stores):
            raise self.failed[0].error
        return [s for s in self._stores if s.name not in problems]

    def take_away(self, store: Store) -> None:
        """Removes what went into a store, the table of contents first."""
        for file in sorted(self._files, key=lambda f: (f.name not in TOCS, f.name)):
            try:
                store.delete(f"{self._key}/{file.name}")
            except PgdrError:
                continue  # the store that fails to store may fail to delete; without its contents it is none

    def _read(self, file: StoredFile) -> Iterator[bytes]:
        for chunk in _chunks(self._directory / file.name):
            if self._stop.is_set():
                raise PgdrError("It was ended.")
            yield chunk
            self._moved += len(chunk)

    def _there(self) -> list[tuple[str, int]]:
        try:
            return [(p.name, p.stat().st_size) for p in self._directory.iterdir()]
        except FileNotFoundError:
            return []  # not made yet


def _chunks(path: Path, advanced: Callable[[int], None] = lambda done: None) -> Iterator[bytes]:
    """A file's bytes; `advanced` is told how many so far. Raises PgdrError when it can't be read."""
    done = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                done += len(chunk)
                advanced(done)
                yield chunk
    except OSError as error:
        said = f"Its file {clean(path.name)} can't be read: {clean(error.strerror or str(error))}."
        raise _not_whole(said, path.parent) from error


def _not_whole(why: str, directory: Path) -> PgdrError:
    return PgdrError(
        "The dump isn't whole; no backup was stored.",
        why,
        f"It was made in {clean(str(directory))}: see who or what clears up there, and take it again.",
    )


def _measured(name: str, chunks: Iterable[bytes], into: IO[bytes] | None = None) -> StoredFile:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if into is not None:
            into.write(chunk)
    return StoredFile(name, size, digest.hexdigest())


def _ranged(file: IO[bytes], start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A new file; what the disk has against it is told as an error of this machine's."""
    try:
        with path.open("xb") as file:
            yield file
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise PgdrError(
            f"The dump could not be encrypted on this machine's disk: {clean(error.strerror or str(error))}.",
            f"It was at {clean(str(path))}. Nothing was stored.",
            _MORE_ROOM if full else "See what is wrong with that directory, and take it again.",
        ) from None
