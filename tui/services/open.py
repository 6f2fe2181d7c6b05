"""From what the configuration says of a service to what stops and starts it."""

from __future__ import annotations

from tui.model.service import ComposeService, KubernetesService, ServiceSpec, SystemdService
from tui.services.command import CommandControl
from tui.services.compose import ComposeControl
from tui.services.control import Control
from tui.services.kubernetes import KubernetesControl
from tui.services.systemd import SystemdControl


def open_service(spec: ServiceSpec) -> Control:
    """Given a service, returns what controls it. Runs nothing."""
    if isinstance(spec, ComposeService):
        return ComposeControl(spec)
    if isinstance(spec, KubernetesService):
        return KubernetesControl(spec)
    if isinstance(spec, SystemdService):
        return SystemdControl(spec)
    return CommandControl(spec)


def kind_of(spec: ServiceSpec) -> str:
    """The word that its table of the configuration has as `kind`."""
    names = {ComposeService: "compose", KubernetesService: "kubernetes", SystemdService: "systemd"}
    return names.get(type(spec), "command")
