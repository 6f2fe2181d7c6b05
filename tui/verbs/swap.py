"""`swap`: put a restored database in the place of the live one, keeping the old."""

from __future__ import annotations

import argparse
import shlex

from tui.model.amounts import plural, size
from tui.model.errors import Refused
from tui.model.text import clean
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Shows what would be done; does it when `--confirm` names the database. Else exit code 4."""
    from tui.operations.swap.swap import plan_swap, swap_in

    context.refuse_if_read_only("Swapping")
    fleet, state, console = context.fleet(), context.state_directory(), context.console
    database = database_named(fleet, arguments.database)
    for other in fleet.databases:
        if other.dbname == arguments.restored and other.endpoint == database.endpoint:
            raise Refused(
                f"{clean(other.dbname)} is the live database of {clean(other.name)}, not a restored one.",
                mend="Name the database that a restore has made: pgdr jobs --json shows it as target.",
            )
    plan = plan_swap(database, arguments.restored, context.now(), state=state)
    live = (
        f"{size(plan.live_bytes)}, {plural(plan.live_sessions or 0, 'session')} will be ended"
        if plan.becomes
        else "missing"
    )
    console.narrate(
        f"server    {plan.host}:{plan.port} · system {plan.system_identifier} · {plan.server_version}"
    )
    console.narrate(f"live      {plan.live_name}: {live}")
    if plan.becomes:
        console.narrate(f"becomes   {plan.becomes}, kept until you drop it")
    console.narrate(f"restored  {plan.restored_name}")
    for finding in plan.findings:
        console.narrate(
            f"{finding.level.value}: {finding.what}" + (f" {finding.mend}" if finding.mend else "")
        )
    if arguments.confirm != database.name:
        raise Refused(
            "Nothing was changed: a swap needs its confirmation.",
            mend=f"Add --confirm {shlex.quote(database.name)} to do it.",
        )
    done = swap_in(state, database, arguments.restored, context.operator(), context.now)
    if console.json_wanted:
        console.json({"database": database.name, "kept_as": done.kept_as, "duration_s": done.duration_s})
    console.line(
        f"{database.name} is now the restored one; {done.kept_as or 'there was no old one'} is kept."
    )
    name = shlex.quote(database.name)
    console.narrate(f"Take it back with: pgdr undo {name} --confirm {name}")
    return 0
