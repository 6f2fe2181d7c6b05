"""Troubles in the app, on a real server: from an error to what helps, and what pgdr does about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from tests.recovery.world import World
from tests.screens.eyes import NARROW, WIDE, until, until_seen
from tui.app import PgdrApp
from tui.model.errors import PgdrError
from tui.postgres.connection import connect
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.fleet import FleetScreen
from tui.screens.sessions import SessionsScreen
from tui.screens.troubles import TroublesScreen


@pytest.fixture
def visitors(world: World) -> Iterator[list[psycopg.Connection]]:
    """Two sessions of a service in the live database, one of them waiting for the other."""
    with ExitStack() as stack:
        made = [
            stack.enter_context(
                closing(
                    connect(world.live.endpoint, world.live.name, application=f"till-{n}", autocommit=False)
                )
            )
            for n in range(2)
        ]
        made[0].execute("LOCK TABLE public.users")
        yield made


def app_of(world: World, read_only: bool = False) -> PgdrApp:
    return PgdrApp(world.fleet, world.state, read_only, operator="ann@db1")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_all_that_is_known_can_be_searched_from_anywhere(world: World, size: tuple[int, int]) -> None:
    app = app_of(world)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "shop")
        await pilot.press("exclamation_mark")
        await until_seen(pilot, "connection refused", "permission denied", "why ")
        assert isinstance(app.screen, TroublesScreen)
        await pilot.press(*"restore hangs", "enter")
        text = await until_seen(pilot, "restore hangs: sessions in the way", "surely")
        assert "pg_terminate_backend" in text and "pgdr sessions DB" in text
        await pilot.press("slash", *"xyzzy", "enter")
        await until_seen(pilot, "Nothing is known of that")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, FleetScreen))


async def test_an_error_leads_to_what_helps(world: World) -> None:
    app = app_of(world)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "shop")
        error = PgdrError("The restore failed.", 'FATAL: role "kassa" does not exist')
        app.push_screen(ErrorScreen.of(app._bearings, error, copy=app.copy_text))
        await until_seen(pilot, "what helps")
        await pilot.press("exclamation_mark")
        await until_seen(pilot, "role does not exist", "surely", 'FATAL: role "kassa"', "globals.sql")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ErrorScreen))


async def test_sessions_in_the_way_are_shown_and_ended_once_the_name_is_typed(
    world: World, visitors: list[psycopg.Connection]
) -> None:
    app = app_of(world)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "shop")
        await pilot.press("exclamation_mark", *"restore hangs", "enter")
        await until_seen(pilot, "sessions in the way")
        await pilot.press("enter")
        await until_seen(pilot, "Let pgdr do it", "see who is in the way")
        await pilot.press("down", "enter")
        await until_seen(pilot, "till-0", "till-1", "idle in tr")
        await pilot.press("X")
        await until_seen(pilot, "End sessions", "2 sessions", "not committed")
        await pilot.press("enter")  # Cancel has the focus
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen))
        assert visitors[0].execute("SELECT 1").fetchone() == (1,)
        await pilot.press("X")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*world.live.name, "enter", "enter")
        await until_seen(pilot, "Nobody is in it.")
    for connection in visitors:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


async def test_a_missing_database_is_created_empty_or_recovered(world: World) -> None:
    world.drop_live()
    app = app_of(world)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "MISSING")
        await pilot.press("exclamation_mark")
        await until_seen(pilot, "database does not exist", "surely")
        await pilot.press("enter")
        await until_seen(pilot, "recover the database", "create the database, empty")
        await pilot.press("down", "down", "enter")
        await until_seen(pilot, "Create an EMPTY database", "without its data")
        await pilot.press(*world.live.name, "enter", "enter")
        await until(pilot, lambda: world.live.name in world.databases(), "it is created")


async def test_what_fills_the_disks_and_what_a_role_lacks_is_told(world: World) -> None:
    app = app_of(world)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "shop")
        await pilot.press("exclamation_mark", *"no space left on device", "enter", "enter")
        await until_seen(pilot, "see what there is on the disks")
        await pilot.press("down", "enter")
        await until_seen(pilot, "pg_wal", "state and staging", world.live.name)
        await pilot.press("escape", "slash", "ctrl+u", *"permission denied", "enter", "enter")
        await until_seen(pilot, "which rights the backup's role lacks")
        await pilot.press("down", "enter")
        await until_seen(pilot, "CREATE ROLE")


async def test_read_only_looks_and_changes_nothing(world: World) -> None:
    app = app_of(world, read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "shop")
        await pilot.press("exclamation_mark", *"restore hangs", "enter", "enter")
        text = await until_seen(pilot, "Let pgdr do it")
        assert "see who is in the way" not in text


def test_the_verbs_answer_from_the_same_knowledge(world: World, visitors: list[psycopg.Connection]) -> None:
    answer = world.answer("explain", "Restore", "HANGS")
    first = answer["troubles"][0]
    assert first["key"] == "sessions-in-the-way" and first["sure"] is True
    assert "pgdr sessions DB --end --confirm DB" in [can["command"] for can in first["pgdr"]]
    assert world.answer("explain", "the", "weather", code=1)["troubles"] == []
    told = world.pgdr("explain", "FATAL:  sorry, too many clients already")
    assert told.returncode == 0 and told.stdout.startswith("too many connections\n  why   ")

    listed = world.answer("sessions", "shop")
    assert [s["application"] for s in listed["sessions"]] == ["till-0", "till-1"] and listed["ended"] == 0
    assert world.pgdr("sessions", "shop", "--end").returncode == 4
    assert world.pgdr("--read-only", "sessions", "shop", "--end", "--confirm", "shop").returncode == 4
    assert visitors[1].execute("SELECT 1").fetchone() == (1,)
    assert world.answer("sessions", "shop", "--end", "--confirm", "shop")["ended"] == 2
    deadline = time.monotonic() + 30
    while world.answer("sessions", "shop")["sessions"]:
        assert time.monotonic() < deadline
    used = world.answer("disk", "shop")
    assert {"database", "write-ahead log", "state and staging"} <= {use["what"] for use in used}
    assert all(use["problem"] is None for use in used)
