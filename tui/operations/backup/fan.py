"""One stream into several stores at once: each has a thread and a short queue, the slowest sets the pace.

A store's object appears when its stream ends. So the end is held back until everything is known to be
right: whatever goes wrong before leaves no archive in any store.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tui.model.errors import PgdrError
from tui.stores.store import Store

_CHUNKS_WAITING = 3  # of about a megabyte, for each store
_LOOK_EVERY_S = 0.2
_END_WITHIN_S = 90.0  # a store that hangs: its own timeouts come first


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """A store that a backup could not be put into, and why."""

    store: str
    error: PgdrError


class Abandoned(Exception):
    """The stream will not come to its end: what was written of it is to be thrown away."""


class Fan:
    """Streams bytes into the object `key` of each store. A store that fails is left out from then on."""

    def __init__(self, stores: Sequence[Store], key: str) -> None:
        """Starts at once; a store that fails at once is known as failed soon."""
        self._abandoned = threading.Event()
        self._branches = [_Branch(store, key, self._abandoned) for store in stores]

    @property
    def failed(self) -> list[StoreFailed]:
        """The stores that have failed so far, in the order of the stores."""
        return [StoreFailed(b.store.name, b.failure) for b in self._branches if b.failure is not None]

    def feed(self, chunk: bytes) -> None:
        """Waits until every store that goes on has room for the chunk.

        Raises the first store's error when none is left, Abandoned when `abandon` was called.
        """
        for branch in self._branches:
            branch.put(chunk)
        self._require_one()

    def finish(self, heed: Callable[[], None]) -> list[Store]:
        """Lets the objects appear; returns the stores that have theirs. `heed` is called while they do, and
        ends it with what it raises. Raises the first store's error when none has."""
        for branch in self._branches:
            branch.put(None)
        for branch in self._branches:
            while branch.thread.is_alive():
                heed()
                branch.thread.join(_LOOK_EVERY_S)
        self._require_one()
        return [b.store for b in self._branches if b.failure is None]

    def abandon(self) -> None:
        """Ends every store's writing with nothing left in it. Does nothing to what has appeared."""
        self._abandoned.set()
        for branch in self._branches:
            branch.thread.join(_END_WITHIN_S)

    def _require_one(self) -> None:
        failures = [b.failure for b in self._branches]
        if all(failure is not None for failure in failures) and failures[0] is not None:
            raise failures[0]


class _Branch:
    """One store's thread and what waits for it."""

    def __init__(self, store: Store, key: str, abandoned: threading.Event) -> None:
        self.store = store
        self.failure: PgdrError | None = None
        self._key = key
        self._abandoned = abandoned
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_CHUNKS_WAITING)
        self.thread = threading.Thread(target=self._write, name=f"pgdr-store-{store.name}", daemon=True)
        self.thread.start()

    def put(self, chunk: bytes | None) -> None:
        while self.failure is None:
            if self._abandoned.is_set():
                raise Abandoned
            try:
                self._waiting.put(chunk, timeout=_LOOK_EVERY_S)
            except queue.Full:
                continue
            return

    def _write(self) -> None:
        try:
            self.store.write(self._key, self._chunks())
        except Abandoned:
            return
        except PgdrError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 - a thread that died unsaid would be a backup that isn't there
            said = f"The store {self.store.name} failed: {type(error).__name__}."
            self.failure = PgdrError(said, mend="Nothing was stored there. Try again, or another store.")

    def _chunks(self) -> Iterator[bytes]:
        while True:
            if self._abandoned.is_set():
                raise Abandoned
            try:
                chunk = self._waiting.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                continue
            if chunk is None:
                return
            yield chunk
