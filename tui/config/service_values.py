"""Readers of what a service is stopped, started and asked by."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tui.config.values import Unfit, answer, found, text

# https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
_TYPES = (".service", ".socket", ".target", ".timer", ".slice", ".scope", ".mount", ".path")


def argv(value: object, base: Path) -> tuple[str, ...]:
    """A program and its arguments. A text alone would want a shell, and none is run."""
    if isinstance(value, str):
        raise Unfit(
            "expected a list: a program and its arguments, each by itself; no shell reads it.",
            'Write it so: ["systemctl", "stop", "server"].',
        )
    if not isinstance(value, list) or not value:
        raise Unfit(f"expected a list: a program and its arguments, found {found(value)}.")
    for number, part in enumerate(value, 1):
        if not isinstance(part, str) or "\0" in part or (number == 1 and not part.strip()):
            raise Unfit(f"item {number}: expected text in quotes, found {found(part)}.")
    program, *rest = value
    # A program with a path is looked for from the configuration's directory, as every path is.
    if program.startswith(("./", "../", "~/")):
        program = str(base / Path(program).expanduser())
    return (program, *rest)


def word(value: object, base: Path) -> str:
    """A name as a tool takes it: one word that can't be taken for an option."""
    read = text(value, base)
    if read.startswith("-") or any(char.isspace() for char in read):
        raise Unfit(f"expected a name without blanks that doesn't begin with -, found {found(value)}.")
    return read


def unit(value: object, base: Path) -> str:
    """The name of a unit; without a type it is a service, as systemctl has it."""
    read = text(value, base)
    if not _UNIT.fullmatch(read) or read.startswith("-"):
        raise Unfit(f'expected a unit\'s name, such as "server.service", found {found(value)}.')
    return read if read.endswith(_TYPES) else f"{read}.service"


def program(value: object, base: Path) -> str:
    """How compose is called here: `docker compose`, `docker-compose`."""
    read = text(value, base)
    try:
        parts = shlex.split(read)
    except ValueError:
        parts = []
    if not parts:
        raise Unfit(f'expected "docker compose" or "docker-compose", found {found(value)}.')
    return read


def answers(value: object, base: Path) -> tuple[tuple[str, str], ...]:
    """What an answer's JSON must hold: `{ status = "ok", "checks.database" = "up" }`."""
    if not isinstance(value, dict) or not value:
        raise Unfit(f'expected a table such as {{ status = "ok" }}, found {found(value)}.')
    read: list[tuple[str, str]] = []
    for key, wanted in value.items():
        if isinstance(wanted, dict):
            read += [(f"{key}.{inner}", one) for inner, one in answers(wanted, base)]
        elif isinstance(wanted, bool):
            read.append((key, "true" if wanted else "false"))
        else:
            try:
                read.append((key, answer(wanted, base)))
            except Unfit as unfit:
                raise Unfit(f"{found(key)}: {unfit.what}", unfit.mend) from None
    return tuple(read)
