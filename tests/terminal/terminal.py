"""The installed program in a real pseudo-terminal, and the screen that a person would see."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pexpect
import pyte

PROGRAM = Path(sys.executable).parent / "pgdr"

KEYS = {"enter": "\r", "tab": "\t", "escape": "\x1b", "down": "\x1b[B", "ctrl+c": "\x03", "ctrl+q": "\x11"}


class Terminal:
    """One program on a terminal of `columns` by `lines`; killed when its `with` is left."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 80,
        lines: int = 24,
        term: str = "xterm-256color",
        program: Path = PROGRAM,
        cwd: Path | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.received = b""
        # COLUMNS and LINES are those of the terminal that the tests were started in; a worker hands them on.
        not_ours = ("COLORTERM", "NO_COLOR", "COLUMNS", "LINES")
        env = {k: v for k, v in os.environ.items() if k not in not_ours}
        self.child = pexpect.spawn(
            str(program),
            list(arguments),
            dimensions=(lines, columns),
            env={**env, "TERM": term, "LANG": "C.UTF-8"},
            timeout=30,
            cwd=cwd and str(cwd),
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.close(force=True)

    @property
    def text(self) -> str:
        """The screen as it is now."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, seconds: float = 0.05) -> None:
        """Takes what the program has written by now."""
        try:
            data = self.child.read_nonblocking(65536, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.received += data
        self._stream.feed(data)

    def see(self, *texts: str, within_s: float = 60.0) -> str:
        """Waits until every text can be read on the screen; returns the screen."""
        self.until(lambda: all(text in self.text for text in texts), texts, within_s)
        return self.text

    def until(self, shown: Callable[[], bool], what: object, within_s: float = 60.0) -> None:
        """Waits until `shown()`; `what` is said where it never is."""
        deadline = time.monotonic() + within_s
        while not shown():
            assert time.monotonic() < deadline, f"never saw {what}:\n{self.text}"
            assert self.child.isalive() or self._drain(), f"ended before {what}:\n{self.text}"
            self.read()

    def press(self, *keys: str) -> None:
        """Presses keys by name; anything that is no name is typed."""
        for key in keys:
            self.child.send(KEYS.get(key, key))
            self.read(0.15)

    def end(self, within_s: float = 30.0) -> int:
        """Waits for the program's end; returns its exit code, minus the signal that ended it."""
        deadline = time.monotonic() + within_s
        while self.child.isalive():
            assert time.monotonic() < deadline, f"did not end:\n{self.text}"
            self.read()
        self._drain()
        self.child.close()
        return self.child.exitstatus if self.child.exitstatus is not None else -int(self.child.signalstatus)

    def hang_up(self) -> None:
        """The link is gone: our end of the terminal is closed, and the kernel tells the program so."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, self.child.child_fd)  # closes the terminal; the number stays ours to close
        os.close(nowhere)

    def _drain(self) -> bool:
        before = len(self.received)
        self.read()
        return len(self.received) > before
