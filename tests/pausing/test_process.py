"""Programs that start others, or hang: they are waited for, or ended, with all that they have begun."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from tui.model.errors import PgdrError
from tui.process import Command, run_to_exit

SPAWNS = "import subprocess, sys; p = subprocess.Popen(['sleep', '300']); print(p.pid, flush=True)"


def test_what_is_left_running_is_not_waited_for() -> None:
    done = run_to_exit(Command((sys.executable, "-c", SPAWNS)), timeout_s=60)
    child = psutil.Process(int(done.stdout))
    try:
        assert (done.code, child.name(), child.status() != psutil.STATUS_ZOMBIE) == (0, "sleep", True)
    finally:
        child.kill()


def test_what_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    code = f"{SPAWNS}; open({str(said)!r}, 'w').write(str(p.pid))"
    code += "; print('why', file=sys.stderr, flush=True); p.wait()"
    with pytest.raises(PgdrError, match="had not ended after 2 s") as caught:
        run_to_exit(Command((sys.executable, "-c", code)), timeout_s=2)
    assert caught.value.why == "It said: why"
    child = int(said.read_text())
    until = time.monotonic() + 30
    while psutil.pid_exists(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not psutil.pid_exists(child)


def test_a_program_can_ask_nothing_on_this_terminal() -> None:
    code = (
        "import os\ntry: os.open('/dev/tty', os.O_RDWR); print('asked')\nexcept OSError: print('no terminal')"
    )
    assert run_to_exit(Command((sys.executable, "-c", code)), timeout_s=60).stdout == b"no terminal\n"


def test_a_program_that_isn_t_there() -> None:
    with pytest.raises(PgdrError, match="could not be started"):
        run_to_exit(Command(("no-such-program-of-ours",)), timeout_s=5)
