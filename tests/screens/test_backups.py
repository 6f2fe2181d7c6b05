"""The backups of real stores, together and inside."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.screens.conftest import Living
from tests.screens.eyes import NARROW, NOW, WIDE, screen_lines, screen_text, until, until_seen
from tui.app import PgdrApp, utc_now
from tui.model.backup import Backup, Verdict, Verification
from tui.model.fleet import BackupPolicy, Database, Fleet, LocalStore
from tui.screens import backups_rows as rows
from tui.screens.backups import BackupsScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.late_rooms import rooms_of
from tui.screens.restore import RestoreScreen
from tui.stores.open import open_store


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_all_stores_together_and_one_s_trouble_beside_them(
    living: Living, size: tuple[int, int]
) -> None:
    app = PgdrApp(replace(living.fleet, databases=living.fleet.databases[2:3]), living.state)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "● shop")
        await pilot.press("b")
        text = await until_seen(
            pilot, "2 of 2", "✖ locked:", "local", "offsite", "5,000 rows", "custom · from 18"
        )
        assert f"/ {living.shop.name}" in text  # those of the database one came from, at first
        assert "complete" in text and " of " in text and "read " in text
        lines = screen_lines(app)
        beside = any("taken (UTC)" in line and f"{living.shop.name}-20" in line for line in lines)
        assert beside is (size == WIDE)


async def test_look_inside_copy_and_recover(living: Living) -> None:
    app = PgdrApp(living.narrowed("shop"), living.state, operator="ada@bastion")
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await until_seen(pilot, "● shop")
        await pilot.press("b")
        await until_seen(pilot, "5,000 rows")
        await pilot.press("enter")
        text = await until_seen(pilot, "backups › inside", "trades", "5,000", "sha256", "pg_dump 18")
        assert "5,020 rows in 2 tables" in text
        await pilot.press("y")
        await until_seen(pilot, "Copied to the clipboard")
        assert (living.state / "copied" / "backup.txt").read_text() == living.ref + "\n"
        assert app.clipboard == living.ref
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen), "it asks first")
        assert living.ref[:60] in screen_text(app)
        assert not list((living.state / "incidents").glob("*.toml"))
        await pilot.press("right", "enter")
        await until(pilot, lambda: "INCIDENT 1" in screen_text(app), "the recovery has begun")


async def test_verify_is_a_job_that_is_watched(living: Living) -> None:
    app = PgdrApp(living.narrowed("shop"), living.state, operator="ada@bastion")
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "● shop", "6h ok", "v verify")
        await pilot.press("v")
        await until_seen(pilot, "Verify a backup", "a scratch database", "[ Cancel ]")
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen), "the job is watched")
        await until_seen(pilot, "✔ clean")
        await pilot.press("q", "R")
        await until(pilot, lambda: "never" not in screen_lines(app)[3], "it is told in the fleet")
    assert living.shop.server.sql("SELECT count(*) FROM pg_database WHERE datname LIKE '%verify%'") == "0"


async def test_copying_into_another_store_is_a_job_that_is_watched(living: Living) -> None:
    key = living.ref.partition(":")[2]
    offsite = open_store(living.fleet.stores[1])
    there = {found.key for page in offsite.pages() for found in page}
    for found in there:
        offsite.delete(found)
    app = PgdrApp(living.narrowed("shop", stores=("local", "offsite")), living.state, operator="ada@bastion")
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "● shop")
        await pilot.press("b")
        await until_seen(pilot, "1 of 1", "5,000 rows")
        await pilot.press("c")
        await until_seen(pilot, "Copy a backup to…", "Cancel", "offsite", "off-site")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen), "the job is watched")
        await until_seen(pilot, "copy of ", f"to offsite:{key}"[:60], "✔ clean")
    assert {found.key for page in offsite.pages() for found in page} == there


async def test_a_damaged_backup_says_so(living: Living) -> None:
    key = living.ref.partition(":")[2]
    store = living.fleet.stores[0]
    assert isinstance(store, LocalStore)
    whole = (store.path / key).read_bytes()
    (store.path / key).write_bytes(whole[: len(whole) - 5000])
    app = PgdrApp(living.narrowed("shop"), living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "● shop")
        await pilot.press("b")
        await until_seen(pilot, "✖ ", "1 of 1")
        await until(
            pilot, lambda: "cut" in screen_text(app) or "size" in screen_text(app).lower(), "the cause"
        )


def stored(path: Path, database: str, age: timedelta, size: int) -> None:
    """An object whose name tells what it is; its content doesn't matter here."""
    taken = NOW - age
    file = path / f"{database}-{taken:%Y%m%d-%H%M%S}.dump"
    file.write_bytes(b"PGDMP" + b"\0" * (size - 5))
    os.utime(file, (taken.timestamp(), taken.timestamp()))


