"""`incidents`: the incidents of the state directory."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the incidents, newest first."""
    from tui.incident.book import Book

    console = context.console
    found = Book(context.state_directory()).all()
    if console.json_wanted:
        console.json(
            [
                {
                    "id": i.id,
                    "database": i.database,
                    "operator": i.operator,
                    "driver": i.driving,
                    "driver_since": codec.plain(i.driver_since) if i.driver_since else None,
                    "drill": i.drill,
                    "declared_at": codec.plain(i.declared_at),
                    "closed_at": codec.plain(i.closed_at) if i.closed_at else None,
                    "step": i.current.value,
                    "outcome": i.outcome,
                }
                for i in found
            ]
        )
    console.table(
        ("id", "", "database", "declared (UTC)", "step", "outcome", "driven by"),
        [
            (
                i.id,
                "DRILL" if i.drill else "",
                i.database,
                f"{i.declared_at:%Y-%m-%d %H:%M}",
                i.current.value,
                i.outcome or "open",
                i.driving,
            )
            for i in found
        ],
    )
    if not found:
        console.narrate("No incident has been declared yet.")
    return 0
