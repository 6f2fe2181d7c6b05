"""What a killed demo leaves behind is found and stopped; what lives is left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.demo.conftest import SCALE
from tui.demo import registry
from tui.demo.start import prepare
from tui.model.errors import PgdrError

OWNER = f"""
import sys, time
from pathlib import Path
from tui.demo.session import ending_on_signals
from tui.demo.start import prepare
from tui.model.errors import PgdrError
with ending_on_signals(), prepare(Path(sys.argv[1]), {SCALE}) as demo:
    print("up", flush=True)
    time.sleep(300)
"""


def _owner(directory: Path) -> subprocess.Popen[str]:
    """A process of its own whose demo runs."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None and owner.stderr is not None
    assert owner.stdout.readline() == "up\n", owner.stderr.read()
    return owner


def _pids(temporary: Path) -> list[int]:
    return [json.loads(path.read_text())["pid"] for path in temporary.rglob("*.json")]


def _alive(pids: list[int]) -> list[int]:
    return [p for p in pids if psutil.pid_exists(p) and psutil.Process(p).status() != psutil.STATUS_ZOMBIE]


def test_servers_of_a_killed_owner_are_stopped(made: Path, registry_of_its_own: Path) -> None:
    owner = _owner(made)
    try:
        pids = _pids(registry_of_its_own)
        assert len(pids) == 4
        assert registry.stop_leftovers() == ()  # the owner lives
        assert _alive(pids) == pids
    finally:
        owner.kill()
        owner.communicate()
    assert _alive(pids) == pids  # nobody has stopped them
    stopped = registry.stop_leftovers()
    assert sorted(r.kind for r in stopped) == ["postgres", "postgres", "postgres", "rclone"]
    assert _alive(pids) == [] and _pids(registry_of_its_own) == []
    with prepare(made, SCALE) as demo:
        assert demo.servers["crypto_exchange"].sql("SELECT count(*) FROM users", "crypto_exchange") == "200"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["terminated", "hung up"])
def test_a_demo_that_is_told_to_end_takes_everything_along(
    made: Path, registry_of_its_own: Path, number: signal.Signals
) -> None:
    owner = _owner(made)
    pids = _pids(registry_of_its_own)
    owner.send_signal(number)
    _, said = owner.communicate(timeout=60)
    assert (owner.returncode, said) == (128 + number, "")
    assert _alive(pids) == [] and _pids(registry_of_its_own) == []


def test_a_recycled_pid_is_not_taken_for_the_server(registry_of_its_own: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]) as bystander:
        entry = registry.enter("postgres", bystander.pid, Path("/"), signal.SIGINT)
        written = json.loads(entry.read_text())
        entry.write_text(json.dumps({**written, "created": written["created"] - 60, "owner_created": 1.0}))
        assert registry.stop_leftovers() == ()
        assert bystander.poll() is None and not entry.exists()
        bystander.kill()


def test_files_that_say_nothing_are_removed(registry_of_its_own: Path) -> None:
    (registry.registry() / "postgres-1.json").write_text('{"pid": 1}')
    (registry.registry() / "postgres-2.json").write_text("")
    assert registry.stop_leftovers() == ()
    assert list(registry.registry().iterdir()) == []


def test_a_registry_that_others_can_write_is_refused(registry_of_its_own: Path) -> None:
    place = registry.registry()
    place.chmod(0o777)
    with pytest.raises(PgdrError, match="not a private directory"):
        registry.stop_leftovers()
    assert place.name == f"pgdr-demo-{os.geteuid()}"
