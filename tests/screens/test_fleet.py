"""The fleet on real servers: every state in its word, each row as its answer arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.screens.conftest import Living
from tests.screens.eyes import NARROW, NOW, WIDE, screen_lines, screen_text, until, until_seen
from tui.app import PgdrApp, utc_now
from tui.model.backup import Backup, StoreProblem
from tui.model.facts import DatabaseFacts, Status
from tui.model.fleet import Database, Fleet, LocalStore
from tui.screens.fleet import FleetScreen
from tui.screens.fleet_database import DatabaseScreen
from tui.screens.late_rooms import rooms_of
from tui.screens.rooms import Rooms


def row(app: PgdrApp, name: str) -> str:
    """The line of a database."""
    return next(line for line in screen_lines(app) if f" {name} " in line[:40])


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_every_state_is_a_shape_and_a_word(living: Living, size: tuple[int, int]) -> None:
    app = PgdrApp(living.fleet, living.state)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "waiting" not in screen_text(app), "all have answered")
        assert "▲ gone" in row(app, "gone") and "MISSING" in row(app, "gone")
        assert "✖ down" in row(app, "down") and "DOWN" in row(app, "down")
        assert "✖ deaf" in row(app, "deaf") and "DOWN" in row(app, "deaf")
        assert "● shop" in row(app, "shop") and " up " in row(app, "shop")
        await until(pilot, lambda: "6h ok" in row(app, "shop"), "the backup is found")
        assert "6h LATE" in row(app, "gone") and "none" in row(app, "gone")
        # The most critical first, the others in the configuration's order.
        names = [line[4:12].split()[0] for line in screen_lines(app)[3:7]]
        assert names == ["gone", "shop", "down", "deaf"]
        assert ("web-shop" in row(app, "shop")) is (size == WIDE)
        assert (str(living.shop.endpoint.port) in row(app, "shop")) is (size == WIDE)


async def test_the_details_say_cause_and_mend_and_what_lies_in_the_stores(living: Living) -> None:
    app = PgdrApp(living.fleet, living.state)
    async with app.run_test(size=NARROW) as pilot:
        text = await until_seen(pilot, "gone · CRITICAL · web-shop", "No backup of it lies in any")
        assert "RTO 30m" in text and "never drilled" in text
        await pilot.press("down")
        text = await until_seen(pilot, "2 tables:", "trades 5,000", living.ref, "complete")
        assert "Up: PostgreSQL 18" in text
        await until_seen(pilot, "A copy of it is off-site, in offsite.")
        await pilot.press("down")
        await until_seen(pilot, "down · LOW", "→ ")


async def test_a_copy_off_site_is_told_kept_broken_or_not_known(living: Living) -> None:
    """In the details, and where there is room as a column; the rule is of each database."""
    only_here = living.narrowed("shop")
    app = PgdrApp(only_here, living.state)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "No copy of it is off-site.")
        assert " NO " in row(app, "shop")
    unread = living.narrowed("shop", stores=("local", "locked"))
    stores = tuple(replace(s, offsite=s.name == "locked") for s in unread.stores)
    app = PgdrApp(replace(unread, stores=stores), living.state)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "Whether a copy of it is off-site can't be told")


async def test_who_comes_back_sees_what_there_is_now(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that went meanwhile is gone from the backups, and from the fleet; so is what it told."""
    monkeypatch.setattr("tui.screens.fleet._SOON_S", 0.0)
    monkeypatch.setattr("tui.screens.backups._OLD_S", 0.0)
    fleet = living.narrowed("shop")
    (store,) = fleet.stores
    assert isinstance(store, LocalStore)
    app = PgdrApp(fleet, living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "6h ok", "Newest backup  local:")
        await pilot.press("b")
        await until_seen(pilot, "1 of 1", "complete")
        await pilot.press("enter")
        await until_seen(pilot, "backups › inside", "trades")
        for file in store.path.iterdir():
            file.unlink()
        await pilot.press("escape")
        await until_seen(pilot, "0 of 0", "No backup.")
        await pilot.press("escape")
        await until_seen(pilot, "No backup of it lies in any of its stores.", "LATE")


async def test_a_fleet_that_is_left_open_grows_older(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screens.fleet._MINUTE_S", 0.2)
    ahead = timedelta(0)
    app = PgdrApp(living.narrowed("shop"), living.state, now=lambda: utc_now() + ahead)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "6h ok", "Newest backup  local:")
        ahead = timedelta(hours=7)
        await until(pilot, lambda: "6h LATE" in row(app, "shop"), "it is late by now")


