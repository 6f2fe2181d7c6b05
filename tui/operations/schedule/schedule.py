"""What is to run on its own and when: backups by their frequencies, retention, verification, lateness.

How a scheduler is told is in schedule_cron, schedule_systemd, schedule_kubernetes and schedule_windows.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta

from tui.model.amounts import limit
from tui.model.errors import UsageError
from tui.model.fleet import Component, Database, Fleet
from tui.model.text import clean
from tui.operations.schedule.times import Times, times

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to run: `name` is short and unique, of letters, digits and dashes; `arguments` follow the
    program's general options; `note` says where the times aren't what was asked for."""

    name: str
    about: str
    arguments: tuple[str, ...]
    every: timedelta
    times: Times
    note: str | None = None
    fine: tuple[int, ...] = (0,)  # exit codes that are no failure


@dataclass(frozen=True, slots=True)
class Schedule:
    """The tasks of a fleet, and a sentence on each thing of it that runs by nobody's schedule."""

    tasks: tuple[Task, ...]
    unscheduled: tuple[str, ...]


def schedule(fleet: Fleet, environment: str | None = None) -> Schedule:
    """Given a fleet, returns what is to run for its databases, or for those of one environment; components
    belong to `prod`. Raises UsageError for an environment that it doesn't have, and for names that hold
    control characters, which schedulers don't pass on.
    """
    databases = [d for d in fleet.databases if environment in (None, d.environment)]
    if environment is not None and not databases:
        there = ", ".join(sorted({clean(d.environment, 40) for d in fleet.databases})) or "none"
        raise UsageError(
            f"No database is of the environment {clean(environment, 40)}.", mend=f"There are: {there}."
        )
    components = list(fleet.components) if environment in (None, "prod") else []
    tasks: list[Task] = []
    unscheduled: list[str] = []
    notify = ("--notify-failure",) if fleet.channels else ()
    for database in databases:
        name = clean(database.name, 80)
        if not database.backup.stores:
            unscheduled.append(f"{name}: no store is named for its backups.")
        elif database.backup.every is None:
            unscheduled.append(f"{name} ({clean(database.environment, 40)}): on demand, by hand.")
        else:
            arguments = ("backup", "--quiet", *notify, *_names([database]))
            about = f"backup of {name}, every {limit(database.backup.every)}"
            tasks.append(
                _task(fleet, f"backup-{slug(database.name)}", about, arguments, database.backup.every)
            )
    for component in components:
        name = clean(component.name, 80)
        if not (component.paths or component.volumes):
            unscheduled.append(f"Component {name}: {clean(component.method, 80)}; pgdr doesn't back it up.")
        elif component.every is None:
            unscheduled.append(f"Component {name}: on change or on demand, by hand.")
        else:
            arguments = ("backup", "--quiet", *notify, f"--component={component.name}")
            about = f"backup of component {name}, every {limit(component.every)}"
            tasks.append(_task(fleet, f"component-{slug(component.name)}", about, arguments, component.every))
    if tasks:  # what is taken by hand is looked after by hand
        tasks += _upkeep(fleet, databases, components, whole=environment is None)
    return Schedule(tuple(tasks), tuple(unscheduled))


def _upkeep(
    fleet: Fleet, databases: list[Database], components: list[Component], *, whole: bool
) -> list[Task]:
    """What serves several at once."""
    tasks: list[Task] = []
    names = () if whole else _names(databases)
    kept = [d.backup.keep_for for d in databases] + [c.keep_for for c in components]
    if any(keep_for is not None for keep_for in kept):
        confirm = databases[0].name if not whole and len(databases) == 1 else fleet.name
        arguments = ("prune", "--quiet", f"--confirm={confirm}", *names)
        tasks.append(_task(fleet, "prune", "retention, every day", arguments, _DAY, fine=(0, 3)))
    if databases and fleet.verify_every is not None:
        about = f"verification of what is due every {limit(fleet.verify_every)}, looked for every day"
        tasks.append(_task(fleet, "verify", about, ("verify", "--due", *names), _DAY, fine=(0, 3)))
    if any(d.backup.every is not None for d in databases):
        notify = ("--notify",) if fleet.channels else ()
        # Databases on demand have an RPO too, but nobody to wake for it
        regular = [d for d in databases if d.backup.every is not None]
        arguments = ("late", "--quiet", *notify, *_names(regular))
        tasks.append(_task(fleet, "late", "late backups, every hour", arguments, _HOUR))
    return tasks


def _task(
    fleet: Fleet,
    name: str,
    about: str,
    arguments: tuple[str, ...],
    every: timedelta,
    fine: tuple[int, ...] = (0,),
) -> Task:
    for argument in arguments:
        check_argument(argument)
    found, longest = times(every, f"{fleet.name}\0{name}")
    note = None
    if longest != every:
        note = f"every {limit(every)} can't be said in times of the calendar: {found.words}, the next shorter"
    return Task(name, about, arguments, every, found, note, fine)


def check_argument(argument: str) -> None:
    """Raises UsageError for what a scheduler would not pass on as it is."""
    if any(ord(char) < 32 or ord(char) == 127 for char in argument):
        raise UsageError(
            f"“{clean(argument, 80)}” holds a control character, which schedulers don't pass on as it is.",
            mend="Give it another name in the configuration.",
        )


def _names(databases: list[Database]) -> tuple[str, ...]:
    names = tuple(d.name for d in databases)
    # What begins with a dash would be taken for an option
    return ("--", *names) if any(name.startswith("-") for name in names) else names


def slug(name: str) -> str:
    """Given any name, returns letters, digits and dashes that tell it from all others, at most 30."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if plain == name and len(plain) <= 30:
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain[:23].strip('-') or 'x'}-{digest[:6]}"
