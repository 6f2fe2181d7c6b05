"""Processes of a restore are killed for real: what is told, what is left, and going on from there."""

from __future__ import annotations

import pytest

from tests.faults.life import (
    accounted_for,
    ended,
    events,
    leader,
    no_orphans,
    picture,
    reach,
    resumed_clean,
    start_restore,
    start_resume,
    supervisor,
    wait,
)
from tests.recovery.world import World
from tui.model.backup import Verdict
from tui.model.event import JobEnded, JobState


@pytest.mark.parametrize("moment", ["data", "index"])
def test_killed_supervisor_takes_pg_restore_with_it(world: World, moment: str) -> None:
    job = start_restore(world)
    reach(world, job, moment)
    supervisor(world, job).kill()
    wait(lambda: picture(world, job).state is JobState.LOST, "not shown as lost")
    lost = picture(world, job)
    assert lost.mend is not None and f"pgdr resume {job}" in lost.mend
    no_orphans(world, job)
    resumed_clean(world, job)


@pytest.mark.parametrize("moment", ["data", "index"])
def test_killed_leader_takes_its_workers_with_it(world: World, moment: str) -> None:
    job = start_restore(world)
    reach(world, job, moment)
    leader(world, job).kill()
    end = ended(world, job)
    assert (end.state, end.verdict) == (JobState.DONE, Verdict.FAILED)
    assert end.mend is not None and f"pgdr resume {job}" in end.mend
    accounted_for(world, job)
    no_orphans(world, job)
    resumed_clean(world, job)


def test_killed_worker_fails_the_restore(world: World) -> None:
    job = start_restore(world)
    reach(world, job, "index")
    workers = leader(world, job).children()
    assert workers
    workers[0].kill()
    assert ended(world, job).verdict is Verdict.FAILED
    accounted_for(world, job)
    no_orphans(world, job)
    resumed_clean(world, job)


def test_killed_while_it_works_alone(world: World) -> None:
    """With one worker pg_restore doesn't tell what it has finished: the item at work isn't taken for done."""
    job = start_restore(world, workers=1)
    reach(world, job, "data")
    leader(world, job).kill()
    assert ended(world, job).verdict is Verdict.FAILED
    accounted_for(world, job)
    resumed_clean(world, job)


def test_killed_twice_goes_on_twice(world: World) -> None:
    job = start_restore(world)
    reach(world, job, "data")
    supervisor(world, job).kill()
    no_orphans(world, job)
    again = start_resume(world, job)
    reach(world, again, "index")
    supervisor(world, again).kill()
    no_orphans(world, again)
    resumed_clean(world, again)


def test_what_lost_its_guard_too_is_ended_before_going_on(world: World) -> None:
    """Never two writers on one target: what is still at work there is ended first."""
    job = start_restore(world)
    reach(world, job, "data")
    watching = supervisor(world, job)
    (guard,) = (p for p in watching.children() if "guard.py" in " ".join(p.cmdline()))
    guard.kill()
    watching.kill()
    wait(lambda: picture(world, job).state is JobState.LOST, "not shown as lost")
    resumed_clean(world, job)  # at once, whether or not pg_restore is still at work
    no_orphans(world, job)


def test_an_order_to_end_keeps_the_database(world: World) -> None:
    """SIGTERM: the machine goes down."""
    job = start_restore(world)
    reach(world, job, "index")
    supervisor(world, job).terminate()
    end = ended(world, job)
    assert end.state is JobState.CANCELLED and end.mend is not None and "pgdr resume" in end.mend
    assert sum(isinstance(e, JobEnded) for e in events(world, job)) == 1
    no_orphans(world, job)
    resumed_clean(world, job)
