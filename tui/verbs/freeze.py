"""`freeze`: keep writes out of a database until it is thawed."""

from __future__ import annotations

import argparse
import shlex

from tui.model.errors import Refused
from tui.model.paused import FreezeHow
from tui.model.text import clean
from tui.verbs.context import Context, database_named
from tui.verbs.services import freeze_json, pausing_of, told_freeze


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Does it when `--confirm` names the database. Else tells what it would run, and exit code 4."""
    from tui.operations.pause.freeze import statements

    context.refuse_if_read_only("Freezing")
    fleet, console = context.fleet(), context.console
    database = database_named(fleet, arguments.database)
    how = FreezeHow.NO_CONNECTIONS if arguments.no_connections else FreezeHow.READ_ONLY
    work = pausing_of(context, fleet, database, arguments.reason or "by hand")
    if arguments.confirm != database.name:
        before = work.writes()
        console.narrate(f"{clean(database.name)}: {told_freeze(before)}")
        for statement in statements(database, how):
            console.narrate(f"would run {statement}")
        console.narrate(
            "Its sessions stay, and may write as before."
            if arguments.keep_sessions
            else "Its sessions are ended, but for backups; what they had not committed is lost."
        )
        raise Refused(
            "Nothing was frozen: it needs its confirmation.",
            mend=f"Add --confirm {shlex.quote(database.name)} to do it.",
        )
    view = work.freeze(how, end_sessions=not arguments.keep_sessions)
    if console.json_wanted:
        console.json(freeze_json(database.name, view))
    console.line(f"{clean(database.name)}: {told_freeze(view)}")
    if how is FreezeHow.READ_ONLY:
        console.narrate("A session can still turn that off for itself; --no-connections lets nobody in.")
    console.narrate(f"Thaw it with: pgdr thaw {shlex.quote(database.name)}")
    return 0
