"""Jobs outlive what started them, say how they ended, hold their target. Processes are killed for real."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.recovery.world import World, make_world, utc_now
from tests.servers import FreshDatabase
from tui.jobs.job import JobSpec, new_id
from tui.jobs.start import start_job
from tui.jobs.watch import all_jobs, ask_cancel, follow, view
from tui.model.backup import Verdict
from tui.model.errors import Refused
from tui.model.event import JobKind, JobState
from tui.model.progress import Progress

# An index that takes long and little CPU, so that there is time to do something to the restore.
SLOW = """
CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
$$ BEGIN
    IF current_setting('application_name') LIKE 'pgdr%' THEN PERFORM pg_sleep(0.01); END IF;
    RETURN n;
END $$;
CREATE INDEX users_slow ON users (slow(id));
"""


@pytest.fixture
def slow_world(db18: FreshDatabase, tmp_path: Path) -> World:
    """A world whose restore takes some four seconds."""
    world = make_world(db18, tmp_path)
    world.sql(SLOW)
    return world


def order(world: World, ref: str, target: str) -> JobSpec:
    return JobSpec(
        id=new_id(JobKind.RESTORE, utc_now()),
        kind=JobKind.RESTORE,
        config=world.config,
        database="shop",
        operator="ann@db1",
        ref=ref,
        target=target,
    )


def wait(until: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def picture(world: World, job: str) -> Progress:
    return view(world.state, job).picture(utc_now())


def building(world: World, job: str) -> bool:
    """Whether the restore is at its slow index."""
    return any(i.name == "users_slow" and i.state == "building" for i in picture(world, job).indexes)


def supervisor_of(world: World, job: str) -> psutil.Process:
    directory = str(world.state / "jobs" / job)
    return next(p for p in psutil.process_iter(["cmdline"]) if directory in (p.info["cmdline"] or []))


def started(world: World) -> tuple[str, str]:
    """A restore that is at its slow index: job and target."""
    target = world.live.name + "_restored"
    job = start_job(world.state, order(world, world.back_up().refs[0], target))
    wait(lambda: building(world, job), "the slow index was never begun")
    return job, target


def test_the_restore_goes_on_when_the_app_is_killed(slow_world: World) -> None:
    ref = slow_world.back_up().refs[0]
    app = subprocess.Popen(
        slow_world.argv("restore", ref),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait(lambda: all_jobs(slow_world.state, utc_now()), "no job")
    job = all_jobs(slow_world.state, utc_now())[0].job
    wait(lambda: building(slow_world, job), "the slow index was never begun")
    os.killpg(app.pid, signal.SIGKILL)  # the app and everything in its terminal's session
    app.wait()
    ended = follow(slow_world.state, job, lambda _: None, utc_now)
    assert (ended.state, ended.verdict, ended.fraction) == (JobState.DONE, Verdict.CLEAN, 1.0)
    assert ended.target is not None and slow_world.count("wallets", ended.target) == 2000


def test_a_hang_up_does_not_reach_it(slow_world: World) -> None:
    job, _ = started(slow_world)
    supervisor_of(slow_world, job).send_signal(signal.SIGHUP)
    assert follow(slow_world.state, job, lambda _: None, utc_now).verdict is Verdict.CLEAN


def test_two_watchers_see_the_same(slow_world: World) -> None:
    job, _ = started(slow_world)
    moment = utc_now()
    first, second = view(slow_world.state, job), view(slow_world.state, job)
    first.picture(moment)
    ended = follow(slow_world.state, job, lambda _: None, utc_now)
    later = utc_now()
    assert first.picture(later) == second.picture(later)
    assert ended.items_done == ended.items_total > 0


def test_a_killed_supervisor_is_a_lost_job(slow_world: World) -> None:
    job, _ = started(slow_world)
    supervisor = supervisor_of(slow_world, job)
    children = supervisor.children(recursive=True)
    supervisor.kill()
    wait(lambda: picture(slow_world, job).state is JobState.LOST, "not shown as lost")
    lost = picture(slow_world, job)
    assert lost.message and lost.mend and lost.items_done > 0
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive  # nothing goes on that nobody watches


def test_a_second_restore_onto_the_target_is_refused_with_who(slow_world: World) -> None:
    job, target = started(slow_world)
    ref = all_jobs(slow_world.state, utc_now())[0].ref
    assert ref is not None
    second = start_job(slow_world.state, order(slow_world, ref, target))
    ended = follow(slow_world.state, second, lambda _: None, utc_now)
    assert ended.state is JobState.FAILED and ended.message is not None
    assert "ann@db1" in ended.message and job in ended.message
    assert follow(slow_world.state, job, lambda _: None, utc_now).verdict is Verdict.CLEAN


@pytest.mark.parametrize("keep", [False, True])
def test_cancel_ends_in_order_and_leaves_no_orphan(slow_world: World, keep: bool) -> None:
    job, target = started(slow_world)
    children = supervisor_of(slow_world, job).children(recursive=True)
    assert children
    ask_cancel(slow_world.state, job, "bob@db1", keep)
    ended = follow(slow_world.state, job, lambda _: None, utc_now)
    assert ended.state is JobState.CANCELLED
    assert (target in slow_world.databases()) is keep
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    sessions = slow_world.live.server.sql(
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{target}' AND application_name LIKE 'pgdr%'"
    )
    assert sessions == "0"
    with pytest.raises(Refused):
        ask_cancel(slow_world.state, job, "bob@db1", keep)


def test_a_server_that_goes_down_fails_the_job_with_a_reason(slow_world: World) -> None:
    job, target = started(slow_world)
    slow_world.live.server.sql(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{target}'"
    )
    ended = follow(slow_world.state, job, lambda _: None, utc_now)
    assert ended.verdict is Verdict.FAILED or ended.state is JobState.FAILED
    assert ended.errors or ended.message
    assert any(e.error_class.value == "connection_lost" for e in ended.errors)


def test_what_can_not_be_done_is_said_in_the_journal(world_of_none: World) -> None:
    spec = order(world_of_none, "local:nothing.dump", "x")
    job = start_job(world_of_none.state, spec)
    ended = follow(world_of_none.state, job, lambda _: None, utc_now)
    assert ended.state is JobState.FAILED
    assert ended.message is not None and "nothing.dump" in ended.message
    assert (world_of_none.state / "jobs" / job / "supervisor.log").read_text() == ""


@pytest.fixture
def world_of_none(db18: FreshDatabase, tmp_path: Path) -> World:
    """A world without a backup."""
    return make_world(db18, tmp_path)
