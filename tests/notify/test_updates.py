"""A running restore tells the channels by itself: when, how often, and never at the restore's cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.notify.conftest import Listener
from tests.recovery.world import World, make_world
from tests.servers import FreshDatabase
from tui.config.write import text_of
from tui.files import write_whole
from tui.jobs.job import JobFiles, JobSpec, write_spec
from tui.jobs.journal import Journal, read
from tui.jobs.updates import Last, Updater, Wanted, due, want_updates
from tui.model.backup import Verdict
from tui.model.channels import Webhook
from tui.model.event import ItemsListed, JobKind, JobStarted, JobState, Told
from tui.model.fleet import Fleet, Updates
from tui.model.wording import Occasion
from tui.notify.facts import Facts

NOW = datetime(2026, 11, 21, 3, 20, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
RULE = Updates(every=15 * MINUTE, moved=5 * MINUTE, pause=5 * MINUTE)
READY, DEADLINE = NOW + 20 * MINUTE, NOW + 30 * MINUTE


@pytest.mark.parametrize(
    ("since", "ready", "late_told", "rule", "said"),
    [
        (4, READY + 20 * MINUTE, False, RULE, None),  # not so soon after the last, whatever happens
        (6, READY, False, RULE, None),
        (6, READY + 4 * MINUTE, False, RULE, None),
        (6, READY + 6 * MINUTE, False, RULE, Occasion.PROGRESS),
        (6, READY - 6 * MINUTE, False, RULE, Occasion.PROGRESS),
        (15, READY, False, RULE, Occasion.PROGRESS),
        (600, READY, False, replace(RULE, every=None), None),
        (6, DEADLINE + MINUTE, False, RULE, Occasion.DELAYED),
        (6, DEADLINE + MINUTE, True, replace(RULE, moved=60 * MINUTE), None),  # that it is late is told once
        (16, DEADLINE + MINUTE, True, RULE, Occasion.PROGRESS),
        (60, None, False, RULE, None),
    ],
)
def test_when_something_is_told(
    since: int, ready: datetime | None, late_told: bool, rule: Updates, said: Occasion | None
) -> None:
    last = Last(NOW - since * MINUTE, READY, late_told)
    assert due(last, ready, DEADLINE, rule, NOW) is said


@dataclass
class Running:
    """A job's journal, with an updater on it whose clock the test moves."""

    files: JobFiles
    journal: Journal
    now: datetime = NOW
    updater: Updater | None = None

    def begun(self) -> bool:
        """Whether the updater has seen that updates are wanted: what it tells counts from then on."""
        return self.updater is not None and self.updater._last is not None

    def told(self) -> list[Told]:
        return [entry.event for entry in read(self.files.journal)[0] if isinstance(entry.event, Told)]


@contextmanager
def running(state: Path, channels: tuple[Webhook, ...], rule: Updates = RULE) -> Iterator[Running]:
    spec = JobSpec("restore-x", JobKind.RESTORE, state / "pgdr.toml", "shop", "ann", "local:x.dump", "t")
    files = write_spec(state, spec)
    job = Running(files, Journal(files.journal, lambda: job.now))
    job.journal.append(JobStarted("restore-x", JobKind.RESTORE, "shop", None, "t", "ann", "h", 1))
    job.journal.append(ItemsListed((), low_s=600.0, high_s=1200.0))
    fleet = Fleet("Shop", channels=channels, updates=rule)
    with Updater(files, spec, fleet, job.journal, lambda: job.now) as job.updater:
        yield job
    job.journal.close()


