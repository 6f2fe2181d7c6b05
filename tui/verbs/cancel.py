"""`cancel`: ask a running job to stop, and wait until it has."""

from __future__ import annotations

import argparse

from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Returns 0 when the job was stopped, 1 when it ended otherwise before it could be."""
    from tui.jobs.watch import ask_cancel, follow, full_id
    from tui.model.event import JobState
    from tui.verbs.following import job_of, tell_end

    context.refuse_if_read_only("Stopping a job")
    state = context.state_directory()
    job = full_id(state, arguments.job)
    ask_cancel(state, job, context.operator(), arguments.keep)
    picture = follow(state, job, lambda _: None, context.now)
    tell_end(context, picture)
    if context.console.json_wanted:
        context.console.json(job_of(context, picture))
    return 0 if picture.state is JobState.CANCELLED else 1
