"""`backups`: what lies in the stores, newest first."""

from __future__ import annotations

import argparse
from heapq import nlargest

from tui.model import codec
from tui.model.amounts import age, size
from tui.model.backup import Backup, StoreProblem
from tui.model.errors import UsageError
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the backups of all stores, or of one. A store that can't be read is told beside the others'
    rows; the exit code is 5 then."""
    from dataclasses import replace

    from tui.operations.catalogue.catalogue import backups

    fleet, console = context.fleet(), context.console
    if arguments.limit is not None and arguments.limit < 1:
        raise UsageError("--limit takes a whole number from 1.")
    if arguments.store is not None:
        spec = fleet.store(arguments.store)
        if spec is None:
            known = ", ".join(s.name for s in fleet.stores)
            raise UsageError(
                f"The configuration names no store {arguments.store}.", mend=f"It names {known}."
            )
        fleet = replace(fleet, stores=(spec,))
    dbname = database_named(fleet, arguments.database).dbname if arguments.database else None
    found: list[Backup] = []
    problems: list[StoreProblem] = []

    def keep(page: tuple[Backup, ...]) -> None:
        found.extend(page)
        if arguments.limit is not None and len(found) > 4 * max(arguments.limit, 1000):
            # Of a bucket of any size only what may be shown stays in memory.
            found[:] = nlargest(arguments.limit, found, key=lambda b: (b.sort_time, b.ref))

    backups(fleet, dbname, keep, problems.append, context.state_directory())
    found.sort(key=lambda b: (b.sort_time, b.ref), reverse=True)
    notes = [p for p in problems if p.is_note]
    problems = [p for p in problems if not p.is_note]
    shown = found[: arguments.limit]
    if console.json_wanted:
        console.json(
            {
                "backups": [_plain(b) for b in shown],
                "errors": [
                    {"store": p.store, "what": p.what, "why": p.why, "mend": p.mend} for p in problems
                ],
                "notes": [{"store": p.store, "what": p.what, "why": p.why, "mend": p.mend} for p in notes],
            }
        )
    now = context.now()
    console.table(
        ("taken (UTC)", "age", "database", "size", "manifest", "verified", "ref"),
        [
            (
                f"{b.sort_time:%Y-%m-%d %H:%M}",
                age(now - b.sort_time),
                b.database or (f"component {b.component}" if b.component else "?"),
                size(b.size_bytes),
                "yes" if b.has_manifest else "no",
                f"{b.verification.verdict.value} {age(now - b.verification.at)} ago"
                if b.verification
                else "never",
                b.ref,
            )
            for b in shown
        ],
    )
    for problem in (*notes, *problems):
        said = " ".join(part for part in (problem.what, problem.why) if part)
        console.narrate(f"pgdr: store {problem.store}: {said}")
        if problem.mend:
            console.narrate(f"  Next: {problem.mend}")
    if not found and not problems:
        console.narrate("The stores were read; they hold no backup" + (f" of {dbname}." if dbname else "."))
    return 5 if problems else 0


def _plain(backup: Backup) -> dict[str, object]:
    custom = "custom" if backup.key.endswith(".dump") and backup.has_manifest else None
    return {
        "ref": backup.ref,
        "store": backup.store,
        "key": backup.key,
        "kind": "component" if backup.component else "database",
        "database": backup.database,
        "component": backup.component,
        "created_at": codec.plain(backup.created_at) if backup.created_at else None,
        "size_bytes": backup.size_bytes,
        "format": backup.format.value if backup.format else custom,
        "server_version": None,
        "encrypted": True if backup.encryption else False if backup.has_manifest else None,
        "has_manifest": backup.has_manifest,
        "verified_at": codec.plain(backup.verification.at) if backup.verification else None,
        "verdict": backup.verification.verdict.value if backup.verification else None,
    }
