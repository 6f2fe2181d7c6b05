"""Each kind of disaster, recovered by keys alone through the real app, jobs and servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.recovery.scenarios import fresh_server
from tests.recovery.world import World, make_world
from tests.recovery_screens.seen import text_of, until
from tests.recovery_screens.test_whole_recovery import confirm
from tests.servers import FreshDatabase
from tui.app import PgdrApp
from tui.config.write import text_of as config_of
from tui.demo.server import Server
from tui.files import write_whole
from tui.incident.book import Book
from tui.model.incident import Incident, Step, StepStatus
from tui.model.scenario import Scenario
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
        await until(pilot, lambda: "✔ merged" in text_of(pilot))
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
        assert "swap…" not in text_of(pilot)
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
def doomed(tmp_path: Path) -> Iterator[tuple[World, Server]]:
    """A shop on a server of its own, with a role that others don't have, and a fresh server."""
    with fresh_server() as first, fresh_server() as second:
        first.sql("CREATE DATABASE shop; CREATE ROLE clerk LOGIN")
        world = make_world(FreshDatabase(first, "shop"), tmp_path)
        world.sql("ALTER TABLE orders OWNER TO clerk")
        world.back_up()
        fleet = world.fleet
        database = fleet.databases[0]
        database = replace(database, endpoint=replace(database.endpoint, passfile=second.endpoint.passfile))
        write_whole(world.config, config_of(replace(fleet, databases=(database,))))
        first.stop()
        yield world, second


async def test_a_lost_instance_comes_back_on_a_second_server(doomed: tuple[World, Server]) -> None:
    world, second = doomed
    async with declared(world, "Pod, container or node failed") as pilot:
        await pilot.press("s")
        await until(pilot, lambda: "What has happened?" in text_of(pilot))
        await pilot.press("home", *["down"] * 4, "enter")
        await pick(pilot)
        await until(pilot, lambda: "The server is lost: say where" in text_of(pilot))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, AddressScreen))
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
