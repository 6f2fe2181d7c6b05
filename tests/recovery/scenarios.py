"""What the tests of whole recoveries share: a fresh server, the way to a restored database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tests.recovery.world import World, make_world
from tests.servers import Bucket, FreshDatabase, server
from tui.config.write import text_of
from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin
from tui.demo.server import Server
from tui.files import write_whole
from tui.incident.guide import Guide
from tui.model.event import JobState
from tui.model.fleet import LocalStore
from tui.model.progress import Progress
from tui.model.scenario import Scenario


@contextmanager
def fresh_server() -> Iterator[Server]:
    """A new server of PostgreSQL 18 with nothing on it, which takes a lost one's place."""
    with server("fresh", reachable_bin(server_account())) as made:
        yield made


@contextmanager
def doomed_shop(directory: Path, bucket: Bucket) -> Iterator[World]:
    """A backed up shop on a server of its own that is down by now, with a role that others don't have, and an
    off-site store beside the local one."""
    with fresh_server() as first:
        first.sql("CREATE DATABASE shop; CREATE ROLE clerk LOGIN")
        world = make_world(FreshDatabase(first, "shop"), directory, offsite=bucket.store)
        world.sql("ALTER TABLE orders OWNER TO clerk")
        world.back_up()
        first.stop()
        yield world


def burn_local_store(world: World) -> None:
    """Nothing is left where the local store was."""
    local = next(s.path for s in world.fleet.stores if isinstance(s, LocalStore))
    local.rename(local.with_name("burnt"))


def reached_with(world: World, passfile: Path | None) -> None:
    """The database is reached with another server's passwords."""
    database = replace(world.database, endpoint=replace(world.database.endpoint, passfile=passfile))
    write_whole(world.config, text_of(replace(world.fleet, databases=(database,))))


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