async def test_a_much_smaller_one_is_marked(tmp_path: Path) -> None:
    for hours, size in ((1, 900), (2, 1000), (3, 400), (4, 1000)):
        stored(tmp_path, "shop", timedelta(hours=hours), size)
    stored(tmp_path, "kong", timedelta(hours=1), 400)
    fleet = Fleet("f", databases=(), stores=(LocalStore("local", tmp_path),))
    app = PgdrApp(fleet, tmp_path / "state", now=lambda: NOW)
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(BackupsScreen(app._house))
        await until_seen(pilot, "5 of 5")
        marked = [line for line in screen_lines(app) if "much smaller" in line]
        assert len(marked) == 1 and marked[0][2] == "!" and "3h 00m" in marked[0]


async def test_thousands_arrive_in_pages_and_stay_in_order(tmp_path: Path) -> None:
    fleet = Fleet("f", stores=(LocalStore("one", tmp_path), LocalStore("two", tmp_path)))

    def backups(store: str, on_page: object, on_problem: object) -> None:
        assert callable(on_page)
        for page in range(20):
            moments = [NOW - timedelta(minutes=page * 500 + n) for n in range(500)]
            on_page(tuple(Backup(store, f"{store}-{m:%j%H%M}", 5, m, "shop", m) for m in moments))

    rooms = replace(rooms_of(fleet, tmp_path, utc_now), backups=backups)
    app = PgdrApp(fleet, tmp_path, rooms=rooms, now=lambda: NOW)
    async with app.run_test(size=NARROW) as pilot:
        screen = BackupsScreen(app._house)
        app.push_screen(screen)
        await until_seen(pilot, "20,000 of 20,000")
        taken = [backup.sort_time for backup in screen._table.rows]
        assert taken == sorted(taken, reverse=True)
        await pilot.press("slash", *"two-324")
        await until_seen(pilot, "of 20,000")
        assert 0 < len(screen._table.seen) < 2000
        await pilot.press("escape", "end")
        assert screen._table.cursor_row is screen._table.rows[-1]


async def test_an_empty_store_is_not_a_store_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    fleet = Fleet("f", stores=(LocalStore("empty", tmp_path / "empty"),))
    app = PgdrApp(fleet, tmp_path / "state")
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(BackupsScreen(app._house))
        await until_seen(pilot, "0 of 0", "No backup.")
        assert "✖" not in screen_text(app)
    gone = Fleet("f", stores=(LocalStore("gone", tmp_path / "gone"),))
    app = PgdrApp(gone, tmp_path / "state")
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(BackupsScreen(app._house))
        await until_seen(pilot, "✖ gone:")


async def test_of_no_database_of_the_fleet(tmp_path: Path) -> None:
    stored(tmp_path, "stranger", timedelta(hours=1), 500)
    store = LocalStore("local", tmp_path)
    known = Database("shop", "shop", "web", backup=BackupPolicy(stores=("local",)))
    app = PgdrApp(Fleet("f", databases=(known,), stores=(store,)), tmp_path / "state", now=lambda: NOW)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        app.push_screen(BackupsScreen(app._house))
        await until_seen(pilot, "stranger")
        await pilot.press("r")
        await until_seen(pilot, "no one database of")


def backup(**changed: object) -> Backup:
    made = Backup("local", "k", 10, NOW, "shop", NOW - timedelta(hours=26))
    return replace(made, **changed)  # type: ignore[arg-type]


def test_a_verification_is_a_word_and_a_mark() -> None:
    failed = backup(verification=Verification(NOW - timedelta(days=3), Verdict.FAILED))
    cells = rows.cells(failed, NOW, False)
    assert cells[0] == ("✖", "bad") and cells[6] == ("3d  FAILED", "bad")
    assert rows.cells(backup(), NOW, False)[6] == ("–", "dim")


def test_an_old_one_shows_its_year() -> None:
    assert rows.taken(backup(), NOW) == "11-20 01:12"
    assert rows.taken(backup(created_at=datetime(2025, 1, 2, tzinfo=timezone.utc)), NOW) == "2025-01-02"


def test_manifests_are_not_listed_as_backups(living: Living) -> None:
    """What the screen counts are backups: the manifest beside one is none."""
    found: list[Backup] = []
    rooms_of(living.fleet, living.state, utc_now).backups("local", found.extend, lambda problem: None)
    assert [b.ref for b in found] == [living.ref] and found[0].has_manifest
    keys = [o.key for page in open_store(living.fleet.stores[0]).pages() for o in page]
    assert (
        len(keys) > 1 and json.loads(open_store(living.fleet.stores[0]).read(keys[-1], 0, 10**6)) is not None
    )


async def test_what_is_inside_fits_after_a_resize_under_another_screen(living: Living) -> None:
    app = PgdrApp(living.narrowed("shop"), living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "complete")
        await pilot.press("b")
        await until_seen(pilot, "5,000 rows")
        await pilot.press("enter")
        await until_seen(pilot, "backups › inside", "5,000")
        await pilot.resize_terminal(*WIDE)
        await pilot.press("escape")
        await until(pilot, lambda: any("5,000 rows" in line and "██" in line for line in screen_lines(app)))
