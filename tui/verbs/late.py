"""`late`: which databases have no good backup within their RPO; told to the channels where asked."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.model.amounts import age, limit
from tui.model.backup import Backup, StoreProblem
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 none is late, 1 some are, 5 when for want of a store it can't be told."""
    from tui.operations.alarm import late
    from tui.operations.catalogue.catalogue import backups
    from tui.operations.catalogue.good import by_manifest
    from tui.operations.verify.due import lateness

    fleet, console = context.fleet(), context.console
    databases = [database_named(fleet, name) for name in dict.fromkeys(arguments.databases)]
    found: list[Backup] = []
    problems: list[StoreProblem] = []
    unread: list[str] = []

    def unreadable(what: StoreProblem) -> None:
        problems.append(what)
        unread.append(what.store)

    state, now = context.state_directory(), context.now()
    backups(fleet, None, found.extend, unreadable, state)
    believed = by_manifest(fleet, state, unreadable)
    rows = lateness(databases or fleet.databases, found, unread, now, believed)
    breached = [row for row in rows if row.late is not False]
    sent = late(fleet, breached, context.now) if arguments.notify else ()
    if console.json_wanted:
        console.json(
            {
                "ok": not breached,
                "databases": [codec.plain(row) for row in rows],
                "errors": [{"store": p.store, "what": p.what} for p in problems],
                "notified": [{"channel": s.channel, "error": s.error} for s in sent],
            }
        )
    for problem in problems:
        console.narrate(f"pgdr: store {problem.store}: {problem.what} {problem.why or ''}".rstrip())
    for telling in sent:
        if telling.error:
            console.narrate(f"pgdr: {telling.channel} was not told: {telling.error}")
    if breached or not arguments.quiet:
        word = {True: "LATE", False: "ok", None: "unknown"}
        console.table(
            ("database", "", "newest good", "of RPO", "why"),
            [(r.database, word[r.late], age(r.age_s), limit(r.rpo_s), r.why) for r in rows],
        )
    return 1 if any(row.late for row in rows) else 5 if breached else 0
