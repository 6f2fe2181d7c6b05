"""Pausing and freezing in a recovery: who may, what the timeline tells, and that a drill does none of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.pausing.conftest import Little
from tests.recovery.world import World, utc_now
from tests.servers import FreshDatabase
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.model.errors import Refused
from tui.model.paused import FreezeHow, PauseEvent, PauseState
from tui.model.plan import Level
from tui.operations.plan.plan import plan_restore
from tui.postgres.databases import databases
from tui.postgres.databases.freeze import put, writes
from tui.postgres.merge.merge import MergeOptions, merge


def forget(event: PauseEvent) -> None:
    """Tells nobody."""


def timeline(guide: Guide) -> list[tuple[str, str]]:
    return [(entry.kind, entry.text) for entry in guide.look_again().timeline]


def test_paused_frozen_and_back(world: World, two: tuple[Little, Little]) -> None:
    guide = world.guide()
    assert [v.state for v in guide.pause_all(forget)] == [PauseState.PAUSED] * 2
    assert guide.freeze(FreezeHow.READ_ONLY).state is PauseState.PAUSED
    found = guide.paused()
    assert [s.incident for s in found.services] == [guide.incident.id] * 2
    assert [d.incident for d in found.databases] == [guide.incident.id]
    # Another start of the program finds the same.
    again = Guide(world.fleet, world.state, Book(world.state), guide.incident, "ann@db1", utc_now)
    assert again.paused() == found
    assert again.thaw().state is PauseState.RUNNING
    assert [v.state for v in again.resume_all(forget)] == [PauseState.RUNNING] * 2
    facts = [text for kind, text in timeline(guide) if kind == "fact"]
    assert [" is paused" in text for text in facts[:2]] == [True, True]
    assert "is frozen (read-only), 0 sessions ended" in facts[2] and "is thawed" in facts[3]
    assert [text.split("(")[0] for text in facts[4:]] == [
        "Service payment-processor is running ",
        "Service server is running ",
    ]
    run = [text for kind, text in timeline(guide) if kind == "command"]
    assert any("RESET default_transaction_read_only" in text for text in run)
    assert not guide.paused().services and not guide.paused().databases


def test_only_who_drives_may(world: World, two: tuple[Little, Little]) -> None:
    guide = world.guide()
    watcher = Guide(world.fleet, world.state, Book(world.state), guide.incident, "bob@db2", utc_now)
    for do in (
        lambda: watcher.pause_all(forget),
        lambda: watcher.pausing.pause("server", forget),
        lambda: watcher.freeze(FreezeHow.READ_ONLY),
    ):
        with pytest.raises(Refused, match="drives incident"):
            do()
    assert all(one.log == [] for one in two) and not watcher.paused().services
    assert [v.state for v in watcher.pausing.services()] == [PauseState.RUNNING] * 2  # looking is free


def test_a_drill_only_tells(world: World, two: tuple[Little, Little]) -> None:
    guide = world.guide()
    book = Book(world.state)
    drill = book.change(guide.incident.id, lambda now: replace(now, drill=True))
    guide = Guide(world.fleet, world.state, book, drill, "ann@db1", utc_now)
    assert [v.state for v in guide.pause_all(forget)] == [PauseState.PAUSED] * 2
    assert guide.freeze(FreezeHow.NO_CONNECTIONS).state is PauseState.PAUSED
    assert guide.thaw().state is PauseState.RUNNING
    assert [v.state for v in guide.resume_all(forget)] == [PauseState.RUNNING] * 2
    assert all(one.log == [] for one in two) and not (world.state / "paused").exists()
    there = writes(world.live.endpoint, world.live.name)
    assert there is not None and (there.setting, there.connections) == (None, True)
    told = [text for _, text in timeline(guide)[1:]]
    assert len(told) == 6 and all(text.startswith("DRILL: would ") for text in told)


def test_a_plan_says_that_a_backup_of_a_frozen_one_is_restored_without_it(alone: World) -> None:
    found = writes(alone.live.endpoint, alone.live.name)
    assert found is not None
    put(alone.live.endpoint, found.oid, found.dbname, setting="on", connections=True, end_sessions=False)
    ref = alone.back_up().refs[0]
    plan = plan_restore(
        alone.fleet, alone.state, alone.database, ref, target=f"{alone.live.name}_r", now=utc_now()
    )
    (told,) = [f for f in plan.findings if f.about == "settings"]
    assert told.level is Level.WARNING and "default_transaction_read_only=on" in told.what
    assert not any("default_transaction_read_only" in command for command in plan.commands)


def test_rows_are_merged_into_a_frozen_database(db18: FreshDatabase) -> None:
    """Freeze, restore beside, compare, merge: the way of an accidental deletion."""
    restored = f"{db18.name}_restored"
    databases.create(db18.endpoint, restored)
    for name, rows in ((db18.name, 1), (restored, 3)):
        db18.server.sql("CREATE TABLE t (id int PRIMARY KEY)", name)
        db18.server.sql(f"INSERT INTO t SELECT generate_series(1, {rows})", name)
    found = writes(db18.endpoint, db18.name)
    assert found is not None
    put(db18.endpoint, found.oid, found.dbname, setting="on", connections=True, end_sessions=True)
    done = merge(db18.endpoint, db18.name, restored, [("public", "t")], MergeOptions())
    assert done[0].inserted == 2 and db18.sql("SELECT count(*) FROM t") == "3"
