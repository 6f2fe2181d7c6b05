"""Anything that has commands of its own to stop it, to start it, and to tell whether it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.model.service import CommandService, Looked, ServiceState
from tui.model.text import clean
from tui.process import Command
from tui.services.control import asked, failed

# https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/iniscrptact.html
# 1 isn't taken for "not running": it is what a script ends with that has failed.
_RUNS, _DOESNT = 0, 3


@dataclass(frozen=True, slots=True)
class CommandControl:
    """One such service."""

    spec: CommandService

    @property
    def directory(self) -> Path | None:
        """The configured one."""
        return self.spec.directory

    def look(self) -> Looked:
        """Runs its `state`: 0 is running, 3 is not. Raises PgdrError for any other code."""
        command = Command(self.spec.state)
        done = asked(self, command)
        if done.code not in (_RUNS, _DOESNT):
            what = f"Whether the service {clean(self.spec.name)} runs is not known (0 would be yes, 3 no)."
            raise failed(self, command, done, what)
        said = done.stdout.decode("utf-8", "replace").strip().splitlines()
        words = clean(said[-1], 120) if said else f"its state command exited with {done.code}"
        return Looked(ServiceState.RUNNING if done.code == _RUNS else ServiceState.STOPPED, words)

    def stop(self) -> Command:
        """Its own."""
        return Command(self.spec.stop)

    def start(self, replicas: int | None) -> Command:
        """Its own."""
        return Command(self.spec.start)
