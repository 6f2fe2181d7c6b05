"""`resume`: go on with an interrupted restore from what is done."""

from __future__ import annotations

import argparse

from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 clean, 3 explained, 1 failed, 4 when there is nothing to go on with."""
    from tui.jobs.resume import resuming
    from tui.jobs.start import start_job
    from tui.jobs.watch import full_id, view
    from tui.verbs.following import exit_code, job_of, start_and_follow, tell_end

    context.refuse_if_read_only("Restoring")
    console, state = context.console, context.state_directory()
    order = resuming(state, full_id(state, arguments.job), context.operator(), context.now())
    console.narrate(f"Job {order.id} goes on with {order.resumes}, into {order.target}.")
    if arguments.detach:
        start_job(state, order)
        console.line(order.id)
        if console.json_wanted:
            console.json(job_of(context, view(state, order.id).picture(context.now())))
        console.narrate(f"Follow it with: pgdr attach {order.id}")
        return 0
    picture = start_and_follow(context, order)
    tell_end(context, picture)
    if console.json_wanted:
        console.json(job_of(context, picture))
    console.line(f"{order.target}: {picture.verdict.value if picture.verdict else picture.state.value}")
    if exit_code(picture) in (0, 3):
        name = order.database
        console.narrate(f"Put it in place with: pgdr swap {name} {order.target} --confirm {name}")
    return exit_code(picture)
