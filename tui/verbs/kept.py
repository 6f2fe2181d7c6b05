"""`kept`: the databases that restores, swaps and verifications left beside the live ones."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from tui.model.amounts import age, minute, plural, size
from tui.model.errors import PgdrError, Unreachable
from tui.model.kept import KeptDatabase
from tui.model.text import clean, rfc3339
from tui.verbs.context import Context, database_named

_WORDS = {
    "restore": "restored",
    "before": "was live before a swap",
    "verify": "left by a verification",
    "drill": "left by a drill",
}


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Lists them, of one database or of all. A server that can't be asked is told, and exit code 5."""
    from tui.incident.reminders import reminded, reminders
    from tui.incident.uses import databases_in_use
    from tui.operations.swap.kept import kept_databases

    fleet, state, console = context.fleet(), context.state_directory(), context.console
    chosen = [database_named(fleet, arguments.database)] if arguments.database else list(fleet.databases)
    rows: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    now = context.now()
    code = 0
    for database in chosen:
        try:
            found = reminded(
                kept_databases(fleet, state, database, databases_in_use(state, database.name)),
                reminders(state, (database.name,)),
            )
        except PgdrError as error:
            errors.append({"database": database.name, "what": error.what, "mend": error.mend})
            console.narrate(f"{clean(database.name)}: {error}")
            code = max(code, error.exit_code if isinstance(error, Unreachable) else 1)
            continue
        for kept in found:
            rows.append(_row(database.name, kept))
            console.line(
                f"{clean(kept.name)}  {size(kept.size_bytes)}"
                f"  {age(now - kept.made_at)} old  {_WORDS[kept.purpose]}"
                f"{', ' + plural(kept.sessions, 'session') if kept.sessions else ''}"
            )
            for said in (kept.unfit, kept.needed, _may_go(kept, now)):
                if said is not None:
                    console.line(f"    {said}")
    if not rows and not errors:
        console.line("No database is kept beside a live one.")
    if console.json_wanted:
        console.json({"kept": rows, "errors": errors})
    elif rows:
        console.narrate("Drop one for good: pgdr drop DB NAME --confirm NAME")
    return code


def _row(database: str, kept: KeptDatabase) -> dict[str, Any]:
    return {
        "database": database,
        "name": kept.name,
        "purpose": kept.purpose,
        "made_at": rfc3339(kept.made_at),
        "size_bytes": kept.size_bytes,
        "sessions": kept.sessions,
        "unfit": kept.unfit,
        "needed": kept.needed,
        "remove_at": rfc3339(kept.remove_at) if kept.remove_at else None,
    }


def _may_go(kept: KeptDatabase, now: datetime) -> str | None:
    if kept.remove_at is None:
        return None
    since = "since" if kept.remove_at <= now else "from"
    return f"its recovery does without it {since} {minute(kept.remove_at)} UTC: drop it then."
