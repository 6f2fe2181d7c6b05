"""Which backup counts as the newest: by the manifests of the newest ones alone, each read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.catalogue.conftest import manifest_for
from tests.catalogue.test_listing import Counting
from tui.model.backup import Backup, StoreProblem
from tui.model.fleet import BackupPolicy, Database, Fleet, LocalStore
from tui.operations.catalogue import good
from tui.operations.catalogue.catalogue import key_for, listing, write_manifest

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
SHOP = Database("shop", "shop", "db", rpo=6 * HOUR, backup=BackupPolicy(stores=("local",)))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    (tmp_path / "store").mkdir()
    made = Counting(LocalStore("local", tmp_path / "store"))
    monkeypatch.setattr(good, "open_store", lambda spec: made)  # the same directory, counted
    yield made


def put(store: Counting, hours: int, selection: str | None) -> str:
    at = NOW - hours * HOUR
    key = key_for("shop", at)
    store.put(key, b"PGDMP" + bytes(95))
    if selection is not None:
        write_manifest(store, manifest_for(key, 100, "shop", created_at=at, selection=selection))
    return f"local:{key}"


def newest(store: Counting, tmp_path: Path, problems: list[StoreProblem] | None = None) -> Backup:
    fleet = Fleet("f", databases=(SHOP,), stores=(LocalStore("local", tmp_path / "store"),))
    found = [backup for page in listing(store) for backup in page]
    believed = good.by_manifest(fleet, tmp_path, (problems if problems is not None else []).append)
    made = good.newest_of_each(fleet.databases, found, believed, NOW)["shop"]
    assert made is not None
    return made


def test_of_partial_ones_none_counts_and_only_the_newest_manifests_are_read(
    store: Counting, tmp_path: Path
) -> None:
    whole = [put(store, hours, "full") for hours in (30, 20, 10)]
    parts = [put(store, hours, kind) for hours, kind in ((3, "schema"), (2, "data"), (1, "tables"))]
    store.reads.clear()
    found = newest(store, tmp_path)
    assert found.ref == whole[-1] and not good.within(found, SHOP.rpo, NOW)
    assert len(store.reads) == 4 and not any(
        whole[0].endswith(r.removesuffix(".manifest.json")) for r in store.reads
    )
    store.reads.clear()
    assert newest(store, tmp_path).ref == whole[-1] and store.reads == []
    # One that is written anew is read anew.
    key = parts[-1].partition(":")[2]
    store.delete(f"{key}.manifest.json")
    write_manifest(store, manifest_for(key, 100, "shop", created_at=NOW - HOUR))
    store.reads.clear()
    found = newest(store, tmp_path)
    assert found.ref == parts[-1] and good.within(found, SHOP.rpo, NOW)
    assert store.reads == [f"{key}.manifest.json"]


def test_one_that_nothing_proves_is_shown_and_never_within(store: Counting, tmp_path: Path) -> None:
    foreign = put(store, 1, None)
    found = newest(store, tmp_path)
    assert found.ref == foreign and not good.within(found, SHOP.rpo, NOW)
    old = put(store, 9, "full")
    found = newest(store, tmp_path)
    assert found.ref == old
    assert good.within(found, 9 * HOUR, NOW) and not good.within(
        replace(found, has_manifest=False), 9 * HOUR, NOW
    )
