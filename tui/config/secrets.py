"""Secrets, looked up at the moment they are needed and nowhere kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

from tui.model.errors import ConfigError
from tui.model.secret import Secret
from tui.model.text import clean

_LONGEST = 65_536  # characters; a tool pointed at the wrong file should not read all of it


def reveal(secret: Secret) -> str:
    """Given where a secret is, returns it: a variable's value, or a file's first line.

    Raises ConfigError naming the variable or file (never the value) where it is missing, empty or
    unreadable. A file that others may read is taken all the same: container platforms mount secrets
    so, and a recovery must not fail on it. `exposure` tells, and `pgdr check` shows it.
    """
    if secret.env is not None:
        value = os.environ.get(secret.env, "")
        what = f"The environment variable {clean(secret.env)}"
        if not value:
            state = "is empty" if secret.env in os.environ else "is not set"
            raise ConfigError(f"{what} {state}.", mend="Set it to the secret before starting pgdr.")
        return value
    if secret.file is None:
        raise ConfigError("A secret names neither a variable nor a file.")
    what = f"The secret's file {clean(str(secret.file))}"
    try:
        with secret.file.open(encoding="utf-8") as file:
            value = file.readline(_LONGEST).rstrip("\r\n")
    except OSError as error:
        raise ConfigError(
            f"{what} could not be read: {error.strerror}.",
            mend="Put the secret on its first line, for this user to read (chmod 600).",
        ) from None
    except ValueError:  # a UnicodeDecodeError holds the file's bytes: it must not be chained
        value = ""
    if not value or "\0" in value or len(value) >= _LONGEST - 1:
        raise ConfigError(f"{what} holds no secret on its first line.", mend="Write it there as UTF-8 text.")
    return value


def exposure(path: Path) -> str | None:
    """Given a file that holds a secret, returns who else may read it, or None where nobody may.

    What is no plain file (a pipe from a password manager) and what isn't there is nobody's.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    if status.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        return "every user of this machine"
    if status.st_mode & (stat.S_IRGRP | stat.S_IWGRP):
        return "its group"
    return None


def variables_of(value: object) -> tuple[str, ...]:
    """Given a fleet, or any value of one, returns the environment variables that hold its secrets, sorted."""
    return tuple(sorted({secret.env for secret in _secrets_of(value) if secret.env is not None}))


def files_of(value: object) -> tuple[Path, ...]:
    """Given a fleet, or any value of one, returns the files that hold its secrets, sorted."""
    return tuple(sorted({secret.file for secret in _secrets_of(value) if secret.file is not None}))


def _secrets_of(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets_of(item)
    elif is_dataclass(value):
        for field in fields(value):
            inner = getattr(value, field.name)
            is_file = field.name == "passfile" and inner is not None
            yield from (Secret(file=inner),) if is_file else _secrets_of(inner)
