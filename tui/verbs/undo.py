"""`undo`: take the last swap of a database back."""

from __future__ import annotations

import argparse
import shlex
import time

from tui.model.errors import Refused
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Does it when `--confirm` names the database. Else exit code 4."""
    from tui.operations.swap.swap import undo

    context.refuse_if_read_only("Undoing a swap")
    fleet, state, console = context.fleet(), context.state_directory(), context.console
    database = database_named(fleet, arguments.database)
    if arguments.confirm != database.name:
        raise Refused(
            "Nothing was changed: undoing a swap ends the database's sessions, and needs its confirmation.",
            mend=f"Add --confirm {shlex.quote(database.name)} to do it.",
        )
    began = time.monotonic()
    undone = undo(state, database, context.operator(), context.now)
    took = time.monotonic() - began
    if console.json_wanted:
        console.json({"database": database.name, "kept_as": undone.restored_name, "duration_s": took})
    back = f"{undone.live_name} is what it was" if undone.kept_as else f"there is no {undone.live_name} again"
    console.line(f"Undone: {back}; the restored one is {undone.restored_name}.")
    return 0
