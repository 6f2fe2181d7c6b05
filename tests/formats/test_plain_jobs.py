"""Restores of plain SQL as jobs: killed, cancelled, begun anew, verified; on PostgreSQL 18 and 15."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.life import (
    accounted_for,
    ended,
    equal,
    no_orphans,
    picture,
    reach,
    resumed_clean,
    rich_world,
    start_restore,
    supervisor,
    wait,
)
from tests.recovery.world import World, make_world
from tests.servers import Bucket, FreshDatabase
from tui.jobs.watch import ask_cancel
from tui.model.backup import ArchiveFormat, Verdict
from tui.model.event import JobState
from tui.operations.backup.backup import Making

PLAIN = Making(ArchiveFormat.PLAIN, "gzip:1")


@pytest.fixture
def slow(db18: FreshDatabase, tmp_path: Path) -> World:
    return rich_world(db18, tmp_path)


def test_killed_it_leaves_nobody_and_begins_anew(slow: World) -> None:
    job = start_restore(slow, slow.back_up(making=PLAIN).refs[0])
    reach(slow, job, "data")
    supervisor(slow, job).kill()
    wait(lambda: picture(slow, job).state is JobState.LOST, "not shown as lost")
    no_orphans(slow, job)
    resumed_clean(slow, job, from_done=False)


def test_cancelled_it_leaves_nothing(slow: World) -> None:
    job = start_restore(slow, slow.back_up(making=PLAIN).refs[0])
    reach(slow, job, "index")
    ask_cancel(slow.state, job, "ann@db1", keep=False)
    assert ended(slow, job).state is JobState.CANCELLED
    no_orphans(slow, job)
    assert slow.databases() == {slow.live.name}


@pytest.mark.parametrize("server", ["db18", "db15"])
def test_a_backup_in_plain_sql_is_verified_and_restored(
    server: str, request: pytest.FixtureRequest, bucket: Bucket, tmp_path: Path
) -> None:
    world = make_world(request.getfixturevalue(server), tmp_path, offsite=bucket.store, rows=500)
    refs = world.back_up(making=PLAIN).refs
    for ref in refs:
        told = world.answer("verify", ref)
        assert told["verdict"] == "clean" and all(c["passed"] is not False for c in told["checks"])
    job = start_restore(world, next(ref for ref in refs if ref.startswith("offsite:")))
    end = ended(world, job)
    assert (end.state, end.verdict) == (JobState.DONE, Verdict.CLEAN), end.message
    assert end.items_done == end.items_total > 10 and end.rows == 400 + 500 + 500
    accounted_for(world, job)
    equal(world, job)
    no_orphans(world, job)
    assert not list(world.state.glob("jobs/*/staging"))
