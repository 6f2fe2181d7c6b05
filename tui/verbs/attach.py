"""`attach`: follow a job until it ends."""

from __future__ import annotations

import argparse

from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 clean, 3 explained, 5 a server or store didn't answer, 1 failed otherwise, cancelled or
    lost. Ctrl+C leaves the job running."""
    from tui.jobs.watch import full_id
    from tui.verbs.following import exit_code, follow_to_end, job_of, tell_end

    job = full_id(context.state_directory(), arguments.job)
    picture = follow_to_end(context, job)
    tell_end(context, picture)
    if context.console.json_wanted:
        context.console.json(job_of(context, picture))
    return exit_code(picture)
