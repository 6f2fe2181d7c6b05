"""One pg_restore at work: started, guarded, read, watched, and ended with every one of its workers."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import psutil

from tui.model.backup import Contents
from tui.model.event import ErrorSeen, Event, ItemFinished, ItemsLeft, LogLine
from tui.model.text import clean
from tui.model.verdict import ErrorClass, RestoreError
from tui.operations import guard
from tui.operations.report import Report, Stop, Stopped
from tui.postgres.positions import Positions
from tui.postgres.restore_output import RestoreOutput
from tui.postgres.watch import Watcher
from tui.process import Command, start

_WATCH_EVERY_S = 1.0
_END_WITHIN_S = 10.0


class Run:
    """One pg_restore: its output read by a thread, the server watched beside it.

    It is in a process group of its own, with its workers. A guard ends the group when this process is
    killed: a restore that nobody watches doesn't go on.
    """

    def __init__(
        self, command: Command, contents: Contents, ids: Iterable[int], report: Report, stop: Stop
    ) -> None:
        self.finished: set[int] = set()
        self.errors: list[RestoreError] = []
        self.code: int | None = None
        self._ids = tuple(ids)
        self._contents = contents
        self._failure: Exception | None = None
        self._report = report
        self._stop = stop
        self._output = RestoreOutput(contents, self._ids)
        report(LogLine(command.shown))
        self._process = start(command, stdout=subprocess.DEVNULL, grouped=True)
        self._guard = _guarding(self._process.pid)
        self._reader = threading.Thread(target=self._read, name="pg_restore-output")
        self._reader.start()

    def watch(self, watcher: Watcher, positions: Positions) -> None:
        """Returns when pg_restore has ended and all it said was told. Raises Stopped after stopping it."""
        try:
            while self._reader.is_alive():
                for event in (*watcher.poll(), *positions.poll(self._process.pid)):
                    self._report(event)
                if self._stop():
                    raise Stopped
                gone = self._process.poll() is not None
                self._reader.join(_WATCH_EVERY_S)
                if gone and self._reader.is_alive():
                    # Its workers hold the pipe: they don't go on without the one that hands out the work
                    guard.end_group(self._process.pid)
            if self._failure is not None:
                raise self._failure
            self.code = self._process.wait()
        finally:
            watcher.close()
            self._end()

    def account_for(self) -> list[RestoreError]:
        """Every item must have been finished: one of which nothing was heard makes the restore a failed
        one. Returns all errors, that one among them."""
        silent = [e for e in self._contents.entries if e.dump_id in self._ids]
        silent = [e for e in silent if e.dump_id not in self.finished]
        if not silent:
            return list(self.errors)
        self._report(ItemsLeft(tuple(e.dump_id for e in silent)))
        named = ", ".join(clean(f"{e.desc} {e.name}", 60) for e in silent[:3])
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        error = RestoreError(
            entry=None,
            dump_id=None,
            message=f"pg_restore ended (code {self.code}) without finishing {named}{more}.",
            error_class=ErrorClass.UNKNOWN,
            harmless=False,
            meaning="What was not finished is not in the restored database.",
            mend="See the errors before this one and the log, and mend their cause.",
        )
        self._report(ErrorSeen(error))
        return [*self.errors, error]

    def _read(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        try:
            for line in stream:
                self._tell(self._output.feed(line.decode("utf-8", "replace").rstrip("\n")))
            self._tell(self._output.close(self._process.wait()))
        except Exception as error:  # noqa: BLE001 - raised again by watch(): a thread's own end is seen by nobody
            self._failure = error
            self._process.terminate()
            stream.read()  # it would wait for ever to be heard

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ItemFinished):
                self.finished.add(event.dump_id)
            elif isinstance(event, ErrorSeen):
                self.errors.append(event.error)
            self._report(event)

    def _end(self) -> None:
        """Ends what is left of it (SIGTERM, SIGKILL after ten seconds), then dismisses the guard."""
        if self._process.poll() is None:
            self._process.terminate()  # its leader ends the workers, and their statements on the server
            try:
                self._process.wait(_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._reader.join(1.0)
        if self._reader.is_alive():
            guard.end_group(self._process.pid)
            self._reader.join(_END_WITHIN_S)
        assert self._guard.stdin is not None
        try:
            with self._guard.stdin as pipe:
                pipe.write(b".")
            self._guard.wait(_END_WITHIN_S)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._guard.kill()
            self._guard.wait()


def _guarding(group: int) -> subprocess.Popen[bytes]:
    argv = (sys.executable, "-I", "-S", str(Path(guard.__file__)), str(group))
    return start(
        Command(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        detached=True,
        cwd="/",
    )


def end_leftovers(application: str) -> int:
    """Ends what an earlier job's pg_restore may have left on this machine, should its guard have been
    killed too. Returns how many processes there were; they are known by the name of their sessions."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PGAPPNAME") == application and "pg_restore" in process.name():
                process.terminate()
                found.append(process)
        except psutil.Error:
            continue  # gone, or another user's
    _, alive = psutil.wait_procs(found, timeout=_END_WITHIN_S)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=_END_WITHIN_S)
    return len(found)
