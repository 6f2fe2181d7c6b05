"""`report`: one incident as a post-incident report; or the card to recover by when pgdr can't be used."""

from __future__ import annotations

import argparse

from tui.model.errors import UsageError
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the report, made from what is on disk now; or the card, made from the configuration alone."""
    if arguments.runbook:
        return _runbook(context, arguments)
    from tui.incident.book import Book
    from tui.incident.report import as_json, load

    if arguments.id is None:
        raise UsageError("Which incident?", mend="pgdr incidents lists them; pgdr report ID shows one.")
    if arguments.format == "text":
        raise UsageError(
            "An incident's report is Markdown or JSON.", mend="Say --format md or --format json."
        )
    fleet, state = context.fleet(), context.state_directory()
    incident = Book(state).load(arguments.id)
    if arguments.format == "json":
        context.console.json(as_json(state, incident, fleet))
    else:
        context.console.line(load(state, incident, fleet))
    return 0


def _runbook(context: Context, arguments: argparse.Namespace) -> int:
    from tui.incident.card import as_markdown, as_text
    from tui.incident.runbook import runbook

    if arguments.format == "json":
        raise UsageError("The card is Markdown or text.", mend="Say --format md or --format text.")
    fleet = context.fleet()
    database = database_named(fleet, arguments.id) if arguments.id else None
    pages = runbook(fleet, database, context.now())
    made = as_text(pages) if arguments.format == "text" or context.ascii_only else as_markdown(pages)
    context.console.line(made)
    return 0
