"""A stream of chunks led through something that reads and writes: a library in a thread, or a program."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Generator, Iterable

from tui.model.errors import PgdrError
from tui.process import Command, start

_PIECE = 1 << 20
_PIECES_WAITING = 4
_LOOK_EVERY_S = 0.2
_END_WITHIN_S = 10.0


class _GivenUp(Exception):
    """Whoever wanted the result has gone."""


class Reader:
    """Chunks as something to read from. What they raise is kept, and told as itself."""

    def __init__(self, chunks: Iterable[bytes], given_up: threading.Event) -> None:
        self.failure: BaseException | None = None
        self._chunks = iter(chunks)
        self._given_up = given_up
        self._chunk = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        while not self._chunk:
            if self._given_up.is_set():
                raise _GivenUp
            try:
                self._chunk = memoryview(next(self._chunks))
            except StopIteration:
                return b""
            except BaseException as error:
                self.failure = error
                raise
        taken, self._chunk = (
            self._chunk[: size if size >= 0 else None],
            self._chunk[size if size >= 0 else None :],
        )
        return bytes(taken)


class Writer:
    """Something to write to, whose bytes come out of a bounded queue in larger pieces."""

    def __init__(self, out: queue.Queue[bytes | None], given_up: threading.Event) -> None:
        self._out = out
        self._given_up = given_up
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        """Takes all of `data`; waits while the queue is full."""
        self._buffer += data
        if len(self._buffer) >= _PIECE:
            self._pass_on()
        return len(data)

    def flush(self) -> None:
        """Nothing: what is buffered goes on at the end."""

    def end(self) -> None:
        """Passes on what is left, and says that it was the last."""
        try:
            self._pass_on()
            put(self._out, None, self._given_up)
        except _GivenUp:
            return

    def _pass_on(self) -> None:
        if self._buffer:
            put(self._out, bytes(self._buffer), self._given_up)
            self._buffer.clear()


def put(out: queue.Queue[bytes | None], piece: bytes | None, given_up: threading.Event) -> None:
    """Waits for room in the queue, unless nobody takes from it any more."""
    while not given_up.is_set():
        try:
            out.put(piece, timeout=_LOOK_EVERY_S)
        except queue.Full:
            continue
        return
    raise _GivenUp


def through(
    work: Callable[[Reader, Writer], None],
    chunks: Iterable[bytes],
    failure: Callable[[BaseException], PgdrError],
) -> Generator[bytes]:
    """Gives what `work`, which reads from one end and writes to the other, makes of `chunks`.

    `work` and `chunks` run in a thread of their own, at most some megabytes ahead. What `chunks` raises
    passes through; what `work` raises is told by `failure`, after the bytes that came before it.
    """
    given_up = threading.Event()
    out: queue.Queue[bytes | None] = queue.Queue(_PIECES_WAITING)
    reader, writer = Reader(chunks, given_up), Writer(out, given_up)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            work(reader, writer)
        except BaseException as error:  # noqa: BLE001 - told below, in the thread of whoever reads
            ended.append(error)
        writer.end()

    thread = threading.Thread(target=run, name="pgdr-cipher", daemon=True)
    thread.start()
    try:
        while (piece := out.get()) is not None:
            yield piece
        if reader.failure is not None:
            raise reader.failure
        if ended:
            raise failure(ended[0]) from None
    finally:
        given_up.set()
        thread.join(_END_WITHIN_S)


def filtered(
    command: Command,
    chunks: Iterable[bytes],
    failure: Callable[[str, int], PgdrError | None],
    *,
    pass_fds: tuple[int, ...] = (),
) -> Generator[bytes]:
    """Gives what a program writes when `chunks` are its input.

    What `chunks` raises passes through. When it has ended, `failure` is asked with what it said on stderr
    and its exit code; the error that it returns is raised.
    """
    process = start(command, stdin=subprocess.PIPE, pass_fds=pass_fds)
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    failed: list[BaseException] = []
    said = bytearray()

    def feed() -> None:
        try:
            with stdin:
                for chunk in chunks:
                    stdin.write(chunk)
        except BrokenPipeError:
            return  # it has ended early, and says why
        except BaseException as error:  # noqa: BLE001 - told below, in the thread of whoever reads
            failed.append(error)
            process.kill()  # or it would take what came for the whole

    def listen() -> None:
        while piece := os.read(stderr.fileno(), 4096):
            said.extend(piece[: max(0, 65536 - len(said))])

    threads = [threading.Thread(target=feed, name="pgdr-filter-in", daemon=True),
               threading.Thread(target=listen, name="pgdr-filter-said", daemon=True)]  # fmt: skip
    for thread in threads:
        thread.start()
    try:
        while piece := os.read(stdout.fileno(), _PIECE):
            yield piece
        code = process.wait()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]
        problem = failure(said.decode("utf-8", "replace"), code)
        if problem is not None:
            raise problem
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for thread in threads:
            thread.join(_END_WITHIN_S)
        stdout.close()
        stderr.close()
