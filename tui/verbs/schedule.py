"""`schedule`: print what to install so that backups, retention, verification and alarms run on their own."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui import __version__
from tui.model.errors import UsageError
from tui.model.fleet import Fleet
from tui.verbs.context import Context

if TYPE_CHECKING:
    from tui.operations.schedule.schedule import Schedule

FORMATS = ("cron", "systemd", "kubernetes", "windows")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the forms that were asked for, or writes them as files where `--out` names a directory."""
    from tui.config.secrets import variables_of
    from tui.model.text import clean
    from tui.operations.schedule.schedule import check_argument, schedule

    fleet, console = context.fleet(), context.console
    forms = [form.strip() for form in arguments.form.split(",")]
    if unknown := [form for form in forms if form not in FORMATS]:
        raise UsageError(f"--format takes {', '.join(FORMATS)}, not {clean(unknown[0], 40) or 'nothing'}.")
    made = schedule(fleet, arguments.environment)
    command = _command(context, fleet)
    for part in command:
        check_argument(part)
    files: dict[str, str] = {}
    variables = variables_of(fleet)
    for form in forms:
        files |= _files(form, fleet, made, command, variables, arguments.image)
    if console.json_wanted:
        console.json(
            {
                "tasks": [
                    {
                        "name": t.name, "about": t.about, "command": [*command, *t.arguments],
                        "every_s": t.every.total_seconds(), "cron": t.times.cron,
                        "calendar": t.times.calendar, "note": t.note,
                    }
                    for t in made.tasks
                ],
                "unscheduled": list(made.unscheduled),
                "files": [{"name": name, "text": text} for name, text in files.items()],
            }
        )  # fmt: skip
    if arguments.out is not None:
        _write(Path(arguments.out), files)
        for name in files:
            console.narrate(f"{Path(arguments.out) / name}")
        return 0
    for number, (name, text) in enumerate(files.items()):
        if len(files) > 1:
            console.line(("\n" if number else "") + f"# ── {name}")
        for line in text.splitlines():
            console.line(line)
    if not made.tasks:
        console.narrate("Nothing is on a schedule here.")
    elif "systemd" in forms:
        console.narrate(
            "To install them: pgdr schedule --format systemd --out /etc/systemd/system, then there"
        )
        console.narrate("  systemctl daemon-reload && systemctl enable --now pgdr-*.timer")
    return 0


def _files(
    form: str,
    fleet: Fleet,
    made: Schedule,
    command: tuple[str, ...],
    variables: tuple[str, ...],
    image: str | None,
) -> Mapping[str, str]:
    if form == "cron":
        from tui.operations.schedule.cron import crontab

        return {"pgdr.crontab": crontab(made, command, variables)}
    if form == "systemd":
        from tui.operations.schedule.systemd import units

        user = getpass.getuser() if os.getuid() else None
        return units(made, command, variables, user)
    if form == "windows":
        from tui.operations.schedule.windows import tasks

        return {"pgdr-tasks.ps1": tasks(made, command, variables)}
    from tui.config.secrets import files_of
    from tui.operations.schedule.kubernetes import cron_jobs

    image = image or f"pgdr:{__version__}"
    return {"pgdr-cronjobs.yaml": cron_jobs(fleet, made, variables, image, files_of(fleet))}


def _command(context: Context, fleet: Fleet) -> tuple[str, ...]:
    """How this program is called from anywhere."""
    here = Path(sys.executable).with_name("pgdr")
    program = (str(here),) if here.is_file() else (sys.executable, "-m", "tui")
    config = fleet.source.resolve() if fleet.source else Path()
    state = ("--state", str(context.state.resolve())) if context.state is not None else ()
    return (*program, "--config", str(config), *state)


def _write(directory: Path, files: Mapping[str, str]) -> None:
    from tui.files import write_whole

    if not directory.is_dir():
        raise UsageError(f"{directory} is no directory.", mend="Make it first, or leave --out away.")
    for name, text in files.items():
        write_whole(directory / name, text, mode=0o644)
