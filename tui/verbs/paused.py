"""`paused`: what is still paused or frozen, as it was written down; asks no server and no service."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.model.amounts import age, plural
from tui.model.text import clean
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Lists it, the oldest first. Exit code 1 when a record can't be read."""
    from tui.operations.pause.paused import paused

    console, now = context.console, context.now()
    found = paused(context.state_directory())
    for service in found.services:
        replicas = f", {plural(service.replicas, 'replica')} before" if service.replicas else ""
        whose = f" of {clean(service.database)}" if service.database else ""
        console.line(
            f"service {clean(service.service)}{whose}: {service.state.value}{replicas}, "
            f"since {age(now - service.at)}, by {clean(service.operator)} ({clean(service.why)})"
        )
        if service.what:
            console.line(f"    {clean(service.what)}")
    for database in found.databases:
        aside = f", put aside as {clean(database.dbname)}" if database.aside else ""
        console.line(
            f"database {clean(database.database)}: frozen ({database.how.value}){aside}, "
            f"since {age(now - database.at)}, by {clean(database.operator)} ({clean(database.why)})"
        )
        if database.what:
            console.line(f"    {clean(database.what)}")
    for problem in found.problems:
        console.narrate(problem)
    if console.json_wanted:
        console.json(codec.plain(found))
    elif not (found.services or found.databases or found.problems):
        console.line("Nothing is paused or frozen.")
    return 1 if found.problems else 0
