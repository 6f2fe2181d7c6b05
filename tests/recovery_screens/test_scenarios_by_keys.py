"""Each kind of disaster, recovered by keys alone through the real app, jobs and servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.recovery.scenarios import burn_local_store, doomed_shop, fresh_server, reached_with
from tests.recovery.world import World, make_world, utc_now
from tests.recovery_screens.seen import text_of, until
from tests.recovery_screens.test_whole_recovery import confirm
from tests.servers import Bucket, FreshDatabase
from tui.app import PgdrApp
from tui.demo.server import Server
from tui.incident.book import Book
from tui.incident.scenarios import known
from tui.model.incident import Incident, Step, StepStatus
from tui.model.paused import FreezeHow
from tui.model.scenario import Scenario
from tui.operations.pause.freeze import freeze
from tui.operations.pause.pause import Cause
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.address import AddressScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.screen import RecoveryScreen


@pytest.fixture
def shop(db18: FreshDatabase, tmp_path: Path) -> World:
    """A small shop with a backup."""
    made = make_world(db18, tmp_path)
    made.back_up()
    return made


@asynccontextmanager
async def declared(world: World, seen: str) -> AsyncIterator[Pilot[int]]:
    """The app, in an incident that was assessed; `seen` is the scenario that must be proposed."""
    app = PgdrApp(world.fleet, world.state, operator="ann@db1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: any(word in text_of(pilot) for word in ("● shop", "▲ shop", "shop   ")))
        await until(pilot, lambda: "waiting" not in text_of(pilot))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoveryScreen))
        await until(pilot, lambda: f"proposed {seen}" in text_of(pilot) and "1✔" in text_of(pilot))
        yield pilot


async def pick(pilot: Pilot[int]) -> None:
    """Once it is decided: picks what is advised, and goes to the restore."""
    await until(pilot, lambda: "pick this one" in text_of(pilot) and "ADVISED" in text_of(pilot))
    await pilot.press("enter")
    await until(pilot, lambda: "2✔" in text_of(pilot))
    await pilot.press("4")


async def restore_and_verify(pilot: Pilot[int], name: str) -> None:
    """From the plan to the last step."""
    await until(pilot, lambda: "restore…" in text_of(pilot) and "into" in text_of(pilot))
    await pilot.press("enter")
    await confirm(pilot, name)
    await until(pilot, lambda: "next: verify" in text_of(pilot), 60)
    await pilot.press("enter")
    await until(pilot, lambda: "next: resume" in text_of(pilot), 60)
    await pilot.press("enter")


async def close(pilot: Pilot[int], world: World) -> Incident:
    """Closes it as recovered; the incident as it is on disk then."""
    await until(pilot, lambda: "close…" in text_of(pilot))
    await pilot.press("c")
    await until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
    await pilot.press("down", "enter")
    await until(pilot, lambda: "✔ closed  recovered" in text_of(pilot))
    return Book(world.state).load("1")


async def test_deleted_rows_come_back_by_a_merge(shop: World) -> None:
    shop.sql("DELETE FROM orders; DELETE FROM wallets; INSERT INTO users (email) VALUES ('late@example.org')")
    name = shop.live.name
    async with declared(shop, "Accidental deletion") as pilot:
        await pilot.press("enter")
        why = Cause("ann@db1", "incident 1", "shop", "1")
        await asyncio.to_thread(freeze, shop.state, shop.database, FreezeHow.READ_ONLY, why, utc_now)
        await pick(pilot)
        await restore_and_verify(pilot, name)
        await until(pilot, lambda: "Not compared with the live tables yet" in text_of(pilot))
        assert "cut over" in text_of(pilot) and "merge…" not in text_of(pilot)
        await pilot.press("d")
        await until(pilot, lambda: "Merging puts 2,500 rows back" in text_of(pilot))
        assert "Cutting over loses 1 row" in text_of(pilot)
        await until(pilot, lambda: "merge…" in text_of(pilot))
        await pilot.press("m")
        await confirm(pilot, name)
        await until(pilot, lambda: "Still frozen: shop: s lets writes in again" in text_of(pilot))
        await until(pilot, lambda: "start services" in text_of(pilot).splitlines()[-1])  # all is asked
        await pilot.press("s")
        await until(pilot, lambda: "Still frozen" not in text_of(pilot) and "✔ merged" in text_of(pilot))
        assert shop.sql("SHOW default_transaction_read_only") == "off"
        incident = await close(pilot, shop)
    assert (shop.count("orders"), shop.count("wallets"), shop.count("users")) == (500, 2000, 401)
    assert incident.scenario is Scenario.ACCIDENTAL_DELETION and incident.swap is None
    assert incident.merge is not None and incident.remove_at is not None


async def test_a_table_comes_back_alone_and_the_merge_can_be_taken_back(shop: World) -> None:
    shop.sql("DELETE FROM orders")
    name = shop.live.name
    async with declared(shop, "Single table corruption") as pilot:
        await pilot.press("enter")
        await pick(pilot)
        await until(pilot, lambda: "Only public.orders" in text_of(pilot))
        await restore_and_verify(pilot, name)
        await until(pilot, lambda: "Merging puts 500 rows back" in text_of(pilot))
        assert "swap…" not in text_of(pilot) and "Cutting over" not in text_of(pilot)
        await pilot.press("m")
        await until(pilot, lambda: "0 rows now, 500 after" in text_of(pilot))
        await confirm(pilot, name)
        await until(pilot, lambda: "✔ merged" in text_of(pilot) and "undo…" in text_of(pilot))
        assert shop.count("orders") == 500
        await pilot.press("u")
        await confirm(pilot, name)
        await until(pilot, lambda: "was taken back" in text_of(pilot))
        assert shop.count("orders") == 0
        await pilot.press("d")
        await until(pilot, lambda: "Merging puts 500 rows back" in text_of(pilot))
        await pilot.press("m")
        await confirm(pilot, name)
        await until(pilot, lambda: "✔ merged" in text_of(pilot))
        incident = await close(pilot, shop)
    assert shop.count("orders") == 500 and incident.restored_tables == ("public.orders",)


async def test_a_bad_migration_is_rolled_back_by_a_swap(shop: World) -> None:
    shop.sql("ALTER TABLE wallets DROP COLUMN note CASCADE; DROP INDEX wallets_user")
    name = shop.live.name
    async with declared(shop, "Malformed migration") as pilot:
        await pilot.press("enter")
        await pick(pilot)
        await restore_and_verify(pilot, name)
        await until(pilot, lambda: "swap…" in text_of(pilot) and "becomes" in text_of(pilot))
        assert "merge" not in text_of(pilot)
        await pilot.press("enter")
        await confirm(pilot, name)
        await until(pilot, lambda: "✔ swapped" in text_of(pilot) and "until" in text_of(pilot))
        incident = await close(pilot, shop)
    assert shop.sql("SELECT max(length(note)) FROM wallets") == "96"
    assert incident.scenario is Scenario.BAD_MIGRATION
    assert incident.swap is not None and incident.remove_at is not None
    assert incident.remove_at - incident.swap.at == shop.database.remove_old_after


@pytest.fixture
def doomed(tmp_path: Path, bucket: Bucket) -> Iterator[tuple[World, Server]]:
    """A shop whose server is down, with an off-site store beside the local one, and a fresh server."""
    with doomed_shop(tmp_path, bucket) as shop, fresh_server() as second:
        yield shop, second


@pytest.mark.parametrize("lost", [Scenario.INSTANCE_LOST, Scenario.SITE_LOST])
async def test_what_is_lost_comes_back_on_a_second_server(
    doomed: tuple[World, Server], lost: Scenario
) -> None:
    world, second = doomed
    reached_with(world, second.endpoint.passfile)
    if lost is Scenario.SITE_LOST:  # with all that lay there
        burn_local_store(world)
    seen = "Pod, container or node failed" if lost is Scenario.INSTANCE_LOST else known(lost).title
    async with declared(world, seen) as pilot:
        if lost is Scenario.INSTANCE_LOST:
            await pilot.press("s")
            await until(pilot, lambda: "What has happened?" in text_of(pilot))
            await pilot.press("home", *["down"] * 4)
        await pilot.press("enter")
        await until(pilot, lambda: known(lost).title in text_of(pilot) or "ADVISED" in text_of(pilot))
        await pick(pilot)
        await until(pilot, lambda: "The server is lost: say where" in text_of(pilot))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, AddressScreen))
        assert "type it again where a fresh one" in text_of(pilot)
        await pilot.press(*f"127.0.0.1:{second.port}", "enter")
        await pilot.pause(0.6)  # a choice that has just come up takes no enter
        await pilot.press("enter")
        await until(pilot, lambda: "make the roles…" in text_of(pilot))
        await pilot.press("m")
        await until(pilot, lambda: 'CREATE ROLE "clerk";' in text_of(pilot))
        await confirm(pilot, "shop")
        await until(pilot, lambda: "restore…" in text_of(pilot) and "make the roles…" not in text_of(pilot))
        await restore_and_verify(pilot, "shop")
        await until(pilot, lambda: "swap…" in text_of(pilot) and "new address…" in text_of(pilot))
        await pilot.press("enter")
        await confirm(pilot, "shop")
        url = f"postgresql://{second.user}@127.0.0.1:{second.port}/shop"
        await until(pilot, lambda: "✔ swapped" in text_of(pilot) and url in text_of(pilot))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen))
        await pilot.press("down", "enter")
        await confirm(pilot, "shop")
        await until(pilot, lambda: "✔ address" in text_of(pilot))
        incident = await close(pilot, world)
    assert second.sql("SELECT count(*) FROM orders", "shop") == "500"
    assert second.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'", "shop") == "clerk"
    assert incident.handed is not None and incident.handed.url == url
    assert incident.record(Step.VERIFY).status is StepStatus.DONE
    assert incident.scenario is lost and incident.ref is not None
    assert lost is Scenario.INSTANCE_LOST or incident.ref.startswith("offsite:")


async def test_a_server_that_comes_back_by_itself_is_waited_for_and_looked_at(
    doomed: tuple[World, Server],
) -> None:
    world, _ = doomed
    async with declared(world, "Pod, container or node failed") as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "◌ waiting" in text_of(pilot) and "then stop waiting" in text_of(pilot))
        await asyncio.to_thread(world.live.server.start, world.database.endpoint.port)
        await until(pilot, lambda: "✔ it is BACK" in text_of(pilot))
        await pilot.press("5")
        await until(pilot, lambda: "next: resume" in text_of(pilot), 60)
        assert "✔ passed    rows of public.orders" in text_of(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "it came back by itself" in text_of(pilot))
        incident = await close(pilot, world)
    assert incident.scenario is Scenario.RESTART and incident.returned_at is not None
    status = [record.status for record in incident.steps]
    assert status[1] is status[3] is StepStatus.SKIPPED and incident.job is None
    assert world.count("orders") == 500
