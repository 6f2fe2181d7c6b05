"""A stream whose length nobody knows yet, cut into parts that are sent two at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from tui.model.amounts import size as in_words
from tui.model.errors import PgdrError

T = TypeVar("T")

# All parts but the last are of one size, which some servers demand; three are in memory at most.
PART_BYTES = 32 << 20
_IN_FLIGHT = 2


def parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Given chunks of any size, gives parts of PART_BYTES, the last one shorter; none for no bytes."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= PART_BYTES:
            yield bytes(buffer[:PART_BYTES])
            del buffer[:PART_BYTES]
    if buffer:
        yield bytes(buffer)


def send_parts(whole: Iterable[bytes], send: Callable[[int, bytes], T], most: int) -> tuple[list[T], int]:
    """Calls `send` with the number (from 1) and the bytes of each part, two at a time.

    Returns what it gave, in order, and how many bytes there were. Raises what `send` or the stream
    raises, and PgdrError when there are more parts than `most`, after those in flight have ended.
    """
    sent: list[T] = []
    size = 0
    with ThreadPoolExecutor(_IN_FLIGHT, "pgdr-upload") as pool:
        pending: deque[Future[T]] = deque()
        for number, part in enumerate(whole, start=1):
            if number > most:
                raise PgdrError(
                    f"The backup is larger than one object may be here: {in_words(most * PART_BYTES)}.",
                    mend="Dump it to a directory store, or by tables.",
                )
            size += len(part)
            pending.append(pool.submit(send, number, part))
            if len(pending) > _IN_FLIGHT:
                sent.append(pending.popleft().result())
        sent.extend(future.result() for future in pending)
    return sent, size
