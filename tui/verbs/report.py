"""`report`: one incident as a post-incident report."""

from __future__ import annotations

import argparse

from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the report, made from what is on disk now."""
    from tui.incident.book import Book
    from tui.incident.report import as_json, load

    fleet, state = context.fleet(), context.state_directory()
    incident = Book(state).load(arguments.id)
    if arguments.format == "json":
        context.console.json(as_json(state, incident, fleet))
    else:
        context.console.line(load(state, incident, fleet))
    return 0
