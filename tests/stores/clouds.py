"""Servers of the other clouds' languages, for the stores' tests: Azurite, gcp-storage-emulator, moto."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tui.demo import registry
from tui.demo.ports import free_port

START_S = 30.0
AZURITE = Path(__file__).parents[2] / ".azurite"  # where .ci/run puts the npm package; git ignores it
# Azurite's own account and key, published in its documentation.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def missing(what: str) -> None:
    """Skips the test where a server isn't installed; in CI that is a failure."""
    said = f"{what} is not installed."
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


@contextmanager
def served(argv: list[str], port: int, directory: Path) -> Iterator[str]:
    """Runs a server until the block ends, and gives its address once it answers."""
    with (directory / "server.log").open("ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=directory, start_new_session=True)
    entry = registry.enter(Path(argv[0]).name, process.pid, directory, signal.SIGKILL)
    try:
        deadline = time.monotonic() + START_S
        while True:
            assert process.poll() is None, (directory / "server.log").read_text()[-2000:]
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline, f"{argv[0]} did not answer within {START_S:g} s"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)
        entry.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Azurite: Microsoft's own server of Blob Storage's language."""
    node = shutil.which("node")
    script = AZURITE / "node_modules/azurite/dist/src/blob/main.js"
    if node is None or not script.exists():
        missing("Azurite (npm install --prefix .azurite azurite)")
    directory, port = tmp_path_factory.mktemp("azurite"), free_port()
    argv = [str(node), str(script), "--silent", "--location", str(directory), "--blobHost", "127.0.0.1"]
    argv += ["--blobPort", str(port), "--skipApiVersionCheck", "--disableTelemetry"]
    with served(argv, port, directory) as url:
        yield f"{url}/{ACCOUNT}"


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of Google Cloud Storage's JSON API."""
    if importlib.util.find_spec("gcp_storage_emulator") is None:
        missing("gcp-storage-emulator")
    directory, port = tmp_path_factory.mktemp("gcs"), free_port()
    argv = [sys.executable, "-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1", "--port", str(port)]
    with served([*argv, "--in-memory"], port, directory) as url:
        yield url


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a moto: an S3 with versions, locks, lifecycle rules and encryption settings."""
    if importlib.util.find_spec("moto") is None:
        missing("moto")
    directory, port = tmp_path_factory.mktemp("moto"), free_port()
    argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with served(argv, port, directory) as url:
        yield url


def fresh_name(kind: str) -> str:
    """A bucket's name that no other test has."""
    return f"{kind}-{secrets.token_hex(5)}"
