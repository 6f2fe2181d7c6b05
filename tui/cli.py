"""The command line: one front door of the house. A verb does without a screen what the app does with one.

Importing this loads no verb's machinery: each verb imports what it uses when it runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tui import __version__
from tui.model.errors import PgdrError
from tui.verbs import VERBS, Verb
from tui.verbs.console import Console
from tui.verbs.context import Context

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Given the arguments (None: this process's), does what they say and returns the exit code.

    0 done, clean · 1 failed · 2 usage or configuration · 3 done, with differences that are explained ·
    4 refused for safety · 5 a server or store not reached or refusing · 130 interrupted.
    """
    arguments = parser().parse_args(argv)
    console = Console(json_wanted=getattr(arguments, "json", False))
    context = Context(
        config=arguments.config,
        state=arguments.state,
        read_only=arguments.read_only,
        theme=arguments.theme,
        ascii_only=arguments.ascii,
        console=console,
    )
    try:
        if arguments.verb is None:
            return context.open_app()
        verb: Verb = VERBS[arguments.verb]
        return verb.run(context, arguments)
    except PgdrError as error:
        console.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.narrate("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read stdout (head, less) has gone. Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """The whole command line. The general options may stand before or after the verb."""
    made = argparse.ArgumentParser(
        prog="pgdr", description="Back up and recover PostgreSQL. Without a verb, opens the terminal app."
    )
    made.add_argument("--version", action="version", version=f"pgdr {__version__}")
    made.set_defaults(verb=None, config=None, state=None, read_only=False, theme=None, ascii=False)
    _general(made)
    after = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
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


if __name__ == "__main__":
    sys.exit(main())