def until(true: Callable[[], object]) -> None:
    """Waits for it, ten seconds at most."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.jobs.updates._LOOK_EVERY_S", 0.01)


def wanted(on: bool = True, deadline: datetime = DEADLINE) -> Wanted:
    return Wanted(on, Facts("Shop", "shop", "ann", NOW, thread="pgdr-Shop-1", ready_high=READY), deadline)


def test_each_message_is_told_and_written_down(tmp_path: Path, listener: Listener) -> None:
    hook = Webhook("hook", listener.url)
    dead = Webhook("dead", "http://127.0.0.1:9/x", retry_for_s=0.1)
    with running(tmp_path, (hook, dead)) as job:
        want_updates(tmp_path, "restore-x", wanted())
        until(job.begun)
        assert listener.asked == []  # it begins with what was told when it was declared
        job.now += 16 * MINUTE
        until(lambda: len(job.told()) == 2)
        job.now += 40 * MINUTE  # past the deadline
        until(lambda: len(job.told()) == 4)
    first, last = (json.loads(asked.body) for asked in listener.asked)
    assert first["fields"]["event"] == "progress" and "Should be ready:" in first["text"]
    assert last["fields"]["event"] == "delayed" and first["id"] != last["id"]
    sent = [told.sent for told in job.told()]
    assert {(s.channel, s.occasion, s.error is None) for s in sent} == {
        ("hook", "progress", True),
        ("dead", "progress", False),
        ("hook", "delayed", True),
        ("dead", "delayed", False),
    }


def test_nothing_is_told_that_is_not_wanted_and_off_means_off(tmp_path: Path, listener: Listener) -> None:
    with running(tmp_path, (Webhook("hook", listener.url),)) as job:
        job.now += 60 * MINUTE
        time.sleep(0.1)
        want_updates(tmp_path, "restore-x", wanted(on=False))
        job.now += 60 * MINUTE
        time.sleep(0.1)
        assert job.told() == [] and listener.asked == []


def test_a_hung_channel_and_the_end_of_the_job_wait_for_nothing(tmp_path: Path, listener: Listener) -> None:
    listener.hang = True
    with running(tmp_path, (Webhook("hung", listener.url, timeout_s=30),)) as job:
        want_updates(tmp_path, "restore-x", wanted())
        until(job.begun)
        job.now += 16 * MINUTE
        until(lambda: listener.asked)
        began = time.monotonic()
    assert time.monotonic() - began < 5  # far less than the channel's patience
    listener.over.set()
    time.sleep(0.1)
    assert job.told() == []  # nothing comes after a job's last event


@pytest.fixture
def world(db18: FreshDatabase, tmp_path: Path, listener: Listener) -> World:
    """A shop of which one index takes four seconds to build, and a fleet that tells every second."""
    made = make_world(db18, tmp_path)
    made.sql(
        "CREATE TABLE slow (id int); INSERT INTO slow SELECT generate_series(1, 60);"
        "CREATE FUNCTION slowly(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x; END';"
        "CREATE INDEX slow_index ON slow (slowly(id));"
        "CREATE OR REPLACE FUNCTION slowly(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE"
        " AS 'BEGIN PERFORM pg_sleep(0.07); RETURN x; END'"
    )
    second = timedelta(seconds=1)
    hook = Webhook("hook", f"{listener.url}/hook", timeout_s=5.0)
    fleet = replace(made.fleet, channels=(hook,), updates=Updates(second, second, second))
    write_whole(made.config, text_of(fleet))
    return made


def test_a_real_restore_tells_while_nobody_watches_it(world: World, listener: Listener) -> None:
    world.back_up()
    guide = world.guide()
    found, _ = guide.candidates()
    guide.pick(next(c for c in found if c.advised))
    guide.set_updates(True)
    guide.start_restore(world.live.name, guide.plan())
    deadline = time.monotonic() + 120
    picture = guide.restore_picture()
    while picture is not None and picture.state is JobState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.2)
        picture = guide.restore_picture()
    assert picture is not None and (picture.state, picture.verdict) == (JobState.DONE, Verdict.CLEAN)
    incident = guide.finish_restore()
    assert listener.asked and incident.sent
    assert json.loads(listener.asked[0].body)["fields"]["incident"] == incident.id
    told = [entry for entry in incident.timeline if entry.operator.startswith("job ")]
    assert len(told) == len(incident.sent) == len(picture.told)
    assert guide.finish_restore().sent == incident.sent  # taken down once