async def test_a_database_that_goes_missing_is_remembered(living: Living) -> None:
    fleet = living.narrowed("shop")
    app = PgdrApp(fleet, living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "2 tables:")
        living.shop.server.sql(f'DROP DATABASE "{living.shop.name}" WITH (FORCE)')
        await pilot.press("R")
        await until_seen(pilot, "MISSING", "Last seen", "trades 5,000")
    again = PgdrApp(fleet, living.state)
    async with again.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "MISSING", "Last seen", "UTC, 2 tables:", "trades 5,000")


async def test_enter_shows_the_tables(living: Living) -> None:
    app = PgdrApp(living.narrowed("shop"), living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "2 tables:", "enter tables")
        await pilot.press("enter")
        await until_seen(pilot, "KrystalineX › shop", "trades", "5,000", "users")
        living.shop.sql("CREATE TABLE later (n int)")
        await pilot.press("R")
        await until_seen(pilot, "later", "not analyzed")
        await pilot.press("slash", *"trad", "enter")
        text = screen_text(app)
        assert "5,000" in text and "later" not in text
        await pilot.press("escape")
        assert isinstance(app.screen, FleetScreen)


async def test_filter_and_leaving_it(living: Living) -> None:
    app = PgdrApp(living.narrowed("shop", "gone"), living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "shop", "gone")
        await pilot.press("slash", *"miss")
        await until(pilot, lambda: "shop" not in "".join(screen_lines(app)[3:8]), "only gone is left")
        await pilot.press("enter")
        assert "/ miss" in screen_text(app)
        await pilot.press("slash", "escape")
        await until_seen(pilot, "● shop", "▲ gone")


class Slow:
    """Rooms whose answers wait until the test lets them through."""

    def __init__(self, fleet: Fleet, state: Path) -> None:
        self.fleet = fleet
        self.let: dict[str, threading.Event] = {
            name: threading.Event() for name in ("first", "last", "store")
        }
        self.rooms: Rooms = replace(
            rooms_of(fleet, state, utc_now),
            look=self.look,
            backups=self.backups,
            schema=lambda database: (),
        )

    def look(self, on_facts: Callable[[DatabaseFacts], None]) -> None:
        for event, database in zip(("first", "last"), self.fleet.databases, strict=True):
            self.let[event].wait(30)
            on_facts(DatabaseFacts(database.name, Status.UP, NOW, size_bytes=1000, sessions=3))

    def backups(
        self,
        store: str,
        on_page: Callable[[tuple[Backup, ...]], None],
        on_problem: Callable[[StoreProblem], None],
    ) -> None:
        self.let["store"].wait(30)
        taken = NOW - timedelta(hours=2)
        on_page((Backup(store, "alpha.dump", 5, taken, "alpha", taken),))
        on_problem(StoreProblem(store, "It hung up [/x].", None, None))


async def test_nothing_waits_for_the_slowest(tmp_path: Path) -> None:
    fleet = Fleet(
        "slow",
        databases=(Database("alpha", "alpha", "a"), Database("beta[/x]\x1b", "beta", "b")),
        stores=(LocalStore("local", tmp_path),),
    )
    slow = Slow(fleet, tmp_path)
    moment = [NOW]
    app = PgdrApp(fleet, tmp_path, rooms=slow.rooms, now=lambda: moment[0])
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "◌ alpha", "waiting 0s", "local: still reading…")
        moment[0] += timedelta(seconds=4)
        await until_seen(pilot, "waiting 4s")
        slow.let["first"].set()
        await until_seen(pilot, "● alpha")
        assert "waiting 4s" in row(app, "beta[/x]\\x1b")
        await pilot.press("down", "up")  # keys are answered meanwhile
        slow.let["store"].set()
        await until_seen(pilot, "2h 00m ago", "It hung up [/x].")
        # What isn't found in stores that couldn't all be read isn't called missing.
        assert "unknown" in row(app, "beta[/x]\\x1b")
        slow.let["last"].set()
        await until(pilot, lambda: "waiting" not in screen_text(app), "both have answered")


async def test_no_database_says_what_to_do(tmp_path: Path) -> None:
    app = PgdrApp(Fleet("none"), tmp_path)
    async with app.run_test(size=NARROW) as pilot:
        text = await until_seen(pilot, "names no database")
        assert "r recover" not in text and "? keys" in text


async def test_keys_that_do_not_work_are_not_offered(living: Living) -> None:
    app = PgdrApp(living.narrowed("shop"), living.state, read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        text = await until_seen(pilot, "b backups", "READ-ONLY")
        assert "r recover" not in text
        await pilot.press("r")
        assert isinstance(app.screen, FleetScreen)
        await pilot.press("question_mark")
        text = await until_seen(pilot, "Keys on this screen", "Asks every server")
        assert "Begins the guided recovery" not in text
        await pilot.press("escape")
        await pilot.press("enter")
        assert isinstance(app.screen, DatabaseScreen) and "r recover" not in screen_text(app)
