"""The app as a child of the demo, and signals: whatever ends the one, the servers end too."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tui.demo.tour import VARIABLE, offering
from tui.process import Command, start

ENDS_S = 10.0
ENDINGS = (signal.SIGHUP, signal.SIGTERM)


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Inside, a hang-up (the terminal is gone) or a termination raises SystemExit(128 + its number) in
    the main thread, so that `with` and `finally` stop what was started. Put it around `prepare` and all that
    follows."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handling(ENDINGS, end):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, an interrupt, a hang-up or a termination changes nothing; for work that ends soon."""
    with _handling((signal.SIGINT, *ENDINGS), signal.SIG_IGN):
        yield


def run_app(
    config: Path,
    state: Path,
    arguments: Sequence[str] = (),
    hurt: Callable[[str], str] | None = None,
    made: str | None = None,
) -> int:
    """Runs `pgdr` with this configuration and state on our terminal; returns its exit code. With `hurt`,
    which makes a disaster, it offers the tour; `made` is the one that has been made already.

    An interrupt is the app's to handle (a key in it). A hang-up or a termination is passed on; the app has
    ENDS_S seconds to end then, and 128 plus the signal's number comes back.
    """
    argv = (sys.executable, "-m", "tui", "--config", str(config), "--state", str(state), *arguments)
    if hurt is None:
        return _run(Command(argv))
    with offering(hurt) as its:
        return _run(Command(argv, {VARIABLE: f"{its.fileno()}:{made or ''}"}), its)


def _run(command: Command, inherited: socket.socket | None = None) -> int:
    asked: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        with contextlib.suppress(ProcessLookupError):
            app.send_signal(number)

    # Ignored signals stay ignored in a child, so the app is started before SIGINT is.
    given = (inherited.fileno(),) if inherited is not None else ()
    app = start(command, stdin=None, stdout=None, stderr=None, pass_fds=given)
    if inherited is not None:
        inherited.close()  # so that its end is seen when the app's is
    with _handling((signal.SIGINT,), signal.SIG_IGN), _handling(ENDINGS, pass_on):
        while True:
            try:
                code = app.wait(ENDS_S if asked else 1.0)
                break
            except subprocess.TimeoutExpired:
                if asked:
                    app.kill()
    if asked:
        return 128 + asked[0]
    return 128 - code if code < 0 else code


@contextmanager
def _handling(numbers: Sequence[int], handler: object) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it gets signals
        return
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            signal.signal(number, handler)  # type: ignore[arg-type]
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
