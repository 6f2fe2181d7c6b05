"""Ends a program and all that it started when the process that watches over them is gone.

Run as a process of its own: `python guard.py GROUP`, with the process group's number and a pipe as stdin
whose other end only the watching process holds. However that one dies, the kernel closes the pipe. It
needs nothing but the standard library, and starts without the rest of this program.
"""

from __future__ import annotations

import os
import signal
import sys
import time

_TERM_WITHIN_S = 10.0


def main(group: int) -> None:
    """Waits for a byte (all has ended well) or the pipe's end (nobody watches any more)."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if not sys.stdin.buffer.read(1):
        end_group(group)


def end_group(group: int, within_s: float = _TERM_WITHIN_S) -> None:
    """Asks each process of a group to end, then kills what is there after `within_s` seconds."""
    until = time.monotonic() + within_s
    try:
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < until:
            time.sleep(0.05)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody is left in it; the second is macOS's word for that
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
