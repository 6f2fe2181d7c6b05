"""Locks: one holder at a time, and a killed one holds nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tui.jobs.lock import held, is_held, target_lock_path
from tui.model.errors import Refused

HOLD = """
import sys, time
from pathlib import Path
from tui.jobs.lock import held
with held(Path(sys.argv[1]), {"operator": "ann@db1", "job": "restore-1", "since": "03:12"}):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):  # type: ignore[no-untyped-def]
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_one_is_told_who_and_since_when(holder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert is_held(tmp_path / "lock")
    with pytest.raises(Refused) as refused, held(tmp_path / "lock", {}):
        pass
    assert "ann@db1" in refused.value.what and "03:12" in refused.value.what
    assert refused.value.mend == "Watch it with: pgdr attach restore-1"


def test_kill_9_frees_it(holder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not is_held(tmp_path / "lock")
    with held(tmp_path / "lock", {}):
        assert is_held(tmp_path / "lock")
    assert not is_held(tmp_path / "lock")


def test_names_of_any_characters_are_one_plain_file(tmp_path: Path) -> None:
    path = target_lock_path(tmp_path, "h:5432", "../we\0ird\n/name")
    assert path.parent == tmp_path / "locks" and path.name.endswith(".lock")
