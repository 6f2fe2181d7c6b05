"""`explain`: what is known of an error's text: its cause, what to do, what pgdr can do about it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tui.verbs.context import Context

if TYPE_CHECKING:
    from tui.model.trouble import Match


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 when something is known, 1 when nothing is."""
    from tui.operations.plan.remedies import told
    from tui.postgres.troubles.search import search

    console = context.console
    words = arguments.text if arguments.text != ["-"] else [sys.stdin.read()]
    text = " ".join(words)
    matches = search(text, arguments.limit)
    if console.json_wanted:
        console.json(
            {
                "text": text,
                "troubles": [
                    {
                        "key": m.trouble.key,
                        "symptom": m.trouble.symptom,
                        "sure": m.sure,
                        "cause": m.trouble.cause,
                        "do": list(m.trouble.do),
                        "pgdr": [
                            {"remedy": r.value, "what": told(r).what, "command": told(r).command}
                            for r in m.trouble.remedies
                        ],
                    }
                    for m in matches
                ],
            }
        )
    for match in matches:
        _tell(context, match)
    if not matches:
        console.narrate("Nothing is known of that. The error's own words, without names, may find more.")
    return 0 if matches else 1


def _tell(context: Context, match: Match) -> None:
    from tui.operations.plan.remedies import told

    console, trouble = context.console, match.trouble
    console.line(trouble.symptom if match.sure else f"{trouble.symptom} (perhaps)")
    console.line(f"  why   {trouble.cause}")
    for what in trouble.do:
        console.line(f"  do    {what}")
    for remedy in trouble.remedies:
        console.line(f"  pgdr  {told(remedy).what}: {told(remedy).command}")
    console.line("")
