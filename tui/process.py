"""The one place that starts programs.

A command line is a `Command`: argv, the environment it adds, and which of its variables are secret.
Passwords travel in the environment or a passfile, never in argv, so `shown` can be shown to anyone.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from tui.model.errors import PgdrError
from tui.model.text import clean

SECRET_VARIABLES = frozenset({"PGPASSWORD"})

_KEPT_BYTES = 1 << 20  # of what a program prints: enough for any answer, little for this process
_ENDS_S = 2.0  # how long a program that is asked to end may take


@dataclass(frozen=True)
class Command:
    """A program and its arguments, with the environment variables to set for it."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """What a person would type in a shell: the variables (secrets by reference) and argv, quoted."""
        variables = (
            f'{name}="${name}"' if name in SECRET_VARIABLES else f"{name}={shlex.quote(value)}"
            for name, value in sorted(self.env.items())
        )
        return clean(" ".join((*variables, *(shlex.quote(part) for part in self.argv))))


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: exit code (negative: the signal that ended it) and what it printed."""

    code: int
    stdout: bytes
    stderr: str


def run(command: Command, *, timeout_s: float | None = None, stdin: bytes | None = None) -> Finished:
    """Runs a program to its end and returns what it printed.

    Raises PgdrError when it can't be started or takes longer than `timeout_s` seconds (it is killed
    then). A non-zero exit code is the caller's to judge.
    """
    process = start(command, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL)
    try:
        out, err = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise PgdrError(f"{command.argv[0]} gave no answer within {timeout_s:g} s.") from None
    return Finished(process.returncode, out, err.decode("utf-8", "replace"))


def run_to_exit(command: Command, *, timeout_s: float, cwd: str | None = None) -> Finished:
    """Runs a program that may leave others running, such as one that starts a service, and returns when it
    has ended itself, whether or not those still hold its output open.

    It has a session of its own: it can't ask anything on this terminal, and what it leaves running outlives
    this process. Of its output the first mebibyte is kept. Raises PgdrError when it can't be started or takes
    longer than `timeout_s` seconds: it is ended then, with all of its session's group.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start(command, stdout=out, stderr=err, detached=True, cwd=cwd)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _end_group(process)
            said = _kept(err).decode("utf-8", "replace").strip().splitlines()
            raise PgdrError(
                f"{clean(command.argv[0])} had not ended after {timeout_s:g} s, and was ended.",
                f"It said: {clean(said[-1], 300)}" if said else None,
            ) from None
        except BaseException:  # the one who waits is ended: what it has begun must not go on unseen
            _end_group(process)
            raise
        return Finished(process.returncode, _kept(out), _kept(err).decode("utf-8", "replace"))


def _kept(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_KEPT_BYTES)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Asks a program and its children to end, and makes them."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_S)


def start(
    command: Command,
    *,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = subprocess.PIPE,
    stderr: int | IO[bytes] | None = subprocess.PIPE,
    detached: bool = False,
    grouped: bool = False,
    cwd: str | None = None,
    uid: int | None = None,
    gid: int | None = None,
    pass_fds: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    """Starts a program and returns its process.

    `detached` gives it a session of its own, so that it outlives this process and its terminal; `grouped`
    a process group of its own, so that it and all that it starts can be ended at once.
    `uid` and `gid` start it as another user (only root may). `pass_fds` are open files that it may have too.
    Messages are asked for in English (LC_MESSAGES), since some of them are read by this program. Raises
    PgdrError when it can't be started.
    """
    env = {**os.environ, "LC_MESSAGES": "C", **command.env}
    env.pop("LC_ALL", None)
    try:
        return subprocess.Popen(
            command.argv,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=detached,
            process_group=0 if grouped else None,
            cwd=cwd,
            user=uid,
            group=gid,
            extra_groups=[] if uid is not None else None,
            pass_fds=pass_fds,
        )
    except OSError as error:
        raise PgdrError(
            f"{clean(command.argv[0])} could not be started.",
            f"{error.strerror}.",
            "Is it installed, and may this user run it?",
        ) from error
