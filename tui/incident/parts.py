"""Things that are looked at side by side, none of which may hold up another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from tui.model.errors import PgdrError
from tui.model.plan import Finding, Level
from tui.model.text import clean

T = TypeVar("T")


class Parts:
    """The parts of one look: each has a thread, all have the same end, `seconds` from now.

    A finding goes to `on_finding` as it is made, one at a time, from whichever thread made it. When the look
    is over, what has not answered is left behind: its thread is a daemon, and nobody hears it any more.
    """

    def __init__(self, on_finding: Callable[[Finding], None], seconds: float) -> None:
        self._on_finding = on_finding
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._turn = threading.Lock()
        self._over = False
        self._findings: list[Finding] = []
        self._started: list[tuple[str, Future[object]]] = []

    def found(self, level: Level, about: str, what: str, mend: str | None = None) -> None:
        """Tells a finding, unless the look is over."""
        finding = Finding(level, about, what, mend)
        with self._turn:
            if not self._over:
                self._findings.append(finding)
                self._on_finding(finding)

    def start(self, name: str, work: Callable[[], T]) -> Future[T]:
        """Begins a part, called `name` where it fails or takes too long."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except NotYet:
                # It waited for another part, which tells of itself that it hasn't answered.
                future.cancel()
            except PgdrError as error:
                what = " ".join(part for part in (error.what, error.why) if part)
                self.found(Level.WARNING, name, what, error.mend)
                future.set_exception(error)
            except Exception as error:  # noqa: BLE001 - one part's mistake must not hide what the others find
                what = f"pgdr itself went wrong when it looked at {name}: {type(error).__name__}."
                self.found(Level.WARNING, name, what)
                future.set_exception(error)

        self._started.append((name, future))  # type: ignore[arg-type]
        threading.Thread(target=run, name=f"pgdr-{name}", daemon=True).start()
        return future

    def left(self) -> float:
        """Seconds until the end."""
        return max(0.0, self._until - time.monotonic())

    def wait(self, future: Future[T], seconds: float | None = None) -> T | None:
        """What a part found; None where it failed, or hasn't answered at the end or within `seconds`."""
        limit = self.left() if seconds is None else min(seconds, self.left())
        try:
            return future.result(timeout=limit)
        except Exception:  # noqa: BLE001 - told as its finding, or at the end; here it only has no answer
            return None

    def end(self) -> tuple[Finding, ...]:
        """Waits for all parts, tells which have not answered, and returns every finding in the order made."""
        late = []
        for name, future in self._started:
            self.wait(future)
            if not future.done():
                late.append(name)
        for name in late:
            what = f"There was no answer about the {clean(name)} within {self._seconds:g} s."
            self.found(Level.WARNING, name, what, "What stands here holds without it; look again later.")
        with self._turn:
            self._over = True
            return tuple(self._findings)
