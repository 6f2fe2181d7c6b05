"""What every kind of service can be asked and told, and how its programs are run."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tui.model.errors import PgdrError
from tui.model.service import Looked, ServiceSpec
from tui.model.text import clean
from tui.process import Command, Finished, run_to_exit

_SAID = 300  # characters of what a program printed that an error repeats


class Control(Protocol):
    """One service in the hands of its own tools. Only `look` runs something: the rest are commands to run."""

    @property
    def spec(self) -> ServiceSpec:
        """What the configuration says of it."""

    @property
    def directory(self) -> Path | None:
        """Where its commands are run; None: here."""

    def look(self) -> Looked:
        """What it is doing now. Raises PgdrError when its tools can't be run, fail, or know nothing of it."""

    def stop(self) -> Command:
        """What stops it, and does nothing to one that is stopped."""

    def start(self, replicas: int | None) -> Command:
        """What starts it, as many of it as there were; does nothing to one that runs."""


def carry_out(control: Control, command: Command, doing: str) -> Finished:
    """Runs one of a service's commands to its end; `doing` says what for (`stopped`).

    Raises PgdrError when it can't be run, takes longer than the service's timeout, or exits with another code
    than 0, with the end of what it said.
    """
    done = asked(control, command)
    if done.code != 0:
        raise failed(control, command, done, f"The service {clean(control.spec.name)} could not be {doing}.")
    return done


def asked(control: Control, command: Command) -> Finished:
    """Runs one of a service's commands to its end, whatever code that is. Raises PgdrError when it can't be
    run or takes too long."""
    directory = None if control.directory is None else str(control.directory)
    if control.directory is not None and not control.directory.is_dir():
        raise PgdrError(
            f"The service {clean(control.spec.name)} has no directory {clean(directory or '')}.",
            mend="Mend file or directory in its table of the configuration.",
        )
    try:
        return run_to_exit(command, timeout_s=control.spec.timeout_s, cwd=directory)
    except PgdrError as error:
        raise PgdrError(error.what, error.why, error.mend or _by_hand(command)) from None


def failed(control: Control, command: Command, done: Finished, what: str) -> PgdrError:
    """The error of a command that ended with a code that isn't 0, with the last that it said."""
    said = [line for line in done.stderr.splitlines() if line.strip()]
    said = said or [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    ended = f"was ended by signal {-done.code}" if done.code < 0 else f"exited with {done.code}"
    why = f"{clean(Path(command.argv[0]).name)} {ended}"
    why += f": {clean(said[-1].strip(), _SAID)}" if said else " and said nothing."
    return PgdrError(what, why, _by_hand(command))


def _by_hand(command: Command) -> str:
    return f"See what it says by hand: {command.shown}"
