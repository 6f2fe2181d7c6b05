"""`drills`: the rehearsals that were carried out, against their targets."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.model.amounts import duration, limit, minute
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints them, the newest first."""
    from tui.operations.verify.drill import history

    fleet, console = context.fleet(), context.console
    databases = [database_named(fleet, name) for name in dict.fromkeys(arguments.databases)]
    rows = history(context.state_directory(), databases or fleet.databases)
    if console.json_wanted:
        console.json(
            [
                {
                    "database": row.database,
                    **codec.plain(row.drill),
                    "rto_target_s": row.rto_target_s,
                    "within_rto": row.within_rto,
                    "rto_change_s": row.rto_change_s,
                    "rpo_target_s": row.rpo_target_s,
                    "within_rpo": row.within_rpo,
                }
                for row in rows
            ]
        )
    word = {True: "ok", False: "MISSED", None: ""}
    console.table(
        ("DRILL (UTC)", "database", "kind", "verdict", "RTO", "of", "", "change", "RPO", "of", "", "by"),
        [
            (
                minute(row.drill.at), row.database, row.drill.kind, row.drill.verdict.value,
                duration(row.drill.rto_s), limit(row.rto_target_s), word[row.within_rto],
                _change(row.rto_change_s), duration(row.drill.rpo_s), limit(row.rpo_target_s),
                word[row.within_rpo], row.drill.operator or "",
            )
            for row in rows
        ],
    )  # fmt: skip
    for row in rows:
        for what in row.drill.found:
            console.line(f"DRILL {row.database} {minute(row.drill.at)}: {what}")
    if not rows:
        console.narrate("No DRILL was carried out yet. Begin one with: pgdr drill DB")
    return 0


def _change(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{duration(abs(seconds))} {'quicker' if seconds < 0 else 'slower'}"
