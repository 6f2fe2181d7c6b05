"""Following a job from the command line, and what its end means for the exit code."""

from __future__ import annotations

from typing import Any

from tui.jobs.job import JobSpec
from tui.jobs.start import start_job
from tui.jobs.watch import follow
from tui.model import codec
from tui.model.amounts import duration
from tui.model.backup import Verdict
from tui.model.errors import Refused, Unreachable
from tui.model.event import JobState
from tui.model.progress import Progress
from tui.verbs.context import Context


def start_and_follow(context: Context, spec: JobSpec) -> Progress:
    """Starts the job that `spec` orders and follows it to its end. Ctrl+C leaves the job running, and
    says so, from the first moment on."""
    try:
        job = start_job(context.state_directory(), spec)
    except KeyboardInterrupt:
        _say_left(context, spec.id)
        raise
    return follow_to_end(context, job)


def follow_to_end(context: Context, job: str) -> Progress:
    """Shows a job on stderr until it has ended, and returns it. Ctrl+C leaves the job running."""
    console = context.console
    told: list[str] = []

    def show(picture: Progress) -> None:
        phase = next((p.phase.value for p in picture.phases if p.state == "running"), "")
        if phase and (not told or told[-1] != phase):
            told.append(phase)
            console.narrate(f"{picture.job}: {phase}")
        left = ""
        if picture.ready_high and picture.updated_at:
            left = f", ready in {duration(picture.ready_high - context.now())} at the latest"
        console.progress(f"{picture.fraction * 100:3.0f} % {phase}{left}")

    try:
        return follow(context.state_directory(), job, show, context.now)
    except KeyboardInterrupt:
        _say_left(context, job)
        raise


def _say_left(context: Context, job: str) -> None:
    context.console.narrate(f"Left. The job goes on; see it again with: pgdr attach {job}")


def tell_end(context: Context, picture: Progress) -> None:
    """Says how a job ended: verdict, message, each error with what it means."""
    console = context.console
    verdict = picture.verdict.value if picture.verdict else "no verdict"
    took = f" after {duration(picture.duration_s)}" if picture.duration_s is not None else ""
    console.narrate(f"{picture.job}: {picture.state.value}, {verdict}{took}.")
    if picture.message:
        console.narrate(f"  {picture.message}")
    if picture.mend:
        console.narrate(f"  Next: {picture.mend}")
    for error in picture.errors:
        console.narrate(f"  {error.entry or 'pg_restore'}: {error.message.splitlines()[0]}")
        console.narrate(f"    {error.error_class.value}: {error.meaning} {error.mend}")


def exit_code(picture: Progress) -> int:
    """0 clean, 3 explained, 4 when another one works on the target, 5 when a server or store didn't answer,
    1 anything else."""
    if picture.state is not JobState.DONE:
        refused = Refused.exit_code if picture.refused else 1
        return Unreachable.exit_code if picture.unreachable else refused
    return {Verdict.CLEAN: 0, Verdict.EXPLAINED: 3}.get(picture.verdict or Verdict.FAILED, 1)


def errors_of(picture: Progress) -> list[dict[str, Any]]:
    """The errors as `restore --json` has them."""
    return [
        {
            "entry": e.entry,
            "message": e.message,
            "class": e.error_class.value,
            "harmless": e.harmless,
            "meaning": e.meaning,
            "mend": e.mend,
        }
        for e in picture.errors
    ]


def job_of(context: Context, picture: Progress) -> dict[str, Any]:
    """One job as `jobs --json` and `attach --json` have it."""
    now = context.now()
    running = picture.state is JobState.RUNNING
    left = (picture.ready_high - now).total_seconds() if running and picture.ready_high else None
    return {
        "job": picture.job,
        "kind": picture.kind.value,
        "state": picture.state.value,
        "database": picture.database,
        "ref": picture.ref,
        "target": picture.target,
        "operator": picture.operator,
        "started_at": codec.plain(picture.started_at) if picture.started_at else None,
        "percent": round(picture.fraction * 100, 1),
        "eta_s": max(0.0, left) if left is not None else None,
        "duration_s": picture.duration_s,
        "verdict": picture.verdict.value if picture.verdict else None,
        "message": picture.message,
        "mend": picture.mend,
        "errors": errors_of(picture),
    }
