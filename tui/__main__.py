"""`python -m tui` is `pgdr`."""

import gc
import signal
import sys


def main() -> int:
    """The program. Ctrl+C ends it without a word while it is still being loaded: nothing has begun then."""
    gc.disable()  # nothing of what is loaded first is garbage: to look through it again and again takes time
    handler = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tui.cli import main as cli

    signal.signal(signal.SIGINT, handler)
    return cli()


if __name__ == "__main__":
    sys.exit(main())
