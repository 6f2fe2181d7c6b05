"""`python -m tui` is `pgdr`."""

import gc
import os
import signal
import sys


def main() -> int:
    """The program. Ctrl+C ends it without a word while it is still being loaded: nothing has begun then."""
    _open_streams()
    gc.disable()  # nothing of what is loaded first is garbage: to look through it again and again takes time
    handler = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tui.cli import main as cli

    signal.signal(signal.SIGINT, handler)
    return cli()


def _open_streams() -> None:
    """Standard streams that came closed (`>&-`, some schedulers) lead to /dev/null from here on.

    Else the next files that are opened get their numbers, and pg_dump's output goes where nobody reads it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - as long as the process


if __name__ == "__main__":
    sys.exit(main())
