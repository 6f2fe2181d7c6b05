"""Demos for these tests: small, and where the servers' user can reach them.

Making the sample costs seconds, so it is made once; every start begins with it as it was made.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import place
from tui.demo.start import RunningDemo, prepare

SCALE = 0.02


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """The directory of a demo that has been made, started and stopped."""
    with place() as somewhere:
        prepare(somewhere / "demo", SCALE).stop()
        yield somewhere / "demo"


@pytest.fixture
def own_copy(made: Path) -> Iterator[Path]:
    """A copy of it for a test that changes its history."""
    with place() as somewhere:
        subprocess.run(["cp", "-a", str(made), str(somewhere / "demo")], check=True)
        yield somewhere / "demo"


@pytest.fixture(scope="module")
def played(made: Path) -> Iterator[Path]:
    """A copy of it for one module's tests that take backups of their own."""
    with place() as somewhere:
        subprocess.run(["cp", "-a", str(made), str(somewhere / "demo")], check=True)
        yield somewhere / "demo"


@pytest.fixture(scope="module")
def demo(made: Path) -> Iterator[RunningDemo]:
    """It runs, for one module's tests."""
    with prepare(made, SCALE) as running:
        yield running


@pytest.fixture
def registry_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory for this process and its children, and with it an empty registry."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path
