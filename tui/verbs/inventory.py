"""`inventory`: the fleet, live."""

from __future__ import annotations

import argparse
from dataclasses import replace

from tui.model import codec
from tui.model.amounts import UNKNOWN, age, count, limit, size
from tui.model.backup import Backup, StoreProblem
from tui.model.facts import DatabaseFacts
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints every database as it is now. A database that is down is an answer, not a failure."""
    from tui.operations.catalogue.catalogue import backups
    from tui.operations.catalogue.good import by_manifest, newest_of_each
    from tui.operations.catalogue.offsite import offsite_copy
    from tui.operations.inventory import look_all, row

    fleet, state, console = context.fleet(), context.state_directory(), context.console
    facts: dict[str, DatabaseFacts] = {}
    found: list[Backup] = []
    problems: list[StoreProblem] = []
    look_all(fleet, lambda f: facts.__setitem__(f.database, f), context.now)
    backups(fleet, None, found.extend, problems.append, state)
    now = context.now()
    newest = newest_of_each(fleet.databases, found, by_manifest(fleet, state, problems.append), now)
    rows = [
        replace(
            row(d, facts[d.name], found, newest[d.name], state, now),
            offsite_copy=offsite_copy(fleet, d, found, problems),
        )
        for d in fleet.databases
    ]
    if console.json_wanted:
        console.json([codec.plain(r) for r in rows])
    for problem in problems:
        console.narrate(f"Store {problem.store}: {problem.what}")
    console.table(
        ("database", "service", "place", "address", "criticality", "state", "version", "size", "sessions",
         "last backup", "of RPO", "verified", "off-site"),
        [
            (
                r.name, r.service, r.place, f"{r.host or ''}:{r.port or ''}", r.criticality, r.status,
                r.server_version or UNKNOWN, size(r.size_bytes), count(r.sessions),
                age(r.last_backup.age_s if r.last_backup else None),
                f"{limit(r.rpo_s)} {_within(r.last_backup.within_rpo if r.last_backup else None)}",
                age(now - r.last_verified_at if r.last_verified_at else None),
                {True: "yes", False: "NO", None: UNKNOWN}[r.offsite_copy],
            )
            for r in rows
        ],
    )  # fmt: skip
    for r in rows:
        if r.why and r.status != "up":
            console.line(f"{r.name}: {r.why}")
    return 0


def _within(within: bool | None) -> str:
    return {True: "ok", False: "LATE", None: "none"}[within]
