"""Downloading one object as parallel ranges.

One connection rarely fills a line to a far store; four do. Each range goes on from where it broke off.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol

from tui.model.backup import StoredObject
from tui.model.errors import PgdrError, Unreachable
from tui.model.text import clean
from tui.stores.download import new_file, room_here
from tui.stores.store import StoreDenied, StoreMissing, stopped

RANGE_BYTES = 16 << 20
_WORKERS = 4
_TRIES = 4  # of a range that breaks off in its middle; botocore has tried each request itself before
_TELL_EVERY_S = 0.25


class Streams(Protocol):
    """What a download needs of a store."""

    def stream(self, key: str, start: int, length: int, etag: str | None = None) -> Iterator[bytes]:
        """See Store.stream."""


def fetch_ranges(
    store: Streams,
    found: StoredObject,
    path: Path,
    advanced: Callable[[int], None],
    stop: Callable[[], bool],
) -> None:
    """Given a store and one of its objects, downloads it to `path`: see Store.fetch."""
    with new_file(path, found.size_bytes) as file:
        download = _Download(store, found, file.fileno(), path)
        starts = range(0, found.size_bytes, RANGE_BYTES)
        with ThreadPoolExecutor(_WORKERS, "pgdr-fetch") as pool:
            try:
                left: set[Future[None]] = {pool.submit(download.one, start) for start in starts}
                while left:
                    done, left = wait(left, _TELL_EVERY_S)
                    for future in done:
                        future.result()
                    advanced(download.done)
                    if stop():
                        raise stopped(found.key)
            except BaseException:
                download.halt.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise


class _Download:
    """What the threads of one download share."""

    def __init__(self, store: Streams, found: StoredObject, handle: int, path: Path) -> None:
        self.halt = threading.Event()
        self.done = 0
        self._lock = threading.Lock()
        self._store = store
        self._found = found
        self._handle = handle
        self._path = path

    def one(self, start: int) -> None:
        """Downloads the range that begins at `start`."""
        end = min(start + RANGE_BYTES, self._found.size_bytes)
        for tries_left in reversed(range(_TRIES)):
            try:
                for chunk in self._store.stream(self._found.key, start, end - start, self._found.etag):
                    if self.halt.is_set():
                        return
                    self._write(chunk, start)
                    start += len(chunk)
            except (StoreDenied, StoreMissing):
                raise
            except Unreachable:
                if not tries_left:
                    raise
            if start >= end:
                return
        raise PgdrError(
            f"The object “{clean(self._found.key, 200)}” broke off at byte {start:,} "
            f"of {self._found.size_bytes:,}.",
            why="It was replaced or cut short while it was read, or its store doesn't give all of it.",
            mend="Try again, or use another copy.",
        )

    def _write(self, chunk: bytes, at: int) -> None:
        view = memoryview(chunk)
        with room_here(self._path):
            while view:
                written = os.pwrite(self._handle, view, at)
                view, at = view[written:], at + written
        with self._lock:
            self.done += len(chunk)
