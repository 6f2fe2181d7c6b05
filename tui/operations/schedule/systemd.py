"""A schedule as systemd's services and timers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from tui.operations.schedule.schedule import Schedule, Task

ENVIRONMENT = "/etc/pgdr/environment"

# What the program never needs. Not: a /tmp or /home of its own (sockets of PostgreSQL and GPG, the
# configuration), or memory that is never code (libraries of the clouds).
_HARDENED = """\
UMask=0077
NoNewPrivileges=yes
ProtectSystem=full
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
"""


def units(
    schedule: Schedule, command: Sequence[str], variables: Sequence[str], user: str | None
) -> Mapping[str, str]:
    """Given a schedule, how the program is called, the environment variables that hold its secrets, and as
    whom it runs (None: root), returns a service and a timer for each task, by their file names."""
    made = {}
    for task in schedule.tasks:
        made[f"pgdr-{task.name}.service"] = _service(task, command, variables, user)
        made[f"pgdr-{task.name}.timer"] = _timer(task)
    return made


def _service(task: Task, command: Sequence[str], variables: Sequence[str], user: str | None) -> str:
    lines = [
        "[Unit]",
        f"Description=pgdr: {_plain(task.about)}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={' '.join(quoted(part) for part in (*command, *task.arguments))}",
    ]
    if task.fine != (0,):
        lines.append(f"SuccessExitStatus={' '.join(map(str, task.fine[1:]))}")
    if user is not None:
        lines.append(f"User={_plain(user)}")
    if variables:
        lines += [
            f"# NAME=value each, readable for root only: {', '.join(variables)}",
            f"EnvironmentFile={ENVIRONMENT}",
        ]
    return "\n".join((*lines, "Nice=10", "IOSchedulingClass=idle", _HARDENED))


def _timer(task: Task) -> str:
    spread = max(30, min(300, int(task.every / timedelta(seconds=20))))
    return "\n".join(
        (
            "[Unit]",
            f"Description=pgdr: when to run the {_plain(task.about)}",
            "",
            "[Timer]",
            *([f"# {task.note}"] if task.note else ()),
            f"OnCalendar={task.times.calendar}",
            "Persistent=true",
            f"RandomizedDelaySec={spread}",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        )
    )


def quoted(part: str) -> str:
    """An argument of ExecStart (systemd.service(5), COMMAND LINES): in double quotes, with C's escapes; `%`
    begins a specifier and `$` a variable, each doubled where it is meant."""
    escaped = part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    plain = escaped == part and part and not any(char in part for char in " \t;'#") and part.isascii()
    return part if plain else f'"{escaped}"'


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "%%")
