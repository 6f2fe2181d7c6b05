"""The server is hurt while it restores: sessions killed, crashed, frozen, stopped, its disk filled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.life import (
    accounted_for,
    ended,
    fingerprint,
    no_orphans,
    picture,
    reach,
    resume,
    resumed_clean,
    start_restore,
    wait,
)
from tests.recovery.world import World
from tests.servers import place
from tui.demo.server import Server
from tui.model.backup import Verdict
from tui.model.errors import PgdrError
from tui.model.event import JobState
from tui.model.verdict import ErrorClass


def postmaster(server: Server) -> psutil.Process:
    return psutil.Process(int((server.data / "postmaster.pid").read_text().splitlines()[0]))


def a_backend(world: World, job: str) -> int:
    """The process id of a session that restores."""
    found = world.live.server.sql(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active'"
        f" AND application_name = 'pgdr {job}'"
    )
    return int(found.splitlines()[0])


def answers(server: Server) -> bool:
    try:
        return server.sql("SELECT 1") == "1"
    except PgdrError:
        return False


def failed(world: World, job: str) -> None:
    """It ended, it isn't believed, and it says how to go on."""
    end = ended(world, job)
    assert end.verdict is Verdict.FAILED or end.state is JobState.FAILED
    assert end.message and end.mend and f"pgdr resume {job}" in end.mend
    assert "fault in pgdr" not in end.message
    accounted_for(world, job)


def test_a_terminated_session(world: World) -> None:
    job = start_restore(world)
    reach(world, job, "index")
    world.live.server.sql(f"SELECT pg_terminate_backend({a_backend(world, job)})")
    failed(world, job)
    no_orphans(world, job)
    resumed_clean(world, job)


def test_a_killed_backend_crashes_the_server(world: World) -> None:
    """The server ends every session and recovers from its WAL; the last commits may be lost."""
    truth = fingerprint(world, world.live.name)
    job = start_restore(world)
    reach(world, job, "index")
    os.kill(a_backend(world, job), signal.SIGKILL)
    failed(world, job)
    wait(lambda: answers(world.live.server), "the server never recovered")
    no_orphans(world, job)
    resumed_clean(world, job, truth=truth)


@pytest.mark.parametrize("moment", ["data", "index"])
def test_a_server_stopped_at_once_and_started_again(world: World, fragile: Server, moment: str) -> None:
    truth = fingerprint(world, world.live.name)
    job = start_restore(world)
    reach(world, job, moment)
    port = fragile.port
    postmaster(fragile).send_signal(signal.SIGQUIT)
    wait(lambda: not fragile.running, "the server doesn't stop")
    failed(world, job)
    fragile.stop()
    assert fragile.start(prefer=port) == port
    no_orphans(world, job)
    resumed_clean(world, job, truth=truth)


def test_a_server_that_is_down_is_told_and_nothing_is_lost(world: World, fragile: Server) -> None:
    job = start_restore(world)
    reach(world, job, "index")
    port = fragile.port
    fragile.stop()
    failed(world, job)
    again = resume(world, job)
    assert again.state is JobState.FAILED and again.message and "answers" in again.message
    assert fragile.start(prefer=port) == port
    resumed_clean(world, again.job)


def test_a_server_that_freezes_is_waited_for(world: World, fragile: Server) -> None:
    job = start_restore(world)
    reach(world, job, "index")
    main = postmaster(fragile)
    every = [main, *main.children()]
    for process in every:
        process.suspend()
    time.sleep(7)
    assert picture(world, job).state is JobState.RUNNING
    for process in every:
        process.resume()
    end = ended(world, job)
    assert (end.state, end.verdict) == (JobState.DONE, Verdict.CLEAN)
    no_orphans(world, job)


@pytest.fixture
def small_disk(fragile: Server) -> Iterator[Path]:
    """A tablespace `small` on a disk of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    with place() as directory:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(directory)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        try:
            space = directory / "space"
            space.mkdir()
            if fragile.account:
                directory.chmod(0o711)
                os.chown(space, fragile.account.uid, fragile.account.gid)
            fragile.sql(f"CREATE TABLESPACE small LOCATION '{space}'")
            yield directory
        finally:
            subprocess.run(["umount", "--lazy", str(directory)], check=False)


def test_a_full_disk(world: World, small_disk: Path) -> None:
    world.sql("""
        CREATE TABLE wide (id int PRIMARY KEY, user_id int REFERENCES users, text text) TABLESPACE small;
        INSERT INTO wide SELECT n, 1 + n % 400, repeat(md5(n::text), 20) FROM generate_series(1, 9000) n;
        CREATE TABLE beside (wide_id int REFERENCES wide);
        INSERT INTO beside SELECT 1 FROM generate_series(1, 10)""")
    ref = world.back_up().refs[0]
    filler = small_disk / "filler"
    filler.write_bytes(bytes(12 << 20))
    job = start_restore(world, ref)
    failed(world, job)
    assert any(e.error_class is ErrorClass.OUT_OF_SPACE for e in picture(world, job).errors)
    no_orphans(world, job)
    filler.unlink()
    resumed_clean(world, job)
    target = picture(world, job).target
    for name in (target, world.live.name):
        world.live.server.sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    world.live.server.sql("DROP TABLESPACE small")
    world.live.server.sql(f'CREATE DATABASE "{world.live.name}"')
