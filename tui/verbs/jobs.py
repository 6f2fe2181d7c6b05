"""`jobs`: what is running or has run."""

from __future__ import annotations

import argparse

from tui.model.amounts import UNKNOWN, age, percent
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the jobs of the state directory, newest first."""
    from tui.jobs.watch import all_jobs
    from tui.verbs.following import job_of

    console, now = context.console, context.now()
    pictures = all_jobs(context.state_directory(), now)
    if console.json_wanted:
        console.json([job_of(context, p) for p in pictures])
    console.table(
        ("job", "database", "state", "began", "percent", "verdict"),
        [
            (
                p.job,
                p.database,
                p.state.value,
                f"{age(now - p.started_at)} ago" if p.started_at else UNKNOWN,
                percent(p.fraction),
                p.verdict.value if p.verdict else UNKNOWN,
            )
            for p in pictures
        ],
    )
    if not pictures:
        console.narrate("No job has been started yet.")
    return 0
