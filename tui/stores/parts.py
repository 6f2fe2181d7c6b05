"""A stream whose length nobody knows yet, cut into parts that are sent two at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from typing import TypeVar

from tui.model.amounts import size as in_words
from tui.model.errors import PgdrError

T = TypeVar("T")

# Two parts are under way, one is gathered: some 140 MB of memory in all. All parts but the last are
# of one size, which some servers demand, for as long as that goes: with S3's limit of 10,000 parts an object
# would end at 78 GiB, so the later ones are larger (172 GiB in all), and sent one at a time.
PART_BYTES = 8 << 20
_EVEN_PARTS, _LATER_TIMES = 6_000, 4
_IN_FLIGHT = 2


def parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Given chunks of any size, gives parts of PART_BYTES, the last one shorter and the ones after the first
    6,000 larger; none for no bytes."""
    gathered = BytesIO()  # whose getvalue() copies nothing
    size = given = 0
    for chunk in chunks:
        while chunk:
            wanted = PART_BYTES * (1 if given < _EVEN_PARTS else _LATER_TIMES) - size
            taken = gathered.write(chunk[:wanted])
            size += taken
            chunk = chunk[taken:]
            if taken == wanted:
                whole, size, given = gathered.getvalue(), 0, given + 1
                gathered = BytesIO()
                yield whole
                del whole  # it is the caller's alone while the next one is gathered
    if size:
        yield gathered.getvalue()


def send_parts(whole: Iterable[bytes], send: Callable[[int, bytes], T], most: int) -> tuple[list[T], int]:
    """Calls `send` with the number (from 1) and the bytes of each part, two at a time at most, larger
    ones than PART_BYTES one at a time: memory is the same for any length.

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
                    f"The backup is larger than one object may be here: {in_words(size)} have been sent.",
                    mend="Dump it to a directory store, or by tables.",
                )
            size += len(part)
            while pending and (len(pending) == _IN_FLIGHT or len(part) > PART_BYTES):
                sent.append(pending.popleft().result())
            pending.append(pool.submit(send, number, part))
            del part
        sent.extend(future.result() for future in pending)
    return sent, size
