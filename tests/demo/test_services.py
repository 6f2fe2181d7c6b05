"""The sample's services: real, paused and resumed by the configuration's commands, and gone with the demo."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import psutil

from tests.demo.conftest import SCALE
from tui.demo.registry import stop_leftovers
from tui.demo.start import RunningDemo, prepare
from tui.model.paused import PauseState
from tui.operations.pause.pause import Cause
from tui.operations.pause.pausing import Pausing


def pausing_of(demo: RunningDemo) -> Pausing:
    database = demo.fleet.databases[0]
    cause = Cause("ann", "a test", database.name)
    return Pausing(demo.fleet, demo.state, database, cause, lambda: datetime.now(timezone.utc))


def services_of(directory: Path) -> list[psutil.Process]:
    """The processes of services that belong to a demo's directory."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        argv = process.info["cmdline"] or []
        if "tui.demo.service" in argv and str(directory / "services") in argv:
            found.append(process)
    return found


def test_they_run_are_paused_and_resumed(demo: RunningDemo) -> None:
    work = pausing_of(demo)
    assert work.names == ("server", "payment-processor")
    assert [v.state for v in work.pause_all(lambda event: None)] == [PauseState.PAUSED] * 2
    assert services_of(demo.directory) == []
    views = work.resume_all(lambda event: None)
    assert [(v.state, v.healthy) for v in views] == [(PauseState.RUNNING, True)] * 2
    assert len(services_of(demo.directory)) == 2


def test_they_are_not_well_without_their_database(demo: RunningDemo) -> None:
    server = demo.servers[demo.fleet.databases[0].name]
    server.sql("ALTER DATABASE crypto_exchange RENAME TO elsewhere")
    try:
        views = pausing_of(demo).services()
    finally:
        server.sql("ALTER DATABASE elsewhere RENAME TO crypto_exchange")
    assert [(v.state, v.healthy) for v in views] == [(PauseState.RUNNING, False)] * 2
    assert "does not exist" in views[0].what


def test_a_killed_demo_s_end_by_themselves(own_copy: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tui.demo.start import prepare; "
        f"prepare(Path(sys.argv[1]), {SCALE}); print('ready', flush=True); time.sleep(300)"
    )
    argv = [sys.executable, "-c", code, str(own_copy)]
    demo = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None and demo.stdout.readline() == "ready\n"
    running = services_of(own_copy)
    demo.kill()
    demo.wait(30)
    demo.stdout.close()
    assert len(running) == 2
    alive = psutil.wait_procs(running, timeout=30)[1]
    stop_leftovers()  # the servers, as the next start would
    assert alive == [] and services_of(own_copy) == []


def test_a_new_start_forgets_what_was_paused(own_copy: Path) -> None:
    with prepare(own_copy, SCALE) as demo:
        pausing_of(demo).pause("server", lambda event: None)
        assert list((demo.state / "paused").glob("*.toml"))
    until = time.monotonic() + 30
    while services_of(own_copy) and time.monotonic() < until:
        time.sleep(0.02)
    assert services_of(own_copy) == []
    with prepare(own_copy, SCALE) as demo:
        assert [v.state for v in pausing_of(demo).services()] == [PauseState.RUNNING] * 2
        described = json.loads((own_copy / "services" / "server.json").read_text())
        assert demo.fleet.services[0].health_url == f"http://127.0.0.1:{described['port']}/health"
