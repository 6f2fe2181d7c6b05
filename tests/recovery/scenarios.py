"""What the tests of whole recoveries share: a fresh server, the way to a restored database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from tests.recovery.world import World
from tests.servers import server
from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin
from tui.demo.server import Server
from tui.incident.guide import Guide
from tui.model.event import JobState
from tui.model.progress import Progress
from tui.model.scenario import Scenario


@contextmanager
def fresh_server() -> Iterator[Server]:
    """A new server of PostgreSQL 18 with nothing on it, which takes a lost one's place."""
    with server("fresh", reachable_bin(server_account())) as made:
        yield made


def decided(guide: Guide, scenario: Scenario, tables: tuple[str, ...] = ()) -> Guide:
    """The guide, once its engineer has decided what has happened."""
    guide.decide(scenario, "So it is.", tables=tables)
    return guide


def finish(guide: Guide) -> Progress:
    """Waits for the restore's end, two minutes at most."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        picture = guide.restore_picture()
        assert picture is not None
        if picture.state is not JobState.RUNNING:
            guide.finish_restore()
            return picture
        time.sleep(0.05)
    raise AssertionError("the restore did not end")


def picked(guide: Guide, before: datetime | None = None) -> Guide:
    """The guide, with the newest backup picked: of those from before a moment."""
    found, problems = guide.candidates()
    assert not problems
    fitting = [c for c in found if before is None or c.backup.sort_time < before]
    guide.pick(max(fitting, key=lambda c: c.backup.sort_time), "It is the one that is at hand.")
    return guide


def restored(world: World, scenario: Scenario, tables: tuple[str, ...] = ()) -> Guide:
    """A guide of that scenario whose restore has ended well."""
    guide = picked(decided(world.guide(), scenario, tables))
    guide.start_restore(world.live.name, guide.plan())
    picture = finish(guide)
    assert picture.state is JobState.DONE, picture.message
    return guide
