"""A unit of systemd, of the system's manager or the user's own.

https://www.freedesktop.org/software/systemd/man/latest/systemctl.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.model.errors import PgdrError
from tui.model.service import Looked, ServiceState, SystemdService
from tui.model.text import clean
from tui.process import Command
from tui.services.control import carry_out

# "failed" is a unit that has ended badly, and doesn't run.
_STATES = {
    "active": ServiceState.RUNNING,
    "reloading": ServiceState.RUNNING,
    "refreshing": ServiceState.RUNNING,
    "inactive": ServiceState.STOPPED,
    "failed": ServiceState.STOPPED,
}


@dataclass(frozen=True, slots=True)
class SystemdControl:
    """One unit."""

    spec: SystemdService

    @property
    def directory(self) -> Path | None:
        """Anywhere."""
        return None

    def look(self) -> Looked:
        """Asks the manager. Its `show` tells by words, and exits with 0 also for a unit that isn't there."""
        asked = command(self.spec, "show", "--property=LoadState,ActiveState,SubState", "--", self.spec.unit)
        done = carry_out(self, asked, "asked about")
        return judged(done.stdout.decode("utf-8", "replace"), self.spec)

    def stop(self) -> Command:
        """Stops it, and waits until it has stopped."""
        return command(self.spec, "stop", "--", self.spec.unit)

    def start(self, replicas: int | None) -> Command:
        """Starts it, and waits until it has."""
        return command(self.spec, "start", "--", self.spec.unit)


def command(spec: SystemdService, *words: str) -> Command:
    """Given a unit and what systemctl is to do, returns the command, which never asks for a password."""
    argv = ["sudo", "-n"] if spec.sudo else []
    argv += ["systemctl", "--no-ask-password", *(["--user"] if spec.user else [])]
    return Command((*argv, *words))


def judged(answer: str, spec: SystemdService) -> Looked:
    """Given what `systemctl show` printed, returns what the unit is doing. Raises PgdrError when the manager
    knows no such unit, or says nothing that can be understood."""
    said = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    load, active = said.get("LoadState", ""), said.get("ActiveState", "")
    if load == "not-found" and active == "inactive":
        whose = "The user's own manager" if spec.user else "The system's manager"
        raise PgdrError(
            f"There is no unit {clean(spec.unit)}.",
            f"{whose} knows none of that name.",
            f"Mend unit{'' if spec.user else ', or say user = true,'} in [services.{clean(spec.name)}].",
        )
    if not active:
        raise PgdrError(
            f"systemctl's answer about {clean(spec.unit)} could not be read.", clean(answer, 200) or None
        )
    sub = said.get("SubState", "")
    return Looked(_STATES.get(active, ServiceState.UNKNOWN), clean(f"{active} ({sub})" if sub else active))
