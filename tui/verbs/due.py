"""`due`: verifications and rehearsals, when each was last done, by whom, and when it is due again."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model import codec
from tui.model.amounts import age, limit, minute
from tui.model.backup import Backup, StoreProblem
from tui.model.errors import PgdrError
from tui.verbs.context import Context, database_named

if TYPE_CHECKING:
    from tui.model.fleet import Database, Fleet
    from tui.operations.verify.due import Duty


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0, also when something is overdue; 5 when a store can't be read."""
    from tui.operations.catalogue.catalogue import backups
    from tui.operations.verify.due import duties

    fleet, console = context.fleet(), context.console
    databases = [database_named(fleet, name) for name in dict.fromkeys(arguments.databases)]
    found: list[Backup] = []
    problems: list[StoreProblem] = []
    backups(fleet, None, found.extend, problems.append)
    now = context.now()
    rows = duties(fleet, context.state_directory(), databases or fleet.databases, found, now)
    rows += _to_drop(fleet, context.state_directory(), databases or fleet.databases, now)
    if console.json_wanted:
        console.json([codec.plain(row) for row in rows])
    unread = {problem.store for problem in problems if not problem.is_note}
    blind = {d.name for d in fleet.databases if unread.intersection(d.backup.stores)}
    hidden = partial(_is_hidden, blind=blind)
    for problem in problems:
        console.narrate(f"pgdr: store {problem.store}: {problem.what} {problem.why or ''}".rstrip())
    console.table(
        ("database", "what", "every", "last done", "by", "due (UTC)", "how"),
        [
            (
                row.database,
                row.what,
                limit(row.every_s),
                f"{age(now - row.last_at)} ago" if row.last_at else "not known" if hidden(row) else "never",
                row.by or "",
                "OVERDUE" if row.overdue and not hidden(row) else minute(row.due_at),
                row.how,
            )
            for row in rows
        ],
    )
    return 5 if problems else 0


def _is_hidden(row: Duty, blind: Collection[str]) -> bool:
    """Whether what nothing is known of may stand in a store that can't be read: a verification, of one of the
    databases in `blind`."""
    return row.what == "verification" and row.last_at is None and row.database in blind


def _to_drop(fleet: Fleet, state: Path, databases: Sequence[Database], now: datetime) -> tuple[Duty, ...]:
    """What recoveries have kept and may do without one day; what was dropped meanwhile is left out. A server
    that doesn't answer can't tell, and its reminders stay."""
    from tui.incident.reminders import reminders
    from tui.operations.swap.kept import kept_databases
    from tui.operations.verify.due import Duty

    rows = []
    for database in databases:
        told = reminders(state, (database.name,))
        if not told:
            continue
        try:
            there = {kept.name for kept in kept_databases(fleet, state, database, {})}
        except PgdrError:
            there = {reminder.name for reminder in told}
        for one in told:
            if one.name in there:
                every_s, how = (one.at - one.kept_at).total_seconds(), f"pgdr drop {database.name} {one.name}"
                rows.append(
                    Duty(
                        database.name,
                        "drop what was kept",
                        every_s,
                        one.kept_at,
                        one.operator,
                        one.at,
                        one.at <= now,
                        f"{how} --confirm {one.name}",
                    )
                )
    return tuple(rows)
