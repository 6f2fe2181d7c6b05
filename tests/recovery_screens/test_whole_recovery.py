"""A dropped database comes back, by keys alone, through the real app, guide, job and server."""

from __future__ import annotations

import tomllib

from textual.pilot import Pilot

from tests.notify.conftest import Listener
from tests.recovery.world import World, utc_now
from tests.recovery_screens.seen import text_of, until
from tui.app import PgdrApp
from tui.incident.book import Book
from tui.model.incident import Step, StepStatus
from tui.screens.confirm import ConfirmScreen
from tui.screens.fleet import FleetScreen
from tui.screens.recovery.screen import RecoveryScreen

TABLES = ("users", "wallets", "orders")


async def confirm(pilot: Pilot[int], name: str) -> None:
    """Types the name into the question that stands on the screen, and chooses its action."""
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    await pilot.press(*name)
    await pilot.press("enter", "enter")


async def declare(pilot: Pilot[int]) -> None:
    """From the fleet into a new incident."""
    await until(pilot, lambda: "MISSING" in text_of(pilot))
    await pilot.press("r")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    await pilot.press("tab", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, RecoveryScreen))


async def test_a_dropped_database_comes_back(world: World, listener: Listener) -> None:
    before = {table: world.count(table) for table in TABLES}
    made = world.back_up()
    name = world.live.name
    world.drop_live()

    app = PgdrApp(world.fleet, world.state, operator="ann@db1")
    async with app.run_test(size=(80, 24)) as pilot:
        await declare(pilot)
        await until(pilot, lambda: "accept what is proposed" in text_of(pilot) and "1✔" in text_of(pilot))
        assert "✘ DAMAGED" in text_of(pilot) and "does not exist" in text_of(pilot)

        await pilot.press("enter")
        await until(pilot, lambda: "ADVISED" in text_of(pilot) and "20,000 rows" in text_of(pilot))
        await pilot.press("enter")

        await until(pilot, lambda: "status (webhook)" in text_of(pilot) and "send it" in text_of(pilot))
        await pilot.press("s")
        await until(pilot, lambda: "✔ taken" in text_of(pilot) and "✘ FAILED" in text_of(pilot))
        await pilot.press("enter")

        await until(pilot, lambda: "restore…" in text_of(pilot) and "pg_restore" in text_of(pilot))
        await pilot.press("enter")
        await confirm(pilot, name)
        await until(pilot, lambda: "next: verify" in text_of(pilot), 120)
        assert "✔ done" in text_of(pilot) and "✔ clean" in text_of(pilot)
        await pilot.press("enter")

        await until(pilot, lambda: "next: resume" in text_of(pilot), 60)
        assert "FAILED" not in text_of(pilot)
        await pilot.press("enter")

        await until(pilot, lambda: "swap…" in text_of(pilot) and "ALTER DATABASE" in text_of(pilot))
        await pilot.press("enter")
        await confirm(pilot, name)
        await until(pilot, lambda: "healthy: 200" in text_of(pilot))
        await pilot.press("c")
        await until(pilot, lambda: "stood down" in text_of(pilot))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "✔ closed  recovered" in text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "incidents › 1" in text_of(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoveryScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, FleetScreen))
        await until(pilot, lambda: "MISSING" not in text_of(pilot) and "shop" in text_of(pilot))

    assert {table: world.count(table) for table in TABLES} == before
    incident = Book(world.state).load("1")
    assert incident.outcome == "recovered" and incident.ref == made.refs[0]
    assert all(record.status is StepStatus.DONE for record in incident.steps)
    assert "recovered" in Book(world.state).report_path("1").read_text()
    assert [asked.path for asked in listener.asked] == ["/hook", "/health"]


async def test_a_second_start_finds_the_restore_where_it_is_and_undo_puts_things_back(world: World) -> None:
    world.back_up()
    world.sql("DELETE FROM orders")
    name = world.live.name

    app = PgdrApp(world.fleet, world.state, operator="ann@db1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "up" in text_of(pilot))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "accept what is proposed" in text_of(pilot) and "1✔" in text_of(pilot))
        assert "Table public.orders is empty" in text_of(pilot)
        await pilot.press("2")
        await until(pilot, lambda: "ADVISED" in text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "send it" in text_of(pilot))
        await pilot.press("4")
        await until(pilot, lambda: "restore…" in text_of(pilot))
        await pilot.press("enter")
        await confirm(pilot, name)
        await until(pilot, lambda: any(world.state.glob("jobs/*/journal.jsonl")), 60)
        # The app ends here, whatever the job is at: it isn't the app's.

    incident = Book(world.state).load("1")
    assert incident.job is not None
    again = PgdrApp(world.fleet, world.state, operator="bob@db2", incident="1")
    async with again.run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoveryScreen))
        await until(pilot, lambda: "ann@db1 drives, you watch" in text_of(pilot))
        await pilot.press("T")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "ann@db1 drives" not in text_of(pilot))
        # It opens at the message, which nobody has been told yet; the restore is where it was.
        await pilot.press("4")
        await until(pilot, lambda: "next: verify" in text_of(pilot), 120)
        await pilot.press("enter")
        await until(pilot, lambda: "next: resume" in text_of(pilot), 60)
        await pilot.press("enter")
        await until(pilot, lambda: "swap…" in text_of(pilot))
        await pilot.press("enter")
        await confirm(pilot, name)
        await until(pilot, lambda: "✔ swapped" in text_of(pilot) and "undo…" in text_of(pilot), 60)
        assert world.count("orders") == 500
        await pilot.press("u")
        await confirm(pilot, name)
        await until(pilot, lambda: "was undone" in text_of(pilot), 60)
        assert world.count("orders") == 0
    assert Book(world.state).load("1").record(Step.RESUME).status is StepStatus.ACTIVE


async def test_an_incident_on_disk_is_plain_enough_to_be_read_without_the_program(world: World) -> None:
    Book(world.state).declare("shop", "ann@db1", utc_now())
    text = (world.state / "incidents" / "1.toml").read_text()
    assert tomllib.loads(text)["database"] == "shop"
