"""A drill by the guided recovery: nothing live is changed, nobody is told, what it measured is remembered."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.drill.unchanged import held
from tests.notify.conftest import Listener, listener
from tests.recovery.world import World, make_world, utc_now, with_channels
from tests.recovery_screens.seen import text_of, until
from tests.servers import Bucket, FreshDatabase
from tui.app import PgdrApp
from tui.config.write import text_of as toml_of
from tui.files import write_whole
from tui.incident.book import Book
from tui.incident.drill import kind_of
from tui.incident.guide import Guide
from tui.model.backup import Verdict
from tui.model.channels import Webhook
from tui.model.errors import Refused
from tui.model.event import JobState
from tui.model.incident import Step, StepStatus
from tui.model.paused import FreezeHow
from tui.model.plan import Level
from tui.model.scenario import Scenario
from tui.model.service import CommandService
from tui.operations.records import Drill, add_drill, drills
from tui.screens.confirm import ConfirmScreen
from tui.screens.drills import DrillsScreen
from tui.screens.recovery.drill_end import DrillEndScreen
from tui.screens.recovery.screen import RecoveryScreen

__all__ = ["listener"]


@pytest.fixture
def world(db18: FreshDatabase, tmp_path: Path, bucket: Bucket, listener: Listener) -> World:
    """A database with backups here and in a bucket, an application that answers, a service that would note
    being stopped or started, and a channel that would be told."""
    made = make_world(
        db18, tmp_path, offsite=bucket.store,
        change=lambda d: replace(d, health_url=f"{listener.url}/health", services=("server",)),
    )  # fmt: skip
    touched = ("touch", str(tmp_path / "touched"))
    server = CommandService(name="server", stop=touched, start=touched, state=("true",))
    write_whole(made.config, toml_of(replace(made.fleet, services=(server,))))
    return with_channels(made, Webhook("status", f"{listener.url}/hook"))


def begun(world: World) -> Guide:
    """A drill that has been begun."""
    book = Book(world.state)
    incident = book.declare(world.database.name, "ann@db1", utc_now(), drill=True)
    return Guide(world.fleet, world.state, book, incident, "ann@db1", utc_now)


def restored(world: World, guide: Guide) -> None:
    """Takes a drill to the end of its restore."""
    guide.assess(lambda finding: None)
    guide.pick(next(c for c in guide.candidates()[0] if c.advised))
    guide.notify(guide.message())
    guide.start_restore(world.live.name, guide.plan())
    deadline = time.monotonic() + 120
    while (picture := guide.restore_picture()) is None or picture.state is JobState.RUNNING:
        assert time.monotonic() < deadline, "the restore did not end"
        time.sleep(0.1)
    guide.finish_restore()


def test_a_whole_drill_changes_nothing_and_remembers_what_it_measured(
    world: World, listener: Listener
) -> None:
    ref = world.back_up().refs[0]
    before = held(world)
    guide = begun(world)
    guide.pause_all(lambda event: None)
    guide.freeze(FreezeHow.READ_ONLY)
    restored(world, guide)
    (scratch,) = guide.incident.scratch
    assert scratch.startswith(f"{world.live.name}_drill_") and guide.incident.target == scratch
    assert world.count("users", scratch) == 400
    with pytest.raises(Refused, match="needed"):  # an open drill's database is dropped by nobody else
        world_kept_drop(world, scratch)
    guide.verify(lambda check: None)
    guide.swap_plan()
    assert guide.swap(world.live.name).swap is None and guide.incident.rehearsed_at is not None
    guide.thaw()
    guide.resume_all(lambda event: None)
    assert not (world.config.parent / "touched").exists() and not (world.state / "paused").exists()
    closed = guide.close("rehearsed", found="The runbook names the wrong host.")
    assert held(world) == before
    assert listener.asked == []  # neither the channel nor the application
    assert closed.closed_at and closed.scratch == () and world.databases() == {world.live.name}

    (made,) = drills(world.state, "shop")
    assert (made.verdict, made.kind, made.ref, made.incident) == (Verdict.CLEAN, "recovery", ref, "1")
    assert made.found == ("The runbook names the wrong host.",) == closed.found
    assert made.rto_s == (guide.incident.rehearsed_at - closed.declared_at).total_seconds() > 0
    assert made.rpo_s is not None and 0 <= made.rpo_s < 3600 and made.operator == "ann@db1"
    said = [entry.text for entry in closed.timeline]
    assert any(t.startswith("DRILL: would run ALTER DATABASE") for t in said)
    assert any(t.startswith("DRILL: would freeze") for t in said)
    assert any(t.startswith("DRILL: would tell status") for t in said) and "DRILL begun for shop." in said
    assert "DRILL" in guide.report_path.read_text()

    (row,) = world.answer("drills")
    assert (row["incident"], row["found"]) == ("1", ["The runbook names the wrong host."])
    assert {d["what"]: d["overdue"] for d in world.answer("due")}["recovery"] is False
    assert world.answer("inventory")[0]["last_drill"]["rto_s"] == made.rto_s
    (listed,) = world.answer("incidents")
    assert (listed["drill"], listed["driver"]) == (True, "ann@db1")
    plan = begun(world)
    plan.pick(next(c for c in plan.candidates()[0] if c.advised))
    (expected,) = [f for f in plan.plan().findings if f.about == "drills"]
    assert expected.level is Level.OK and "The last 1 drill took" in expected.what and "30m" in expected.what


def world_kept_drop(world: World, name: str) -> None:
    """Drops a kept database as the verb does."""
    from tui.incident.uses import databases_in_use
    from tui.operations.swap.kept import drop_kept

    drop_kept(world.fleet, world.state, world.database, name, databases_in_use(world.state, "shop"))


def test_another_drill_leaves_an_open_ones_database_alone(world: World) -> None:
    world.back_up()
    guide = begun(world)
    restored(world, guide)
    time.sleep(1.1)  # the names of their databases hold the second
    assert world.answer("drill", "shop")["verdict"] == "clean"
    assert guide.incident.target in world.databases()
    guide.verify(lambda check: None)
    assert guide.incident.record(Step.VERIFY).status is StepStatus.DONE
    guide.close("broken off")
    assert world.databases() == {world.live.name} and len(drills(world.state, "shop")) == 1


def test_what_went_wrong_is_found_and_kept_when_asked(world: World) -> None:
    world.back_up()
    guide = begun(world)
    restored(world, guide)
    target = guide.incident.target
    assert target is not None
    world.live.server.sql("DELETE FROM orders WHERE id = 1", target)
    guide.verify(lambda check: None)
    guide.skip(Step.VERIFY, "Only rehearsed.")
    guide.swap(world.live.name)
    closed = guide.close("rehearsed", keep=True)
    assert target in world.databases() and closed.scratch == (target,)
    (made,) = drills(world.state, "shop")
    assert made.verdict is Verdict.FAILED
    assert any("rows of public.orders: expected 500, found 499" in found for found in made.found)
    assert any("verify was gone past: Only rehearsed." in found for found in made.found)
    assert {d["what"]: d["overdue"] for d in world.answer("due")}["recovery"] is True
    assert world.pgdr("drop", "shop", target, "--confirm", target).returncode == 0


def test_a_headless_drill_changes_nothing_in_the_live_database(world: World, listener: Listener) -> None:
    world.back_up()
    before = held(world)
    assert world.answer("drill", "shop")["verdict"] == "clean"
    assert world.answer("drill", "shop", "--table", "public.wallets")["verdict"] == "clean"
    assert held(world) == before and listener.asked == []


def test_the_comparison_sees_every_kind_of_change(world: World) -> None:
    """What would be missed would prove nothing."""
    world.back_up()
    before = held(world)
    assert held(world) == before
    changes = {
        "rows": "UPDATE users SET email = email WHERE id = 1",
        "sequences": "SELECT nextval('users_id_seq')",
        "schema": "ALTER TABLE wallets ADD COLUMN seen int",
        "settings of roles and databases": f"ALTER DATABASE \"{world.live.name}\" SET work_mem = '8MB'",
        "databases": f'ALTER DATABASE "{world.live.name}" CONNECTION LIMIT 7',
    }
    for name, change in changes.items():
        world.sql(change)
        after = held(world)
        assert after[name] != before[name], name
        before = after


async def test_a_whole_drill_by_keys_changes_nothing(world: World, listener: Listener) -> None:
    world.back_up()
    name, before = world.live.name, held(world)
    app = PgdrApp(world.fleet, world.state, operator="ann@db1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "up" in text_of(pilot))
        await pilot.press("d")
        await until(pilot, lambda: "Begin a DRILL" in text_of(pilot) and "nothing live" in text_of(pilot))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, RecoveryScreen))
        await until(pilot, lambda: "1✔" in text_of(pilot) and "DRILL" in text_of(pilot))
        assert "nothing live is touched" in text_of(pilot)
        await pilot.press("2")
        await until(pilot, lambda: "ADVISED" in text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "status (webhook)" in text_of(pilot) and "send it" in text_of(pilot))
        assert "DRILL" in text_of(pilot)
        await pilot.press("s")
        await until(pilot, lambda: "3✔" in text_of(pilot))
        await pilot.press("4")
        await until(pilot, lambda: "_drill_" in text_of(pilot) and "restore…" in text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*name, "enter", "enter")
        await until(pilot, lambda: "next: verify" in text_of(pilot), 120)
        await pilot.press("enter")
        await until(pilot, lambda: "5✔" in text_of(pilot), 60)
        await pilot.press("6")
        await until(pilot, lambda: "ALTER DATABASE" in text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "nothing is renamed" in text_of(pilot) and "rehearse" in text_of(pilot))
        await pilot.press(*name, "enter", "enter")
        await until(pilot, lambda: "the cutover was gone through" in text_of(pilot))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, DrillEndScreen))
        await until(pilot, lambda: "done, drop the scratch database" in text_of(pilot))
        await pilot.press(*"Slow host", "enter", "enter")
        await until(pilot, lambda: "✔ closed  rehearsed" in text_of(pilot) and "Slow host" in text_of(pilot))
        await pilot.press("escape")
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, DrillsScreen))
        await until(pilot, lambda: "OVERDUE" in text_of(pilot) and "in 89d" in text_of(pilot))
    assert held(world) == before and listener.asked == []
    (made,) = drills(world.state, "shop")
    assert (made.verdict, made.found, made.incident) == (Verdict.CLEAN, ("Slow host",), "1")


async def test_the_drills_are_shown_against_their_targets_and_over_time(world: World) -> None:
    world.back_up()
    now = utc_now()
    for days, rto, verdict in (
        (300, 2400.0, Verdict.CLEAN),
        (200, 1500.0, Verdict.FAILED),
        (10, 1200.0, Verdict.CLEAN),
    ):
        found = ("rows of public.orders: expected 500, found 499",) if verdict is Verdict.FAILED else ()
        add_drill(
            world.state,
            "shop",
            Drill(now - timedelta(days=days), rto, 3600.0, verdict, operator="ann", found=found),
        )
    app = PgdrApp(world.fleet, world.state, operator="ann@db1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "up" in text_of(pilot))
        await pilot.press("D")
        await until(pilot, lambda: "verification" in text_of(pilot) and "OVERDUE" in text_of(pilot))
        await until(pilot, lambda: "reading…" not in text_of(pilot))
        await pilot.press(*"/recovery", "enter")
        await until(pilot, lambda: "20m" in text_of(pilot) and "40m" in text_of(pilot))
        text = text_of(pilot)
        assert "FAILED" in text and "MISSED" in text and "█" in text and "│" in text and "ok" in text
        await pilot.press("enter")
        await until(pilot, lambda: "drills › shop" in text_of(pilot) and "failed" in text_of(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "expected 500, found 499" in text_of(pilot))
        await pilot.press("escape", "slash", "ctrl+u", *"verification", "enter", "d")
        await until(pilot, lambda: "Verify a backup" in text_of(pilot))
    again = PgdrApp(world.fleet, world.state, read_only=True, operator="ann@db1")
    async with again.run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: "up" in text_of(pilot))
        await pilot.press("D")
        await until(pilot, lambda: "single table" in text_of(pilot) and "pgdr drill shop" in text_of(pilot))
        assert "do it…" not in text_of(pilot)


async def test_what_is_due_decides_on_the_disaster_that_is_rehearsed(world: World) -> None:
    world.back_up()
    app = PgdrApp(world.fleet, world.state, operator="ann@db1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "up" in text_of(pilot))
        await pilot.press("D")
        await until(pilot, lambda: "single table" in text_of(pilot) and "reading…" not in text_of(pilot))
        await pilot.press("slash", *"single", "enter", "d")
        await until(pilot, lambda: "of single tables" in text_of(pilot))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, RecoveryScreen))
    begun_one = Book(world.state).load("1")
    assert begun_one.drill and begun_one.scenario is Scenario.TABLE_CORRUPTION
    assert begun_one.tables == ("public.users",) and kind_of(begun_one) == "table"
