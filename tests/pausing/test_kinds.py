"""What each kind of service is stopped, started and asked by, and how its tools' documented answers are read.

There is no systemd as the first process here, and no cluster: a small program stands in for their tools. It
prints what their documentation says they print, and writes down what it was asked.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tui.model.errors import PgdrError
from tui.model.service import (
    ComposeService,
    KubernetesService,
    Looked,
    ServiceState,
    SystemdService,
)
from tui.services import compose, kubernetes, systemd
from tui.services.open import open_service

K8S = KubernetesService(name="kx", deployment="kx-server", namespace="krystalinex", context="prod")


def stand_in(directory: Path, name: str, script: str) -> Path:
    """Puts a program called `name` into `directory`; returns the file that it writes its arguments to."""
    asked = directory / f"{name}.asked"
    path = directory / name
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {shlex.quote(str(asked))}\n{script}\n')
    path.chmod(0o755)
    return asked


@pytest.fixture
def bin_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "bin"
    made.mkdir()
    monkeypatch.setenv("PATH", f"{made}:/usr/bin:/bin")
    return made


def test_compose_is_called_as_it_is_configured(tmp_path: Path) -> None:
    plain = open_service(ComposeService(name="server", directory=tmp_path))
    assert plain.stop().argv == ("docker", "compose", "stop", "--timeout", "30", "server")
    assert plain.start(None).argv == ("docker", "compose", "start", "server")
    assert plain.directory == tmp_path
    full = open_service(
        ComposeService(
            name="pay",
            program="docker-compose",
            file=tmp_path / "stack.yml",
            project="kx",
            service="payment-processor",
            timeout_s=10,
        )
    )
    head = ("docker-compose", "--file", str(tmp_path / "stack.yml"), "--project-name", "kx")
    assert full.stop().argv == (*head, "stop", "--timeout", "5", "payment-processor")
    assert full.start(3).argv == (*head, "start", "payment-processor")
    assert full.directory == tmp_path


# `ps --services --filter status=…` and `config --services` list names, one a line; version 2 prints an empty
# line where there are none: https://docs.docker.com/reference/cli/docker/compose/ps/
@pytest.mark.parametrize(
    ("running", "restarting", "expected"),
    [
        ("server\npay", "", Looked(ServiceState.RUNNING, "its container is running")),
        ("pay", "server", Looked(ServiceState.UNKNOWN, "its container is restarting")),
        ("", "", Looked(ServiceState.STOPPED, "no container of it runs")),
    ],
)
def test_compose_tells_what_runs(
    bin_directory: Path, tmp_path: Path, running: str, restarting: str, expected: Looked
) -> None:
    stand_in(
        bin_directory,
        "docker-compose",
        f'case "$*" in *status=running) echo "{running}";; *status=restarting) echo "{restarting}";;'
        ' *"config --services") printf "server\\npay\\n";; *) echo;; esac',
    )
    spec = ComposeService(name="server", program="docker-compose", directory=tmp_path)
    assert compose.ComposeControl(spec).look() == expected


def test_compose_knows_no_such_service(bin_directory: Path, tmp_path: Path) -> None:
    stand_in(bin_directory, "docker-compose", 'case "$*" in *"config --services") echo pay;; esac')
    spec = ComposeService(name="server", program="docker-compose", directory=tmp_path)
    with pytest.raises(PgdrError, match="has no service server") as caught:
        compose.ComposeControl(spec).look()
    assert "[services.server]" in str(caught.value.mend)


def test_a_tool_that_fails_says_why(bin_directory: Path, tmp_path: Path) -> None:
    said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?"
    stand_in(bin_directory, "docker", f'echo "{said}" >&2; exit 1')
    with pytest.raises(PgdrError, match="server could not be asked about") as caught:
        open_service(ComposeService(name="server", directory=tmp_path)).look()
    assert caught.value.why == f"docker exited with 1: {said}"
    assert "docker compose ps --services" in str(caught.value.mend)
    with pytest.raises(PgdrError, match="has no directory"):
        open_service(ComposeService(name="server", directory=tmp_path / "gone")).look()


def test_kubectl_is_called_as_it_is_configured() -> None:
    control = open_service(K8S)
    head = ("kubectl", "--context=prod", "--namespace=krystalinex")
    assert control.stop().argv == (
        *head, "scale", "deployment/kx-server", "--replicas=0", "--request-timeout=58s",
    )  # fmt: skip
    assert control.start(2).argv == (
        *head, "scale", "deployment/kx-server", "--replicas=2", "--request-timeout=58s",
    )  # fmt: skip
    bare = KubernetesService(name="db", statefulset="db", timeout_s=1)
    assert open_service(bare).stop().argv == (
        "kubectl", "scale", "statefulset/db", "--replicas=0", "--request-timeout=1s",
    )  # fmt: skip
    for unknown in (None, 0):
        with pytest.raises(PgdrError, match="is not known"):
            control.start(unknown)


# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/: counts of nothing are
# left out of the status.
@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        (
            {"replicas": 2},
            {"replicas": 2, "readyReplicas": 2},
            Looked(ServiceState.RUNNING, "2 of 2 replicas ready", 2),
        ),
        ({"replicas": 2}, {"replicas": 2}, Looked(ServiceState.UNKNOWN, "0 of 2 replicas ready", 2)),
        ({}, {"readyReplicas": 1}, Looked(ServiceState.RUNNING, "1 of 1 replica ready", 1)),
        ({"replicas": 0}, {"replicas": 1}, Looked(ServiceState.UNKNOWN, "scaled to 0, 1 pod still there", 0)),
        ({"replicas": 0}, {}, Looked(ServiceState.STOPPED, "scaled to 0", 0)),
    ],
)
def test_a_workload_s_state(spec: dict[str, int], status: dict[str, int], expected: Looked) -> None:
    answer = json.dumps({"kind": "Deployment", "spec": spec, "status": status}).encode()
    assert kubernetes.judged(answer, "deployment/x") == expected


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"null", b"{}", b'{"spec": {"replicas": "2"}}', b'{"spec": 3}']
)
def test_what_is_no_workload(answer: bytes) -> None:
    with pytest.raises(PgdrError, match="could not be read"):
        kubernetes.judged(answer, "deployment/x")


def test_systemctl_is_called_as_it_is_configured() -> None:
    unit = "server.service"
    system = open_service(SystemdService(name="server", unit=unit))
    assert system.stop().argv == ("systemctl", "--no-ask-password", "stop", "--", unit)
    own = open_service(SystemdService(name="server", unit=unit, user=True))
    assert own.start(None).argv == ("systemctl", "--no-ask-password", "--user", "start", "--", unit)
    by_sudo = open_service(SystemdService(name="server", unit=unit, sudo=True))
    assert by_sudo.stop().argv == ("sudo", "-n", "systemctl", "--no-ask-password", "stop", "--", unit)


# org.freedesktop.systemd1(5), LoadState and ActiveState.
@pytest.mark.parametrize(
    ("load", "active", "sub", "expected"),
    [
        ("loaded", "active", "running", Looked(ServiceState.RUNNING, "active (running)")),
        ("loaded", "reloading", "reload", Looked(ServiceState.RUNNING, "reloading (reload)")),
        ("loaded", "inactive", "dead", Looked(ServiceState.STOPPED, "inactive (dead)")),
        ("loaded", "failed", "failed", Looked(ServiceState.STOPPED, "failed (failed)")),
        ("loaded", "activating", "auto-restart", Looked(ServiceState.UNKNOWN, "activating (auto-restart)")),
        (
            "loaded",
            "deactivating",
            "stop-sigterm",
            Looked(ServiceState.UNKNOWN, "deactivating (stop-sigterm)"),
        ),
        ("not-found", "active", "running", Looked(ServiceState.RUNNING, "active (running)")),
    ],
)
def test_a_unit_s_state(bin_directory: Path, load: str, active: str, sub: str, expected: Looked) -> None:
    lines = f"LoadState={load}\\nActiveState={active}\\nSubState={sub}\\n"
    asked = stand_in(bin_directory, "systemctl", f'printf "{lines}"')
    assert open_service(SystemdService(name="s", unit="s.service")).look() == expected
    assert asked.read_text() == (
        "--no-ask-password show --property=LoadState,ActiveState,SubState -- s.service\n"
    )


def test_a_unit_that_isn_t_there() -> None:
    spec = SystemdService(name="s", unit="gone.service")
    with pytest.raises(PgdrError, match="There is no unit gone") as caught:
        systemd.judged("LoadState=not-found\nActiveState=inactive\nSubState=dead\n", spec)
    assert "user = true" in str(caught.value.mend)
    with pytest.raises(PgdrError, match="could not be read"):
        systemd.judged("Failed to connect to bus\n", spec)
