"""A schedule as PowerShell commands for Windows' Task Scheduler.

The program itself needs POSIX: there it runs in WSL, the Windows Subsystem for Linux.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from xml.etree import ElementTree

from tui.operations.schedule.schedule import Schedule, Task
from tui.operations.schedule.times import Times

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_FIRST = "2026-01-01"
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")  # all of them end a string of PowerShell's


def tasks(schedule: Schedule, command: Sequence[str], variables: Sequence[str]) -> str:
    """Given a schedule, how the program is called in WSL, and the environment variables that hold its
    secrets, returns the commands that register its tasks for the user who runs them."""
    lines = ["# Run these in PowerShell. pgdr runs in WSL: install it there first."]
    if variables:
        lines.append(
            f"# These hold secrets and must be set in WSL (~/.profile isn't read): {', '.join(variables)}"
        )
    lines += [f"# {said}" for said in schedule.unscheduled]
    for task in schedule.tasks:
        lines += ["", f"# {task.about}", *([f"# {task.note}"] if task.note else [])]
        name = f"pgdr {task.name}"
        lines += [
            f"Register-ScheduledTask -Force -TaskName {quoted(name)} -Xml @'",
            document(task, command),
            "'@",
        ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A string of PowerShell's in which nothing is expanded (about_Quoting_Rules)."""
    return "'" + _QUOTES.sub(lambda found: found[0] * 2, text) + "'"


def document(task: Task, command: Sequence[str]) -> str:
    """One task as the Task Scheduler's XML, version 1.2 (Windows 7 and later)."""
    root = ElementTree.Element("Task", {"version": "1.2", "xmlns": _NAMESPACE})
    _put(_put(root, "RegistrationInfo"), "Description", f"pgdr: {task.about}")
    _trigger(_put(root, "Triggers"), task.times)
    principal = _put(_put(root, "Principals"), "Principal")
    principal.set("id", "Author")
    _put(principal, "LogonType", "S4U")  # runs whether the user is logged on or not, without a password kept
    settings = _put(root, "Settings")
    _put(settings, "MultipleInstancesPolicy", "IgnoreNew")
    _put(settings, "DisallowStartIfOnBatteries", "false")
    _put(settings, "StartWhenAvailable", "true")
    _put(settings, "ExecutionTimeLimit", "PT0S")
    actions = _put(root, "Actions")
    actions.set("Context", "Author")
    execute = _put(actions, "Exec")
    _put(execute, "Command", "wsl.exe")
    # Quoted as Microsoft's C runtime takes arguments apart, which wsl.exe follows
    _put(execute, "Arguments", subprocess.list2cmdline(("--exec", *command, *task.arguments)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def _trigger(triggers: ElementTree.Element, times: Times) -> None:
    trigger = _put(triggers, "CalendarTrigger")
    minute, hour = times.minutes[0], times.hours[0]
    if len(times.minutes) > 1 or len(times.hours) > 1:
        every = f"PT{60 // len(times.minutes)}M" if len(times.minutes) > 1 else f"PT{24 // len(times.hours)}H"
        repetition = _put(trigger, "Repetition")
        _put(repetition, "Interval", every)
        _put(repetition, "Duration", "P1D")
    _put(trigger, "StartBoundary", f"{_FIRST}T{hour:02}:{minute:02}:00Z")
    if times.weekday is not None:
        by = _put(trigger, "ScheduleByWeek")
        _put(by, "WeeksInterval", "1")
        _put(_put(by, "DaysOfWeek"), _WEEKDAYS[times.weekday])
    elif times.days:
        by = _put(trigger, "ScheduleByMonth")
        days, months = _put(by, "DaysOfMonth"), _put(by, "Months")
        for day in times.days:
            _put(days, "Day", str(day))
        for month in times.months or range(1, 13):
            _put(months, _MONTHS[month - 1])
    else:
        _put(_put(trigger, "ScheduleByDay"), "DaysInterval", str(times.day_step))


def _put(into: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    made = ElementTree.SubElement(into, name)
    made.text = text
    return made
