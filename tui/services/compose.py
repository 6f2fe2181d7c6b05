"""A service of a compose project, by docker compose (2), docker-compose (1.29) or what speaks as they do.

https://docs.docker.com/reference/cli/docker/compose/
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from tui.model.errors import PgdrError
from tui.model.service import ComposeService, Looked, ServiceState
from tui.model.text import clean
from tui.process import Command
from tui.services.control import carry_out

# Both versions list the services that have a container in such a state, by --services and --filter.
_AT_WORK = ("running", "restarting", "paused")


@dataclass(frozen=True, slots=True)
class ComposeControl:
    """One compose service."""

    spec: ComposeService

    @property
    def directory(self) -> Path | None:
        """Where compose is run, and looks for its files and for .env."""
        if self.spec.directory is not None:
            return self.spec.directory
        return None if self.spec.file is None else self.spec.file.parent

    def look(self) -> Looked:
        """Asks which services of the project have containers that run, restart or are paused."""
        name = service_name(self.spec)
        for state in _AT_WORK:
            listed = self._lines(command(self.spec, "ps", "--services", "--filter", f"status={state}"))
            if name in listed:
                return Looked(
                    ServiceState.RUNNING if state == "running" else ServiceState.UNKNOWN,
                    f"its container is {state}",
                )
        if name not in self._lines(command(self.spec, "config", "--services")):
            raise PgdrError(
                f"The compose project has no service {clean(name)}.",
                None,
                f"Mend service in [services.{clean(self.spec.name)}], or its file or project.",
            )
        return Looked(ServiceState.STOPPED, "no container of it runs")

    def _lines(self, asked: Command) -> list[str]:
        done = carry_out(self, asked, "asked about")
        return [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines()]

    def stop(self) -> Command:
        """Stops its containers and keeps them. The rest of the timeout is for what compose itself does."""
        patience = max(1, self.spec.timeout_s // 2)
        return command(self.spec, "stop", "--timeout", str(patience), service_name(self.spec))

    def start(self, replicas: int | None) -> Command:
        """Starts the containers that were stopped, without those that it depends on."""
        return command(self.spec, "start", service_name(self.spec))


def service_name(spec: ComposeService) -> str:
    """The service's name in the compose file."""
    return spec.service or spec.name


def command(spec: ComposeService, *words: str) -> Command:
    """Given a service and what compose is to do, returns the command."""
    argv = shlex.split(spec.program)
    argv += ["--file", str(spec.file)] if spec.file else []
    argv += ["--project-name", spec.project] if spec.project else []
    return Command((*argv, *words))
