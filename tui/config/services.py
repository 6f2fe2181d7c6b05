"""The tables [services.NAME]: what uses the databases, and how it is stopped, started and asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tui.config import keys
from tui.config.table import Place, Reading, Table, dotted
from tui.model.service import (
    CommandService,
    ComposeService,
    KubernetesService,
    ServiceSpec,
    SystemdService,
)

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "compose": (),
    "kubernetes": (),
    "systemd": ("unit",),
    "command": ("stop", "start", "state"),
}
_MADE: Mapping[str, Callable[..., ServiceSpec]] = {
    "compose": ComposeService,
    "kubernetes": KubernetesService,
    "systemd": SystemdService,
    "command": CommandService,
}


def read_services(raw: Table, reading: Reading) -> tuple[ServiceSpec, ...]:
    """Given the whole configuration, returns its services; what is wrong with them goes to `reading`."""
    made: list[ServiceSpec] = []
    for name, table in reading.named(raw, "services"):
        at = ("services", name)
        kind = reading.kind(table, at, keys.SERVICES)
        if kind is None:
            continue
        known, required = keys.SERVICES[kind], _REQUIRED[kind]
        read = reading.table(table, at, known, required=required, apart=("kind",))
        _one_way(kind, table, at, reading)
        _health(table, at, reading)
        if all(key in read for key in required):
            made.append(_MADE[kind](name=name, **read))
    return tuple(made)


def _one_way(kind: str, table: Table, at: Place, reading: Reading) -> None:
    if kind == "kubernetes":
        given = [key for key in ("deployment", "statefulset") if key in table]
        if not given:
            reading.add(dotted(*at, "deployment"), "is missing.", "Name the deployment, or a statefulset.")
        elif len(given) == 2:
            reading.add(dotted(*at, "statefulset"), "stands beside deployment.", "Keep one of them.")
    elif kind == "compose" and not {"file", "directory"} & table.keys():
        reading.add(dotted(*at, "file"), "is missing.", "Name the compose file, or the directory it lies in.")
    elif kind == "systemd" and table.get("user") is True and table.get("sudo") is True:
        reading.add(
            dotted(*at, "sudo"), "stands beside user: root has a manager of its own.", "Keep one of them."
        )


def _health(table: Table, at: Place, reading: Reading) -> None:
    for key in ("health_status", "health_json"):
        if key in table and "health_url" not in table:
            reading.add(dotted(*at, key), "asks nobody.", "Write health_url beside it.")
    if "health_within" in table and not {"health_url", "health_command"} & table.keys():
        reading.add(
            dotted(*at, "health_within"), "asks nobody.", "Write health_url or health_command beside it."
        )
