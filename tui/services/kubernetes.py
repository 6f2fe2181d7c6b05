"""A deployment or a statefulset of Kubernetes, paused by scaling it to nothing.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_scale/
A HorizontalPodAutoscaler leaves what is scaled to nothing alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.model.amounts import plural
from tui.model.errors import PgdrError
from tui.model.service import KubernetesService, Looked, ServiceState
from tui.model.text import clean
from tui.process import Command
from tui.services.control import carry_out


@dataclass(frozen=True, slots=True)
class KubernetesControl:
    """One workload."""

    spec: KubernetesService

    @property
    def directory(self) -> Path | None:
        """Anywhere."""
        return None

    def look(self) -> Looked:
        """Asks the API server for the workload as it is wanted and as it is."""
        asked = command(self.spec, "get", self.spec.workload, "--output=json")
        done = carry_out(self, asked, "asked about")
        return judged(done.stdout, self.spec.workload)

    def stop(self) -> Command:
        """Scales it to nothing."""
        return command(self.spec, "scale", self.spec.workload, "--replicas=0")

    def start(self, replicas: int | None) -> Command:
        """Scales it to what it was. Raises PgdrError when that isn't known."""
        if not replicas:
            raise PgdrError(
                f"How many replicas {clean(self.spec.workload)} had is not known.",
                None,
                f"Scale it by hand: {command(self.spec, 'scale', self.spec.workload, '--replicas=N').shown}",
            )
        return command(self.spec, "scale", self.spec.workload, f"--replicas={replicas}")


def command(spec: KubernetesService, *words: str) -> Command:
    """Given a workload and what kubectl is to do, returns the command. It gives up a little before it would
    be ended, so that its own words are heard."""
    argv = ["kubectl"]
    argv += [f"--context={spec.context}"] if spec.context else []
    argv += [f"--namespace={spec.namespace}"] if spec.namespace else []
    patience = max(1, spec.timeout_s - 2)
    return Command((*argv, *words, f"--request-timeout={patience}s"))


def judged(answer: bytes, workload: str) -> Looked:
    """Given a workload as JSON, returns what it is doing: it runs when all of its replicas are ready, and is
    stopped when none is left. Raises PgdrError when it is something else.

    https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/
    """
    try:
        document: Any = json.loads(answer)
        wanted = document["spec"].get("replicas", 1)  # the API's own default
        status = document.get("status", {})
        there, ready = status.get("replicas", 0), status.get("readyReplicas", 0)
        if not all(isinstance(number, int) for number in (wanted, there, ready)):
            raise TypeError("a count that is none")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PgdrError(
            f"kubectl's answer about {clean(workload)} could not be read.", f"{type(error).__name__}."
        ) from None
    if wanted == 0:
        state = ServiceState.UNKNOWN if there else ServiceState.STOPPED
        return Looked(
            state, f"scaled to 0, {plural(there, 'pod')} still there" if there else "scaled to 0", 0
        )
    state = ServiceState.RUNNING if ready >= wanted else ServiceState.UNKNOWN
    return Looked(state, f"{ready} of {plural(wanted, 'replica')} ready", wanted)
