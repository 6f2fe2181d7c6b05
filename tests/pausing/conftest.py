"""Services that are real processes, and a fleet whose database names them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.recovery.world import World, make_world
from tests.servers import FreshDatabase
from tui.config.write import text_of
from tui.demo.ports import free_port
from tui.files import write_whole
from tui.model.service import CommandService

LITTLE = Path(__file__).with_name("little.py")


@dataclass(frozen=True)
class Little:
    """One little service: its directory, where it lies in wait for what a test wants of it."""

    directory: Path
    port: int
    spec: CommandService

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return subprocess.run(self.spec.state, check=False, capture_output=True).returncode == 0

    @property
    def log(self) -> list[str]:
        """What it was told, in order."""
        path = self.directory / "log"
        return path.read_text().split() if path.exists() else []

    def begin(self) -> None:
        """Starts it, as someone else would."""
        # Not captured: what it starts would hold the pipe.
        subprocess.run(self.spec.start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (self.directory / "log").unlink()

    def answers(self, status: int, body: str) -> None:
        """What its health address says from now on."""
        (self.directory / "status").write_text(str(status))
        (self.directory / "body").write_text(body)

    def asked(self) -> str:
        """What it answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
            return str(answer.read().decode())

    def end(self) -> None:
        """Ends what is left of it."""
        for name in ("pid", "hung"):
            with suppress(OSError, ValueError):
                os.kill(int((self.directory / name).read_text()), signal.SIGKILL)


def make_little(directory: Path, name: str, timeout_s: int = 20) -> Little:
    """A little service, not started yet."""
    directory.mkdir()
    port = free_port()
    (directory / "port").write_text(str(port))
    (directory / "status").write_text("200")
    (directory / "body").write_text('{"status": "ok", "checks": {"database": true}}')

    def argv(what: str) -> tuple[str, ...]:
        return (sys.executable, str(LITTLE), str(directory), what)

    spec = CommandService(
        name=name,
        stop=argv("stop"),
        start=argv("start"),
        state=argv("status"),
        timeout_s=timeout_s,
        health_url=f"http://127.0.0.1:{port}/health",
        health_json=(("status", "ok"), ("checks.database", "true")),
        health_within_s=20,
    )
    return Little(directory, port, spec)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Little]:
    """One that runs."""
    made = make_little(tmp_path / "little", "little")
    made.begin()
    yield made
    made.end()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Little, Little]]:
    """Two that run: the server, and what processes payments."""
    made = (make_little(tmp_path / "one", "server"), make_little(tmp_path / "two", "payment-processor"))
    for one in made:
        one.begin()
    yield made
    for one in made:
        one.end()


@pytest.fixture
def world(db18: FreshDatabase, tmp_path: Path, two: tuple[Little, Little]) -> World:
    """PostgreSQL 18 with a small shop that two services use."""
    made = make_world(
        db18, tmp_path, change=lambda d: replace(d, services=tuple(one.spec.name for one in two))
    )
    fleet = replace(made.fleet, services=tuple(one.spec for one in two))
    write_whole(made.config, text_of(fleet))
    return made


@pytest.fixture
def alone(db18: FreshDatabase, tmp_path: Path) -> World:
    """PostgreSQL 18 with a small shop that nobody uses."""
    return make_world(db18, tmp_path, rows=500)
