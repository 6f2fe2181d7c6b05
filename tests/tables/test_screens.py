"""Single tables in the app: chosen, restored by a real job, compared, merged, dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recovery.world import World, make_world
from tests.screens.eyes import NARROW, screen_text, until, until_seen
from tests.servers import FreshDatabase
from tui.app import PgdrApp
from tui.screens.confirm import ConfirmScreen
from tui.screens.tables.choose import ChooseTablesScreen
from tui.screens.tables.desk import TableDesk
from tui.screens.tables.differences import DifferencesScreen


@pytest.fixture
def hurt(db18: FreshDatabase, tmp_path: Path) -> World:
    """A shop that was backed up and has lost rows of two tables since."""
    world = make_world(db18, tmp_path)
    world.back_up()
    world.sql("DELETE FROM orders; DELETE FROM wallets WHERE id BETWEEN 10 AND 14;"
              "UPDATE wallets SET note = 'newer' WHERE id = 7")  # fmt: skip
    return world


async def test_tables_are_restored_compared_and_merged(hurt: World) -> None:
    app = PgdrApp(hurt.fleet, hurt.state, operator="ada@bastion")
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await until_seen(pilot, "● shop")
        await pilot.press("b")
        await until_seen(pilot, "2,000 rows", "1 of 1")
        await pilot.press("enter")
        await until_seen(pilot, "backups › inside", "wallets", "orders", "t single tables")
        await pilot.press("t")
        await until_seen(pilot, "Mark the tables that you want", "wallets")
        screen = app.screen
        assert isinstance(screen, ChooseTablesScreen)
        for name in ("wallets", "orders"):
            screen._table.go_to(("public", name))
            await pilot.press("space")
        await until_seen(pilot, "2 tables marked", "■")
        await pilot.press("enter")
        await until_seen(pilot, "Restore tables", "a scratch database", "[ Cancel ]")
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, DifferencesScreen), "the job is done")
        text = await until_seen(pilot, "merging puts 505 rows back")
        assert "wallets" in text and "1,995" in text and "triggers fire" in text
        (scratch,) = hurt.databases() - {hurt.live.name}

        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen), "it asks")
        text = screen_text(app)
        assert "1,995 rows now, 2,000 after" in text and "0 rows now, 500 after" in text
        await pilot.press("enter")
        assert hurt.count("wallets") == 1995
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen), "it asks again")
        await pilot.press(*hurt.live.name, "enter", "enter")
        await until_seen(pilot, "1,995 rows before, 2,000 after", "0 rows before, 500 after")
        await until_seen(pilot, "merging puts 0 rows back")
        assert hurt.count("orders") == 500
        assert hurt.sql("SELECT note FROM wallets WHERE id = 7") == "newer"

        await pilot.press("x")
        await until_seen(pilot, "Drop the scratch database")
        await pilot.press(*scratch, "enter", "enter")
        await until_seen(pilot, "The scratch database is dropped.")
    assert hurt.databases() == {hurt.live.name}


async def test_rows_that_stand_in_the_way_can_be_left_out(hurt: World) -> None:
    hurt.sql("DELETE FROM wallets WHERE user_id = 3; DELETE FROM users WHERE id = 3")
    ref = hurt.answer("backups")["backups"][0]["ref"]
    target = hurt.answer("restore", ref, "--table", "wallets")["target"]
    app = PgdrApp(hurt.fleet, hurt.state)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_seen(pilot, "● shop")
        desk = TableDesk(hurt.fleet, hurt.database, hurt.state, app._bearings, "ada", app.copy_text)
        app.push_screen(DifferencesScreen(desk, target, ["public.wallets"]))
        await until_seen(pilot, "merging puts 10 rows back")
        await pilot.press("f", "u")
        await until_seen(pilot, "triggers off; changed rows OVERWRITTEN")
        await pilot.press("m")
        await until_seen(pilot, "1 changed row OVERWRITTEN")
        await pilot.press(*hurt.live.name, "enter", "enter")
        text = await until_seen(pilot, "Leave these rows out?")
        assert "public.users" in text and "wallets_user_id_fkey" in text and hurt.count("wallets") == 1990
        await pilot.press(*hurt.live.name, "enter", "enter")
        await until_seen(pilot, "1,990 rows before, 1,995 after", "5 left out")
        assert hurt.sql("SELECT count(*) FROM wallets WHERE note = 'newer'") == "0"
        hurt.live.server.sql(f'DROP DATABASE "{target}"')
        await pilot.press("R")
        await until_seen(pilot, "does not exist")


async def test_the_differences_of_an_earlier_job_can_be_reached_again(hurt: World) -> None:
    ref = hurt.answer("backups")["backups"][0]["ref"]
    hurt.answer("restore", ref, "--table", "wallets")
    app = PgdrApp(hurt.fleet, hurt.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "● shop")
        await pilot.press("J")
        await until_seen(pilot, "restore-")
        await pilot.press("enter")
        await until_seen(pilot, "✔ clean", "d compare")
        await pilot.press("d")
        await until_seen(pilot, "merging puts 5 rows back")


async def test_read_only_offers_none_of_it(hurt: World) -> None:
    app = PgdrApp(hurt.fleet, hurt.state, read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "● shop")
        await pilot.press("b")
        await until_seen(pilot, "2,000 rows", "1 of 1")
        assert "single tables" not in screen_text(app)
        await pilot.press("t")
        assert not isinstance(app.screen, ChooseTablesScreen)
