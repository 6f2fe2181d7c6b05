"""`due`: verifications and rehearsals, when each was last done, by whom, and when it is due again."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.model.amounts import age, limit, minute
from tui.model.backup import Backup, StoreProblem
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0, also when something is overdue; 5 when a store can't be read."""
    from tui.operations.catalogue import backups
    from tui.operations.due import duties

    fleet, console = context.fleet(), context.console
    databases = [database_named(fleet, name) for name in dict.fromkeys(arguments.databases)]
    found: list[Backup] = []
    problems: list[StoreProblem] = []
    backups(fleet, None, found.extend, problems.append)
    now = context.now()
    rows = duties(fleet, context.state_directory(), databases or fleet.databases, found, now)
    if console.json_wanted:
        console.json([codec.plain(row) for row in rows])
    for problem in problems:
        console.narrate(f"pgdr: store {problem.store}: {problem.what} {problem.why or ''}".rstrip())
    console.table(
        ("database", "what", "every", "last done", "by", "due (UTC)", "how"),
        [
            (
                row.database,
                row.what,
                limit(row.every_s),
                f"{age(now - row.last_at)} ago" if row.last_at else "never",
                row.by or "",
                "OVERDUE" if row.overdue else minute(row.due_at),
                row.how,
            )
            for row in rows
        ],
    )
    return 5 if problems else 0
