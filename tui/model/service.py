"""The services that use a database: what the configuration says of each, and what is known of one now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What every kind has. `timeout_s` is for each program that is run; `health_within_s` is how long after
    its start a service may take until it is healthy. Without an address or a command nobody asks."""

    name: str
    timeout_s: int = 60
    health_url: str | None = None
    health_status: int | None = None  # None: any 2xx
    health_json: tuple[
        tuple[str, str], ...
    ] = ()  # ("status", "ok"): the answer's value under that dotted key
    health_command: tuple[str, ...] = ()  # argv; healthy when it exits with 0
    health_within_s: int = 60

    @property
    def asks_health(self) -> bool:
        """Whether there is a way to ask it whether it is well."""
        return self.health_url is not None or bool(self.health_command)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeService(Service):
    """A service of a compose project. `program` is argv's beginning in words; `service` its name in the
    file (None: the name it has here)."""

    program: str = "docker compose"  # or docker-compose, podman-compose
    file: Path | None = None
    project: str | None = None
    directory: Path | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesService(Service):
    """A deployment or a statefulset; paused by scaling it to nothing. None leaves it to kubectl."""

    deployment: str | None = None
    statefulset: str | None = None
    namespace: str | None = None
    context: str | None = None

    @property
    def workload(self) -> str:
        """As kubectl names it: `deployment/server`."""
        return f"deployment/{self.deployment}" if self.deployment else f"statefulset/{self.statefulset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemdService(Service):
    """A unit, of the system's manager or (`user`) of the user's own; `sudo` runs systemctl by `sudo -n`."""

    unit: str
    user: bool = False
    sudo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandService(Service):
    """Anything with commands of its own, each an argv, none read by a shell. `state` exits with 0 while it
    runs and with 3 while it doesn't, as LSB's `status` has it; anything else is not known."""

    stop: tuple[str, ...]
    start: tuple[str, ...]
    state: tuple[str, ...]
    directory: Path | None = None


ServiceSpec = ComposeService | KubernetesService | SystemdService | CommandService


class ServiceState(Enum):
    """What a service is doing, as far as its own tools tell."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"  # its tools answered with something else: starting, half there, failed


@dataclass(frozen=True, slots=True)
class Looked:
    """A service as its own tools see it: `what` in their words; `replicas` where it has a wanted number."""

    state: ServiceState
    what: str
    replicas: int | None = None
