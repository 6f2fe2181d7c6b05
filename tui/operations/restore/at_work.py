"""One program at work on a restore: started, guarded, fed, read line by line, and ended with its workers."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from tui.model.event import ErrorSeen, Event, ItemFinished
from tui.model.verdict import RestoreError
from tui.operations.report import Report
from tui.operations.restore import guard
from tui.operations.restore.guarded import dismiss, guarding
from tui.process import Command, start

_END_WITHIN_S = 10.0


class Output(Protocol):
    """Makes events of what a program prints to stderr."""

    def feed(self, line: str) -> list[Event]:
        """Given one line, returns what became known by it."""

    def close(self, exit_code: int | None = None) -> list[Event]:
        """Returns what is left to tell when the program has ended."""


class AtWork:
    """A program in a process group of its own, with all that it starts. A guard ends the group when this
    process is killed: a restore that nobody watches doesn't go on.

    `chunks` go to its stdin. What it finished and its errors are gathered, and reported as they come, from
    a thread of its own.
    """

    def __init__(
        self, command: Command, output: Output, report: Report, chunks: Iterable[bytes] | None = None
    ) -> None:
        self.finished: set[int] = set()
        self.errors: list[RestoreError] = []
        self.code: int | None = None
        self.failure: Exception | None = None
        self._output = output
        self._report = report
        stdin = subprocess.DEVNULL if chunks is None else subprocess.PIPE
        self._process = start(command, stdin=stdin, stdout=subprocess.DEVNULL, grouped=True)
        self._guard = guarding(self._process.pid)
        self._threads = [threading.Thread(target=self._read, name="restore-output")]
        if chunks is not None:
            self._threads.append(threading.Thread(target=self._feed, args=(chunks,), name="restore-input"))
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Of the program itself: the leader of its group."""
        return self._process.pid

    def wait(self, seconds: float) -> bool:
        """Waits at most so long; returns whether the program has ended and all it said was told.

        Raises what went wrong on the way to it or from it.
        """
        gone = self._process.poll() is not None
        self._threads[0].join(seconds)
        if gone and self._threads[0].is_alive():
            # Its workers hold the pipe: they don't go on without the one that hands out the work
            guard.end_group(self._process.pid)
        if self._threads[0].is_alive():
            return False
        if self.failure is not None:
            raise self.failure
        self.code = self._process.wait()
        return True

    def end(self, close: Callable[[], None] = lambda: None) -> None:
        """Ends what is left of it (SIGTERM, SIGKILL after ten seconds), then dismisses the guard.

        `close` is called once it has ended: it ends what still waits for the chunks.
        """
        if self._process.poll() is None:
            self._process.terminate()  # a leader ends its workers, and their statements on the server
            try:
                self._process.wait(_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._threads[0].join(1.0)
        close()
        if self._threads[0].is_alive():
            guard.end_group(self._process.pid)
        for thread in self._threads:
            thread.join(_END_WITHIN_S)
        dismiss(self._guard)

    def _read(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        try:
            for line in stream:
                self._tell(self._output.feed(line.decode("utf-8", "replace").rstrip("\n")))
            self._tell(self._output.close(self._process.wait()))
        except Exception as error:  # noqa: BLE001 - raised again by wait(): a thread's own end is seen by nobody
            self._fail(error)
            stream.read()  # it would wait for ever to be heard

    def _feed(self, chunks: Iterable[bytes]) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            with pipe:
                for chunk in chunks:
                    pipe.write(chunk)
        except BrokenPipeError:
            return  # it has ended, and says itself why
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.failure = self.failure or error
        self._process.terminate()

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ItemFinished):
                self.finished.add(event.dump_id)
            elif isinstance(event, ErrorSeen):
                self.errors.append(event.error)
            self._report(event)
