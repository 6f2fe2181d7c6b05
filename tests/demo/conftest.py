"""Demos for these tests: small, each in a place and with a registry of its own.

Making the sample costs seconds, so it is made once, and each test that starts one has a copy.
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
def directory(made: Path) -> Iterator[Path]:
    """A directory with a made demo, of this test alone."""
    with place() as somewhere:
        yield _copied(made, somewhere)


@pytest.fixture(scope="module")
def demo(made: Path) -> Iterator[RunningDemo]:
    """A demo that runs, for one module's tests."""
    with place() as somewhere, prepare(_copied(made, somewhere), SCALE) as running:
        yield running


@pytest.fixture
def registry_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory for this process and its children, and with it an empty registry."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _copied(made: Path, somewhere: Path) -> Path:
    subprocess.run(["cp", "-a", str(made), str(somewhere / "demo")], check=True)
    return somewhere / "demo"
