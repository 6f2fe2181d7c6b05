"""Retention in the app, on real stores: what is listed, what is deleted, and what must be typed before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.recovery_screens.seen import text_of, until
from tests.retention.conftest import Aged
from tui.app import PgdrApp
from tui.config.write import text_of as written
from tui.files import write_whole
from tui.jobs.lock import held, target_lock_path
from tui.model.backup import Verdict
from tui.model.errors import Refused
from tui.model.fleet import LocalStore
from tui.operations.retention.prune import PrunePlan
from tui.operations.retention.retention import Decision
from tui.screens import go
from tui.screens.backups import BackupsScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.retention import RetentionScreen
from tui.stores.local import DirectoryStore

SIZES = [(80, 24), (200, 50)]


async def at_retention(pilot: Pilot[int]) -> None:
    """From the fleet by way of the backups."""
    await until(pilot, lambda: "tables:" in text_of(pilot))
    await pilot.press("b")
    await until(pilot, lambda: isinstance(pilot.app.screen, BackupsScreen))
    await pilot.press("P")
    await until(pilot, lambda: isinstance(pilot.app.screen, RetentionScreen) and " stay" in text_of(pilot))


async def prune(pilot: Pilot[int]) -> None:
    """Asks for all that goes, and confirms it with the fleet's name."""
    await pilot.press("D")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    await pilot.press(*"Shop", "enter", "enter")


def app_of(aged: Aged, read_only: bool = False) -> PgdrApp:
    return PgdrApp(aged.world.fleet, aged.world.state, read_only, operator="ann@db1")


@pytest.mark.parametrize("size", SIZES)
async def test_what_goes_is_deleted_once_the_fleets_name_is_typed(aged: Aged, size: tuple[int, int]) -> None:
    old = [aged.add(days, verdict=Verdict.CLEAN if days == 9 else None) for days in (8, 9, 10, 11, 12)]
    dry = aged.world.answer("prune", "--dry-run")
    going = [row["ref"] for row in dry["removed"]]
    assert going == old[2:]
    before = aged.there()
    app = app_of(aged)
    async with app.run_test(size=size) as pilot:
        await at_retention(pilot)
        assert "3 go · 0 to look at · 3 stay" in text_of(pilot)
        assert text_of(pilot).count("goes") >= 3 and "older than 7d" in text_of(pilot)
        await pilot.press("D")
        await until(pilot, lambda: "delete 3 backups" in text_of(pilot) and going[0] in text_of(pilot))
        await pilot.press("enter", "enter")  # Cancel has the focus
        await until(pilot, lambda: isinstance(app.screen, RetentionScreen))
        assert aged.there() == before
        await prune(pilot)
        await until(pilot, lambda: "0 go · 0 to look at · 3 stay" in text_of(pilot))
        assert "delete what goes" not in text_of(pilot).splitlines()[-1]
        await pilot.press("q")
        await until(pilot, lambda: not isinstance(app.screen, RetentionScreen))
    gone = {ref.partition(":")[2] for ref in going}
    assert not [key for key in aged.there() for part in gone if key.startswith(part)]
    assert aged.world.answer("prune", "--dry-run")["removed"] == []


async def test_one_is_deleted_by_name_but_never_the_last_good_one(aged: Aged) -> None:
    young = aged.add(1)
    app = app_of(aged)
    async with app.run_test(size=(120, 40)) as pilot:
        await at_retention(pilot)
        await until(pilot, lambda: young in text_of(pilot))
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, RetentionScreen)  # the newest good one: the key is not offered
        await pilot.press("down")
        await until(pilot, lambda: "delete this" in text_of(pilot).splitlines()[-1])
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*young, "enter", "enter")
        await until(pilot, lambda: "0 go · 0 to look at · 1 stay" in text_of(pilot))
    assert young.partition(":")[2] not in aged.there() and aged.ref.partition(":")[2] in aged.there()


async def test_read_only_only_looks(aged: Aged) -> None:
    for days in (8, 9, 10, 11):
        aged.add(days)
    app = app_of(aged, read_only=True)
    before = aged.there()
    async with app.run_test(size=(120, 40)) as pilot:
        await at_retention(pilot)
        assert "2 go" in text_of(pilot) and "delete" not in text_of(pilot).splitlines()[-1]
        await pilot.press("D", "x")
        await until(pilot, lambda: len(app._notifications) == 1)
        assert isinstance(app.screen, RetentionScreen)
        assert "Read-only" in next(iter(app._notifications)).message
    assert aged.there() == before


