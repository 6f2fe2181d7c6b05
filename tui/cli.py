"""The command line: one front door of the house. A verb does without a screen what the app does with one.

Importing this loads no verb's machinery: each verb imports what it uses when it runs.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tui import __version__
from tui.model.errors import PgdrError, UsageError
from tui.model.text import clean
from tui.verbs import VERBS, Verb
from tui.verbs.console import Console
from tui.verbs.context import Context

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Given the arguments (None: this process's), does what they say and returns the exit code.

    0 done, clean · 1 failed · 2 usage or configuration · 3 done, with differences that are explained ·
    4 refused for safety · 5 a server or store not reached or refusing · 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a terminal that isn't UTF-8 must not end a restore
    try:
        arguments = _without_a_verb(argv) or parser().parse_args(argv)
    except UsageError as error:
        _tell(Console(json_wanted="--json" in (sys.argv[1:] if argv is None else argv)), error)
        return error.exit_code
    json_wanted = getattr(arguments, "json", False) or getattr(arguments, "format", None) == "json"
    console = Console(json_wanted=json_wanted)
    context = Context(
        config=arguments.config,
        state=arguments.state,
        read_only=arguments.read_only,
        theme=arguments.theme,
        ascii_only=arguments.ascii,
        console=console,
        mouse=not arguments.no_mouse,
    )
    try:
        if arguments.verb is None:
            from tui.verbs import app

            return app.run(context)
        verb: Verb = VERBS[arguments.verb]
        gc.enable()  # off since the program's start
        signal.signal(signal.SIGTERM, _interrupt)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup's stays
            signal.signal(signal.SIGHUP, _hang_up)
        return verb.run(context, arguments)
    except PgdrError as error:
        _tell(console, error)
        return error.exit_code
    except KeyboardInterrupt:
        console.narrate("Interrupted.")
        if console.json_wanted:
            console.json({"error": {"what": "Interrupted.", "why": None, "mend": None}})
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read stdout (head, less) has gone. Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # What reads or writes outside the stores is this program's own state, or its terminal.
        at = f", at {clean(str(error.filename))}" if error.filename else ""
        _tell(
            console,
            PgdrError(
                "A file of pgdr's own could not be read or written.",
                f"{clean(error.strerror or type(error).__name__)}{at}.",
                "Look at the disk's room and at the rights; another state directory: --state or $PGDR_STATE.",
            ),
        )
        return 1
    except Exception as error:  # noqa: BLE001 - whoever is awake at night is told in a sentence
        # A message of unknown origin could hold anything, a password too: only kind and place are told.
        last = traceback.extract_tb(error.__traceback__)[-1]
        _tell(
            console,
            PgdrError(
                f"A fault in pgdr itself: {type(error).__name__}.",
                f"In {Path(last.filename).name}:{last.lineno} ({last.name}).",
                "Please report it. What runs as a job goes on: pgdr jobs",
            ),
        )
        return 1


def _tell(console: Console, error: PgdrError) -> None:
    """Says what failed, as far as the streams take it: stdout may be a full disk, and stderr comes first."""
    with suppress(OSError):
        console.error(error)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends a verb as Ctrl+C does: in order, with nothing half-done left behind. Who closes a terminal
    or a session sends more than one: the others must not end the clearing up. Ctrl+C still does."""
    for other in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def _hang_up(number: int, frame: FrameType | None) -> None:
    """The terminal is gone: ends in order too, and says it to nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if os.isatty(stream.fileno()):
                os.dup2(nowhere, stream.fileno())
    _interrupt(number, frame)


class _Parser(argparse.ArgumentParser):
    """One whose errors are told as all others are, with --json too."""

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise UsageError(
            f"{clean(message[:1].upper() + message[1:], 300)}.", mend=f"{usage} (--help tells more)"
        )


def _without_a_verb(argv: Sequence[str] | None) -> argparse.Namespace | None:
    """The arguments where only general options are given; None where there is more, or anything is wrong.

    Opening the app so doesn't wait for the parsers of all verbs.
    """
    small = _Parser(prog="pgdr", add_help=False)
    _defaults(small)
    try:
        found, rest = small.parse_known_args(argv)
    except UsageError:
        return None  # told by the parser of everything, with its usage
    return None if rest else found


def _defaults(to: argparse.ArgumentParser) -> None:
    to.set_defaults(
        verb=None, config=None, state=None, read_only=False, theme=None, ascii=False, no_mouse=False
    )
    _general(to)


def parser() -> argparse.ArgumentParser:
    """The whole command line. The general options may stand before or after the verb."""
    made = _Parser(
        prog="pgdr", description="Back up and recover PostgreSQL. Without a verb, opens the terminal app."
    )
    made.add_argument("--version", action="version", version=f"pgdr {__version__}")
    _defaults(made)
    after = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    _general(after)
    verbs = made.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, verb in VERBS.items():
        sub = verbs.add_parser(name, help=verb.help, description=verb.help, parents=[after])
        if verb.speaks_json:
            sub.add_argument("--json", action="store_true", help="print one JSON document on stdout")
        verb.arguments(sub)
    return made


def _general(to: argparse.ArgumentParser) -> None:
    none = argparse.SUPPRESS
    to.add_argument("--config", type=Path, metavar="FILE", default=none, help="the configuration")
    to.add_argument(
        "--state", type=Path, metavar="DIR", default=none, help="where jobs and incidents are kept"
    )
    to.add_argument(
        "--read-only", action="store_true", default=none, help="take away all that changes anything"
    )
    to.add_argument("--theme", metavar="NAME", default=none, help="colours of the app")
    to.add_argument("--ascii", action="store_true", default=none, help="draw with ASCII only")
    to.add_argument("--no-mouse", action="store_true", default=none, help="leave the mouse to the terminal")


if __name__ == "__main__":
    sys.exit(main())
