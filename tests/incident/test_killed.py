"""An incident whose process is killed (SIGKILL) at every step and in between, and taken up by a new one each
time: nothing that was written is lost, it goes on at the right step, and it ends well."""

from __future__ import annotations

import multiprocessing
import os
import re

from tests.incident.life import live
from tests.recovery.conftest import world
from tests.recovery.world import World, utc_now, with_channels
from tui.incident.book import Book
from tui.model.channels import Webhook
from tui.model.incident import Incident, Step, StepStatus
from tui.operations.records import swaps

__all__ = ["world"]

# Each moment of death, and the step that the next process must find.
DEATHS = (
    ("in:assess", Step.ASSESS),
    ("before:assess", Step.ASSESS),
    ("after:assess", Step.PICK),
    ("before:pick", Step.PICK),
    ("after:pick", Step.NOTIFY),
    ("telling", Step.NOTIFY),
    ("before:notify", Step.NOTIFY),
    ("after:notify", Step.RESTORE),
    ("in:restore", Step.RESTORE),
    ("ordered", Step.RESTORE),
    ("running", Step.RESTORE),
    ("before:restore", Step.RESTORE),
    ("after:restore", Step.VERIFY),
    ("in:verify", Step.VERIFY),
    ("before:verify", Step.VERIFY),
    ("after:verify", Step.RESUME),
    ("in:resume", Step.RESUME),
    ("shut", Step.RESUME),
    ("renaming", Step.RESUME),
    ("swapped", Step.RESUME),
    ("closed", Step.RESUME),
)


def lived(world: World, moment: str) -> int | None:
    """One engineer's process until it ends, or is killed; returns its exit code, below 0 for a signal."""
    # A process that was loaded once and is forked for each: new each time, and quick.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.incident.life"])
    process = context.Process(target=live, args=(str(world.config), str(world.state), moment))
    process.start()
    process.join(180)
    if process.is_alive():
        process.kill()
        raise AssertionError(f"{moment}: it did not come to its end")
    return process.exitcode


def test_killed_at_every_step_and_taken_up_again(world: World) -> None:
    # Nobody listens there: that a message doesn't arrive holds nobody up.
    nobody = (Webhook(name, "http://127.0.0.1:9/", timeout_s=1.0, retry_for_s=1.0) for name in ("one", "two"))
    with_channels(world, *nobody)
    world.back_up()
    before = {table: world.count(table) for table in ("users", "wallets", "orders")}
    world.sql("TRUNCATE orders")
    book = Book(world.state)
    left = book.declare("shop", "ann@db1", utc_now())
    for moment, step in DEATHS:
        assert lived(world, moment) == -9, f"{moment}: it was to be killed there"
        found = book.load("1")
        assert found.timeline[: len(left.timeline)] == left.timeline, moment
        assert kept(left, found), moment
        assert (found.current, found.closed_at) == (step, None), moment
        left = found
        for spec in world.state.glob("jobs/*/spec.json"):
            os.utime(spec, (0, 0))  # as if its supervisor, which never came up, had had the time to
    assert lived(world, "never") == 0

    closed = book.load("1")
    assert closed.outcome == "recovered" and closed.timeline[: len(left.timeline)] == left.timeline
    assert [record.status for record in closed.steps] == [StepStatus.DONE] * 6
    assert {table: world.count(table) for table in before} == before
    (swap,) = swaps(world.state, "shop")  # swapped once, and written down as it was carried out
    assert closed.swap == swap and swap.kept_as is not None and world.count("orders", swap.kept_as) == 0
    # Beside the live one only what was kept: no death has left a database that nobody knows of.
    assert world.databases() == {world.live.name, swap.kept_as}
    report = book.report_path("1").read_text()
    assert "recovered" in report
    for entry in closed.timeline:
        words = re.findall(r"[A-Za-z]{5,}", entry.text)
        assert not words or words[0] in report


def kept(before: Incident, after: Incident) -> bool:
    """Whether what was decided and done before is there still."""
    done = [record.step for record in before.steps if record.status is StepStatus.DONE]
    same = all(after.record(step) == before.record(step) for step in done)
    return same and (before.ref in (None, after.ref)) and len(after.sent) >= len(before.sent)
