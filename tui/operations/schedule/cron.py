"""A schedule as lines of a user's crontab."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tui.model.errors import UsageError
from tui.operations.schedule.schedule import Schedule, Task

_LONGEST = 990  # MAX_COMMAND of cron and cronie is 1000 bytes


def crontab(schedule: Schedule, command: Sequence[str], variables: Sequence[str]) -> str:
    """Given a schedule, how the program is called (with its general options) and the environment variables
    that hold its secrets, returns the lines. Raises UsageError for one that is longer than cron takes."""
    lines = [
        "# Add these lines with: crontab -e",
        "# The times are UTC: where cron goes by another zone, set CRON_TZ=UTC (cronie) or move them.",
    ]
    if variables:
        lines.append(f"# These hold secrets and must be set here, NAME=value each: {', '.join(variables)}")
    lines += [f"# {said}" for said in schedule.unscheduled]
    for task in schedule.tasks:
        lines += ["", f"# {task.about}"]
        if task.note:
            lines.append(f"# {task.note}")
        lines.append(f"{task.times.cron} {_command(task, command)}")
    return "\n".join(lines) + "\n"


def _command(task: Task, command: Sequence[str]) -> str:
    made = " ".join(quoted(part) for part in (*command, *task.arguments))
    if len(made.encode()) > _LONGEST:
        raise UsageError(
            f"The command of {task.name} is longer than cron takes.",
            mend="Use systemd's timers (--format systemd), or shorter names.",
        )
    return made


def quoted(part: str) -> str:
    """An argument for the shell by way of cron, which ends the command at a `%` that has no backslash and
    takes that backslash away (crontab(5)); outside of quotes the shell would take it away as well."""
    return r"\%".join(shlex.quote(piece) if piece else "" for piece in part.split("%")) or "''"
