"""Bytes of one stored archive for several readers at once, the most urgent one first.

Several ranges are read at a time, and ahead of who needs them; memory is bounded by how far. Who is
most urgent gets the line to itself until it is that far ahead: two that share a line evenly both end late.
While nobody needs more, what will be needed next is read: the line never rests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from tui.model.errors import ArchiveError, Unreachable
from tui.operations.report import Stopped

# As far ahead of each reader: more than is under way at once, or the line would turn to others while the most
# urgent one's first bytes are still being loaded.
RANGE_BYTES = 4 << 20
AHEAD_BYTES = 48 << 20
EXPECTED_BYTES = 32 << 20  # of all that nobody takes yet
_READERS = 4
_TRY_FOR_S = 60.0
_AGAIN_AFTER_S = 1.0


class _Stream:
    def __init__(self, begin: int, length: int, urgency: float) -> None:
        self.begin, self.end, self.urgency = begin, begin + length, urgency
        self.wanted = False  # by a reader that is there; until then one is expected
        self.asked = begin  # up to where ranges have been handed out
        self.taken = begin  # up to where bytes have been consumed
        self.here: dict[int, bytes] = {}


class Line:
    """Ranges of one archive. `read(start, length)` gives bytes as a store does; it is called in threads."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self.fetched = 0
        self._read = read
        self._turn = threading.Condition()
        self._streams: list[_Stream] = []
        self._failure: Exception | None = None
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"restore-line-{n}", daemon=True)
            for n in range(_READERS)
        ]
        for thread in self._threads:
            thread.start()

    def bytes_of(self, begin: int, length: int, urgency: float) -> Iterator[bytes]:
        """Gives the bytes of a range in order, in pieces of RANGE_BYTES at most. Reading begins at once.

        Raises what reading raised (Unreachable after a minute of trying again), ArchiveError when the archive
        has become shorter, Stopped when the line was closed.
        """
        with self._turn:
            stream = self._expected(begin, length) or self._added(begin, length, urgency)
            stream.wanted = True
            self._turn.notify_all()
        return self._given(stream)

    def expect(self, begin: int, length: int, urgency: float) -> None:
        """Says that a reader will ask for this range: it is read when nothing else is to be."""
        with self._turn:
            if self._expected(begin, length) is None:
                self._added(begin, length, urgency)
                self._turn.notify_all()

    def is_ahead(self, begin: int, length: int) -> bool:
        """Whether so much of an expected range is here that who takes it won't wait for the line at once."""
        with self._turn:
            stream = self._expected(begin, length)
            here = sum(map(len, stream.here.values())) if stream is not None else 0
            return here >= min(length, EXPECTED_BYTES // 2)

    def _expected(self, begin: int, length: int) -> _Stream | None:
        """The stream of a range that was said to be expected, and that nobody takes yet."""
        same = (s for s in self._streams if (s.begin, s.end) == (begin, begin + length) and not s.wanted)
        return next(same, None)

    def _added(self, begin: int, length: int, urgency: float) -> _Stream:
        self._streams.append(_Stream(begin, length, urgency))
        return self._streams[-1]

    def close(self) -> None:
        """Ends every reader: who waits for bytes gets Stopped."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def _given(self, stream: _Stream) -> Iterator[bytes]:
        try:
            while stream.taken < stream.end:
                with self._turn:
                    while stream.taken not in stream.here:
                        if self._failure is not None:
                            raise self._failure
                        if self._closed:
                            raise Stopped
                        self._turn.wait()
                    data = stream.here.pop(stream.taken)
                    stream.taken += len(data)
                    self._turn.notify_all()
                yield data
        finally:
            with self._turn:
                self._streams.remove(stream)

    def _work(self) -> None:
        while (given := self._next()) is not None:
            stream, start, length = given
            try:
                data = self._whole(start, length)
            except Exception as error:  # noqa: BLE001 - raised again where the bytes are waited for
                with self._turn:
                    self._failure = self._failure or error
                    self._turn.notify_all()
                return
            with self._turn:
                stream.here[start] = data
                self.fetched += len(data)
                self._turn.notify_all()

    def _next(self) -> tuple[_Stream, int, int] | None:
        with self._turn:
            while not self._closed and self._failure is None:
                held = sum(s.asked - s.begin for s in self._streams if not s.wanted)
                open_ones = [
                    s
                    for s in self._streams
                    if s.asked < (min(s.end, s.taken + AHEAD_BYTES) if s.wanted else s.end)
                    and (s.wanted or held < EXPECTED_BYTES)
                ]
                if open_ones:
                    stream = max(open_ones, key=lambda s: (s.wanted, s.urgency))
                    start = stream.asked
                    stream.asked = min(stream.end, start + RANGE_BYTES)
                    return stream, start, stream.asked - start
                self._turn.wait()
        return None

    def _whole(self, start: int, length: int) -> bytes:
        """The bytes of one range. A line that breaks for less than a minute costs only that."""
        until = time.monotonic() + _TRY_FOR_S
        got = b""
        while True:
            try:
                while len(got) < length:
                    more = self._read(start + len(got), length - len(got))
                    if not more:
                        raise ArchiveError(
                            "The archive has become shorter while it was read.",
                            f"It ends at byte {start + len(got)}.",
                            "Someone has replaced it: look at the store, and restore again.",
                        )
                    got = more if not got else got + more
                return got
            except Unreachable:
                if self._closed or time.monotonic() > until:
                    raise
                time.sleep(_AGAIN_AFTER_S)
