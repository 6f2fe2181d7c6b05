"""The databases beside a live one, as the app shows them, and the one question before one is dropped."""

from __future__ import annotations

from tests.screens.conftest import Living
from tests.screens.eyes import NARROW, screen_text, until, until_seen
from tui.app import PgdrApp, utc_now
from tui.postgres.databases.databases import create, exists, fresh_name, mark_unfinished
from tui.screens.fleet_database import DatabaseScreen
from tui.screens.kept import KeptScreen


async def test_a_kept_database_is_dropped_only_when_its_name_is_typed(living: Living) -> None:
    endpoint, dbname = living.shop.endpoint, living.shop.name
    name = fresh_name(dbname, "restore", utc_now())
    create(endpoint, name)
    mark_unfinished(endpoint, name, "the restore of local:x was not finished.")
    app = PgdrApp(living.narrowed("shop"), living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "2 tables:")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DatabaseScreen))
        await pilot.press("d")
        await until_seen(pilot, name[:36], "restored", "was not finished")
        assert isinstance(app.screen, KeptScreen)
        await pilot.press("D")
        await until_seen(pilot, "Drop a database", "for good")
        await pilot.press("enter", "enter")  # Cancel has the focus
        await until(pilot, lambda: isinstance(app.screen, KeptScreen))
        assert exists(endpoint, name)
        await pilot.press("D", *name, "enter", "enter")
        await until(pilot, lambda: not exists(endpoint, name), "it is dropped")
        await until_seen(pilot, "No database is kept beside the live one.")


async def test_read_only_offers_no_drop(living: Living) -> None:
    name = fresh_name(living.shop.name, "before", utc_now())
    create(living.shop.endpoint, name)
    app = PgdrApp(living.narrowed("shop"), living.state, read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "2 tables:")
        await pilot.press("enter", "d")
        await until_seen(pilot, "It was the live database until a swap")
        assert "drop" not in screen_text(app).splitlines()[-1]
        await pilot.press("D")
        await pilot.pause()
        assert isinstance(app.screen, KeptScreen)
