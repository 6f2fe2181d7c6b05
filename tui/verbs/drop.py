"""`drop`: one of the databases that are kept beside a live one, dropped for good."""

from __future__ import annotations

import argparse
import shlex

from tui.model.amounts import size
from tui.model.errors import Refused
from tui.model.text import clean
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Drops it when `--confirm` names it. Else says what it is, and exit code 4."""
    from tui.incident.uses import databases_in_use
    from tui.operations.swap.kept import drop_kept, kept_databases

    context.refuse_if_read_only("Dropping a database")
    fleet, state, console = context.fleet(), context.state_directory(), context.console
    database, name = database_named(fleet, arguments.database), arguments.kept
    needed = databases_in_use(state, database.name)
    if arguments.confirm != name:
        for kept in kept_databases(fleet, state, database, needed):
            if kept.name == name:
                console.narrate(
                    f"{clean(name)}: {size(kept.size_bytes)}, made {kept.made_at:%Y-%m-%d %H:%M} UTC"
                )
                console.narrate(f"needed: {kept.needed}" if kept.needed else "Nothing is known to need it.")
        raise Refused(
            "Nothing was dropped: there is no way back from it, and it needs its confirmation.",
            mend=f"Add --confirm {shlex.quote(clean(name))} to do it.",
        )
    dropped = drop_kept(fleet, state, database, name, needed)
    if console.json_wanted:
        console.json({"database": database.name, "dropped": name, "size_bytes": dropped.size_bytes})
    console.line(f"{clean(name)} is dropped.")
    return 0
