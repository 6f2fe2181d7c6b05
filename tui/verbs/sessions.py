"""`sessions`: who is in a database, and ending them where they are in the way."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.model.amounts import age, plural
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints them, the longest transaction first; with --end ends them all. Exit codes: 0, 4 without the
    confirmation, 5 when the server can't be asked."""
    from tui.operations.pause.sessions import end_sessions, sessions

    if arguments.end:
        context.refuse_if_read_only("Ending sessions")
    console = context.console
    database = database_named(context.fleet(), arguments.database)
    found = sessions(database)
    ended = 0
    if arguments.end:
        ended = end_sessions(database, [session.pid for session in found], arguments.confirm)
    if console.json_wanted:
        console.json(
            {
                "database": database.name,
                "sessions": [codec.plain(session) for session in found],
                "ended": ended,
            }
        )
    now = context.now()
    console.table(
        ("pid", "user", "application", "from", "state", "since", "waits for", "last query"),
        [
            (
                str(s.pid),
                s.user or "",
                s.application,
                s.client or "local",
                s.state or "",
                age(now - s.since) if s.since else "",
                " ".join(map(str, s.waits_for)),
                s.query[:60],
            )
            for s in found
        ],
    )
    if arguments.end:
        console.narrate(f"{plural(ended, 'session')} ended. What keeps connecting is back at once.")
    elif not found:
        console.narrate("Nobody is in it.")
    return 0
