"""A backup taken from the app: asked first, a job like any other, and in the stores when it is done."""

from __future__ import annotations

from tests.screens.conftest import Living
from tests.screens.eyes import NARROW, screen_text, until, until_seen
from tui.app import PgdrApp
from tui.operations.catalogue.catalogue import listing
from tui.stores.open import open_store


async def test_a_backup_is_asked_for_and_taken(living: Living) -> None:
    fleet = living.narrowed("shop")
    store = open_store(fleet.stores[0])
    before = {b.ref for page in listing(store) for b in page}
    app = PgdrApp(fleet, living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "2 tables:")
        await pilot.press("B")
        await until_seen(pilot, "Take a backup now", "in one snapshot")
        await pilot.press("enter")  # Cancel has the focus
        await until(pilot, lambda: "Take a backup now" not in screen_text(app))
        await pilot.press("B", "right", "enter")
        await until_seen(pilot, "backup", "clean")
    after = {b.ref for page in listing(store) for b in page if b.has_manifest}
    assert len(after - before) == 1


async def test_read_only_takes_none(living: Living) -> None:
    app = PgdrApp(living.narrowed("shop"), living.state, read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "2 tables:")
        await pilot.press("B")
        await pilot.pause()
        assert "Take a backup" not in screen_text(app)
