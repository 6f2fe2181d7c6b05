"""`thaw`: let writes in again, exactly as before the freeze."""

from __future__ import annotations

import argparse

from tui.model.text import clean
from tui.verbs.context import Context, database_named
from tui.verbs.services import freeze_json, pausing_of, told_freeze


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Does it; with `--give-up` leaves it as it is, and it is no longer listed."""
    context.refuse_if_read_only("Thawing")
    fleet, console = context.fleet(), context.console
    database = database_named(fleet, arguments.database)
    work = pausing_of(context, fleet, database)
    if arguments.give_up is not None:
        work.give_up_freeze(arguments.give_up)
        view = work.writes()
    else:
        view = work.thaw()
    if console.json_wanted:
        console.json(freeze_json(database.name, view))
    console.line(f"{clean(database.name)}: {told_freeze(view)}")
    return 0
