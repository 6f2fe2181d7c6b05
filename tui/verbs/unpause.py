"""`unpause`: start again what `pause`, or a recovery, has stopped, and ask whether it is well."""

from __future__ import annotations

import argparse

from tui.model.errors import UsageError
from tui.verbs.context import Context
from tui.verbs.pause import answer, chosen, each, hands


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Starts them in reverse order, each well before the next; ends at the first that fails, exit code 1.
    With `--give-up` they are left as they are, and no longer listed."""
    context.refuse_if_read_only("Resuming")
    fleet = context.fleet()
    database, names = chosen(fleet, arguments)
    work = hands(context, fleet, database, names, "by hand")
    recorded = [s.service for s in work.recorded().services]
    if arguments.give_up is not None:
        if not arguments.give_up.strip():
            raise UsageError("Giving up needs a reason.", mend="One sentence is enough.")
        for name in recorded:
            work.go_past(name, arguments.give_up)
        return answer(context, database.name if database else None, work.services(), [])
    if database is not None:  # what isn't paused is left alone; by name it is told
        names = [name for name in work.names if name in recorded]
    return each(context, work, list(reversed(names)), work.resume)
