"""One pg_dump at work: guarded, its messages read, what it writes given as it comes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import threading
from collections.abc import Iterator

from tui.model.errors import PgdrError, Unreachable
from tui.model.event import LogLine
from tui.model.text import clean, clean_lines
from tui.operations.report import Report
from tui.operations.restore.guarded import dismiss, guarding
from tui.postgres.troubles.search import search
from tui.process import Command, start

_CHUNK = 1 << 20
_LOOK_EVERY_S = 0.3
_END_WITHIN_S = 10.0
_LAST_LINES = 5
# What libpq says when the server has gone (fe-misc.c, fe-connect.c), and a server that shuts down.
_GONE = (
    "server closed the connection",
    "connection to server",
    "terminating connection",
    "SSL SYSCALL error",
    "could not receive data from server",
    "no connection to the server",
)


class Dump:
    """A pg_dump that writes to stdout, or to a directory. It is in a process group of its own; a guard ends
    the group when this process is killed. To be used in a `with`, whose end ends it."""

    def __init__(self, command: Command, report: Report) -> None:
        """Starts it. Raises PgdrError when it can't be started."""
        self._report = report
        self._said: list[str] = []
        self._ended = threading.Event()
        self._program = os.path.basename(command.argv[0])  # noqa: PTH119 - a word of argv, not a path of ours
        report(LogLine(command.shown))
        self._process = start(command, grouped=True)
        self._guard = guarding(self._process.pid)
        assert self._process.stdout is not None
        self._stdout = self._process.stdout
        with contextlib.suppress(OSError, AttributeError):  # Linux only, and only as far as a user may
            fcntl.fcntl(self._stdout, fcntl.F_SETPIPE_SZ, _CHUNK)
        self._reader = threading.Thread(target=self._listen, name="pg_dump-output", daemon=True)
        self._reader.start()

    def __enter__(self) -> Dump:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def chunks(self) -> Iterator[bytes]:
        """Gives what it writes; ends when it has ended well.

        Raises PgdrError when it failed (Unreachable when the server went away), with its last words; so it
        does when `end` is called meanwhile, by another thread.
        """
        while not self._ended.is_set():
            readable, _, _ = select.select([self._stdout], [], [], _LOOK_EVERY_S)
            if not readable:
                continue
            chunk = os.read(self._stdout.fileno(), _CHUNK)
            if not chunk:
                break
            yield chunk
        self.wait()

    def wait(self) -> None:
        """Waits for its end. Raises like `chunks`."""
        code = self._process.wait()
        self._reader.join(_END_WITHIN_S)
        if code != 0:
            raise self._failure(code)

    def running(self) -> bool:
        """Whether it is still at work."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends it with all its workers, if it runs, and dismisses the guard. May be called again."""
        self._ended.set()
        if self._process.poll() is None:
            self._process.terminate()  # its leader tells the server to cancel, and ends its workers
            try:
                self._process.wait(_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(_END_WITHIN_S)
        dismiss(self._guard)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(clean(line.decode("utf-8", "replace").rstrip("\n"), 500))
            del self._said[:-_LAST_LINES]
            self._report(LogLine(self._said[-1]))

    def _failure(self, code: int) -> PgdrError:
        text = "\n".join(self._said)
        what = f"{self._program} failed; no backup was stored."
        if code < 0:
            text += f"\nIt was ended by signal {-code}."
        if any(words in text for words in _GONE):
            return Unreachable(what, clean_lines(text).strip(), "See whether the server is still there.")
        known = next((match.trouble for match in search(text, 1) if match.sure), None)
        mend = known.do[0] if known else "See its messages above."
        return PgdrError(what, clean_lines(text).strip() or None, mend)
