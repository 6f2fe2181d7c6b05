"""Starting and dismissing the guard of a process group: see guard.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tui.operations.restore import guard
from tui.process import Command, start

_END_WITHIN_S = 10.0


def guarding(group: int) -> subprocess.Popen[bytes]:
    """Starts the guard of a process group: it ends the group when this process is gone."""
    argv = (sys.executable, "-I", "-S", str(Path(guard.__file__)), str(group))
    return start(
        Command(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        detached=True,
        cwd="/",
    )


def dismiss(guarded: subprocess.Popen[bytes]) -> None:
    """Tells the guard that all has ended well. May be called again."""
    assert guarded.stdin is not None
    try:
        if not guarded.stdin.closed:
            with guarded.stdin as pipe:
                pipe.write(b".")
        guarded.wait(_END_WITHIN_S)
    except (BrokenPipeError, subprocess.TimeoutExpired):
        guarded.kill()
        guarded.wait()
