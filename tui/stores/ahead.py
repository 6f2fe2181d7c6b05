"""Asking for the next page while the last one is being worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")
_End = BaseException | None  # what a listing ended with; None is its proper end


def one_ahead(pages: Iterator[T]) -> Iterator[T]:
    """Gives what `pages` gives, and raises what it raises, with one more asked for in a thread meanwhile.

    A listing then takes as long as the store needs to answer, and nobody's work on its pages is added.
    The thread is a daemon: who leaves the listing, or the program, doesn't wait for a store that hangs.
    """
    ready: queue.Queue[tuple[T] | _End] = queue.Queue(maxsize=1)
    wanted = threading.Event()
    wanted.set()

    def give(item: tuple[T] | _End) -> bool:
        while wanted.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def ask() -> None:
        try:
            for page in pages:
                if not give((page,)):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again, in the thread of who asked
            give(error)
        else:
            give(None)

    threading.Thread(target=ask, name="pgdr-pages", daemon=True).start()
    try:
        while isinstance(item := ready.get(), tuple):
            yield item[0]
        if item is not None:
            raise item
    finally:
        wanted.clear()