async def test_another_prune_at_work_is_told_and_nothing_is_deleted(aged: Aged) -> None:
    for days in (8, 9, 10, 11):
        aged.add(days)
    before, world = aged.there(), aged.world
    lock = target_lock_path(world.state, "prune of local", world.fleet.name)
    app = app_of(aged)
    async with app.run_test(size=(120, 40)) as pilot:
        await at_retention(pilot)
        with held(lock, {"operator": "bob@db2", "job": "a prune of local", "since": "03:10"}):
            await prune(pilot)
            await until(pilot, lambda: "bob@db2" in text_of(pilot))
            assert isinstance(app.screen, ErrorScreen)
    assert aged.there() == before


async def test_a_store_that_can_t_be_read_is_told_beside_the_others(aged: Aged, tmp_path: Path) -> None:
    world = aged.world
    lost = LocalStore("lost", tmp_path / "nowhere")
    write_whole(world.config, written(replace(world.fleet, stores=(*world.fleet.stores, lost))))
    app = app_of(aged)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_retention(pilot)
        await until(pilot, lambda: "✖ lost:" in text_of(pilot) and "1 stay" in text_of(pilot))


async def test_one_that_is_locked_is_told_with_what_was_removed(aged: Aged) -> None:
    """Half-way: the store has the second archive locked, as one with Object Lock says it."""
    refs = [aged.add(days) for days in (8, 9, 10, 11, 12)]
    going = [row["ref"] for row in aged.world.answer("prune", "--dry-run")["removed"]]
    assert len(going) == 3 and set(going) < set(refs)
    app = app_of(aged)
    real = app._house.rooms.prune

    def pruning(plan: PrunePlan, told_of: Callable[[Decision], None]) -> object:
        held_back = _fails_for(going[1].partition(":")[2], DirectoryStore.delete)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tui.stores.local.DirectoryStore.delete", held_back)
            return real(plan, told_of)

    app._house = replace(app._house, rooms=replace(app._house.rooms, prune=pruning))
    async with app.run_test(size=(120, 40)) as pilot:
        await at_retention(pilot)
        await prune(pilot)
        await until(pilot, lambda: "1 backup could not be removed" in text_of(pilot))
        text = text_of(pilot)
        assert "2 backups removed" in text and "Nothing was changed" not in text and going[1] in text
        await pilot.press("escape")
        await until(pilot, lambda: "1 go · " in text_of(pilot))


def _fails_for(
    key: str, delete: Callable[[DirectoryStore, str], None]
) -> Callable[[DirectoryStore, str], None]:
    def deletes(store: DirectoryStore, name: str) -> None:
        if name == key:
            raise Refused("The store has it locked until 2027.")
        delete(store, name)

    return deletes


async def test_leaving_ends_it_between_two_backups(aged: Aged) -> None:
    for days in (8, 9, 10, 11, 12):
        aged.add(days)
    app = app_of(aged)
    real, one_is_gone, go_on = app._house.rooms.prune, threading.Event(), threading.Event()

    def pruning(plan: PrunePlan, told_of: Callable[[Decision], None]) -> object:
        def told(decision: Decision) -> None:
            one_is_gone.set()
            assert go_on.wait(30)
            told_of(decision)

        return real(plan, told)

    app._house = replace(app._house, rooms=replace(app._house.rooms, prune=pruning))
    async with app.run_test(size=(120, 40)) as pilot:
        await at_retention(pilot)
        await prune(pilot)
        await until(pilot, one_is_gone.is_set)
        await pilot.press("q")
        screen = app.screen
        assert isinstance(screen, RetentionScreen)
        await until(pilot, lambda: screen._stopping)
        assert app.screen is screen and app._must_finish() == "removing 3 backups"
        go_on.set()
        await until(pilot, lambda: "2 go · 0 to look at · 3 stay" in text_of(pilot))
        assert app._must_finish() is None
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, BackupsScreen))
    assert len(aged.world.answer("prune", "--dry-run")["removed"]) == 2


async def test_a_fault_of_its_own_doesn_t_wait_for_ever(aged: Aged) -> None:
    app = app_of(aged)

    def fails() -> PrunePlan:
        raise PermissionError("secret")

    app._house = replace(app._house, rooms=replace(app._house.rooms, retention=fails))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "tables:" in text_of(pilot))
        app.post_message(go.Retention())
        await until(pilot, lambda: "PermissionError" in text_of(pilot))
        assert "secret" not in text_of(pilot) and "pgdr prune" in text_of(pilot)
