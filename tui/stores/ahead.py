"""Asking for the next page while the last one is being worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_LOOK_EVERY_S = 0.2


class Ahead(Generic[T]):
    """What an iterator gives, with `room` more asked for in a thread, from now on and until `close`.

    The thread is a daemon: who leaves the listing, or the program, doesn't wait for a store that hangs.
    """

    def __init__(self, pages: Iterator[T], room: int = 1) -> None:
        """Begins to ask."""
        self._ready: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(maxsize=room)
        self._wanted = threading.Event()
        self._wanted.set()
        threading.Thread(target=self._ask, args=(pages,), name="pgdr-pages", daemon=True).start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        """Returns the next page. Raises what the iterator raised."""
        item = self._ready.get()
        if isinstance(item, tuple):
            return item[0]
        self._ready.put(item)  # the end stays the end
        raise item if item is not None else StopIteration

    def close(self) -> None:
        """Asks for no more."""
        self._wanted.clear()

    def _ask(self, pages: Iterator[T]) -> None:
        try:
            for page in pages:
                if not self._give((page,)):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again, in the thread of who asked
            self._give(error)
        else:
            self._give(None)

    def _give(self, item: tuple[T] | BaseException | None) -> bool:
        while self._wanted.is_set():
            try:
                self._ready.put(item, timeout=_LOOK_EVERY_S)
            except queue.Full:
                continue
            return True
        return False


def one_ahead(pages: Iterator[T]) -> Iterator[T]:
    """Gives what `pages` gives, and raises what it raises, with one more asked for meanwhile.

    A listing then takes as long as the store needs to answer, and nobody's work on its pages is added.
    """
    ahead = Ahead(pages)
    try:
        yield from ahead
    finally:
        ahead.close()
