"""Listings: which objects are backups, of what, taken when, and what happens to a store that fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.catalogue.conftest import Archives, manifest_for
from tests.servers import Bucket
from tui.model.backup import Backup, StoredObject, StoreProblem, Verdict, Verification
from tui.model.fleet import Database, Fleet, LocalStore
from tui.model.secret import Secret
from tui.operations.catalogue.catalogue import (
    MANIFEST,
    backups,
    key_for,
    listing,
    newest,
    record_verification,
    write_manifest,
)
from tui.stores.local import DirectoryStore
from tui.stores.open import open_store

MOMENT = datetime(2026, 11, 21, 1, 2, 10, tzinfo=timezone.utc)


class Counting(DirectoryStore):
    """A directory that notes which objects were read."""

    def __init__(self, spec: LocalStore) -> None:
        super().__init__(spec)
        self.reads: list[str] = []

    def read(self, key: str, start: int, length: int) -> bytes:
        """Reads, and notes it."""
        self.reads.append(key)
        return super().read(key, start, length)


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    (tmp_path / "counted").mkdir()
    return Counting(LocalStore("local", tmp_path / "counted"))


def listed(pages: Iterator[tuple[Backup, ...]]) -> dict[str, Backup]:
    """The backups by key; each must come once."""
    found = [backup for page in pages for backup in page]
    assert len({b.key for b in found}) == len(found)
    return {b.key: b for b in found}


def test_an_empty_store_lists_nothing(store: DirectoryStore) -> None:
    assert list(listing(store)) == []


def test_names_tell_and_nothing_is_read(counting: Counting) -> None:
    for key in (
        "crypto_exchange-20261121-010210.dump",
        "cryptopi_2025-11-20.dump",
        "k8s-kong-20261120.dump",
        "notes.txt",
        "crypto_exchange-20261121-010210.dump.sha256",
    ):
        counting.put(key, b"some bytes")
    found = listed(listing(counting))
    assert {key: b.database for key, b in found.items()} == {
        "crypto_exchange-20261121-010210.dump": "crypto_exchange",
        "cryptopi_2025-11-20.dump": "cryptopi",
        "k8s-kong-20261120.dump": "kong",
    }
    assert found["crypto_exchange-20261121-010210.dump"].created_at == MOMENT
    assert found["crypto_exchange-20261121-010210.dump"].ref == "local:crypto_exchange-20261121-010210.dump"
    assert counting.reads == []
    assert [*listed(listing(counting, "kong"))] == ["k8s-kong-20261120.dump"]


def test_a_date_alone_takes_the_time_of_a_file_of_that_day(store: DirectoryStore, tmp_path: Path) -> None:
    for key, modified in (
        ("a_2026-11-20.dump", "2026-11-20T19:02:11"),
        ("b_2026-11-20.dump", "2026-11-23T00:00:00"),
    ):
        store.put(key, b"x")
        at = datetime.fromisoformat(modified + "+00:00").timestamp()
        os.utime(tmp_path / "store" / key, (at, at))
    found = listed(listing(store))
    assert found["a_2026-11-20.dump"].created_at == datetime(2026, 11, 20, 19, 2, 11, tzinfo=timezone.utc)
    assert found["b_2026-11-20.dump"].created_at == datetime(2026, 11, 20, tzinfo=timezone.utc)


def test_manifests_and_verifications_are_seen_and_are_no_backups(store: DirectoryStore) -> None:
    key = key_for("kong", MOMENT)
    store.put(key, b"archive")
    store.put(key + ".globals.sql", b"CREATE ROLE x;")
    write_manifest(store, manifest_for(key, 7, "kong"))
    for hours, verdict in ((5, Verdict.CLEAN), (9, Verdict.FAILED), (2, Verdict.EXPLAINED)):
        record_verification(store, key, Verification(MOMENT + timedelta(hours=hours), verdict), ())
    store.put("orphan-20261121-010210.dump" + MANIFEST, b"{}")
    [backup] = listed(listing(store)).values()
    assert backup.key == key
    assert backup.has_manifest
    assert backup.verification == Verification(MOMENT + timedelta(hours=9), Verdict.FAILED)


def test_archives_are_known_by_their_header_whatever_they_are_called(
    counting: Counting, archives: Archives
) -> None:
    counting.put("latest", archives.custom)
    counting.put("old/by hand.sql", archives.piped)
    counting.put("tape.tar", archives.tar)
    counting.put("damaged.bin", archives.custom[:2000])
    counting.put("plain.sql", b"-- SQL\n" * 100)
    counting.put("empty.dump", b"")
    counting.put("photo.jpg", os.urandom(5000))
    found = listed(listing(counting))
    assert set(found) == {"latest", "old/by hand.sql", "tape.tar", "damaged.bin"}
    assert found["latest"].database
    assert found["latest"].database.startswith("t_")
    assert found["latest"].created_at is not None
    assert (found["damaged.bin"].database, found["damaged.bin"].created_at) == (None, None)


def test_a_name_that_the_fleet_does_not_know_is_asked_of_one_header(
    counting: Counting, archives: Archives
) -> None:
    for day in range(10, 20):
        counting.put(f"critical-tables-202611{day}.dump", archives.custom)
        counting.put(f"kong-202611{day}-010210.dump", b"not looked into")
    found = listed(listing(counting, known=["kong"]))
    assert len(found) == 20
    assert {b.database for b in found.values()} == {"kong", found["critical-tables-20261110.dump"].database}
    assert str(found["critical-tables-20261115.dump"].database).startswith("t_")
    assert set(counting.reads) == {"critical-tables-20261110.dump"}


def test_what_is_beside_a_backup_may_come_on_the_next_page(counting: Counting) -> None:
    """Pages of every length, in the store's order: each backup comes once, with all that is beside it."""
    for hour in range(3):
        key = key_for("kong", MOMENT + timedelta(hours=hour))
        counting.put(key, b"archive")
        counting.put(key + "x", b"archive")
        write_manifest(counting, manifest_for(key, 7, "kong"))
        record_verification(counting, key, Verification(MOMENT, Verdict.CLEAN), ())
    objects = [found for page in counting.pages() for found in page]
    for length in range(1, len(objects) + 1):
        paged = Paged(counting, [tuple(objects[n : n + length]) for n in range(0, len(objects), length)])
        found = listed(listing(paged))
        assert len(found) == 3
        assert all(b.has_manifest and b.verification for b in found.values())


def test_in_a_store_without_order_the_later_one_counts(counting: Counting) -> None:
    key = key_for("kong", MOMENT)
    counting.put(key, b"archive")
    counting.put("z", b"")
    write_manifest(counting, manifest_for(key, 7, "kong"))
    objects = {found.key: found for page in counting.pages() for found in page}
    pages: list[tuple[StoredObject, ...]] = [
        (objects["z"],),
        (objects[key],),
        (objects["z"],),
        (objects[key + MANIFEST],),
    ]
    found = [b for page in listing(Paged(counting, pages)) for b in page]
    assert found[-1].has_manifest
    assert {b.key for b in found} == {key}


class Paged(Counting):
    """A store that gives the pages it was told to."""

    def __init__(self, store: Counting, pages: list[tuple[StoredObject, ...]]) -> None:
        super().__init__(LocalStore("local", store._root))
        self._pages = pages

    def pages(self, prefix: str = "") -> Iterator[tuple[StoredObject, ...]]:
        """The pages."""
        yield from self._pages


def test_hostile_names_do_no_harm(store: DirectoryStore, tmp_path: Path) -> None:
    root = tmp_path / "store"
    for name in (
        "esc\x1b[2J-20261121-010210.dump",
        "line\nbreak-20261121.dump",
        "\u202egnp-20261121.dump",
        "%00%2F..-20261121.dump",
        "x.verified.20261121T010210Z.clean.json",
        ".manifest.json",
        "-",
    ):
        (root / name).write_bytes(b"PGDMP")
    (root / os.fsdecode(b"caf\xe9-20261121.dump")).write_bytes(b"PGDMP")
    found = listed(listing(store, known=["kong"]))
    assert len(found) == 5


def test_all_stores_are_listed_and_one_that_fails_is_a_problem_of_its_own(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.stores.s3_client.TRIES", 1)
    (tmp_path / "local").mkdir()
    (tmp_path / "wrong").write_text("not-the-secret\n")
    stores = (
        LocalStore("local", tmp_path / "local"),
        bucket.store,
        LocalStore("unmounted", tmp_path / "nowhere"),
        replace(bucket.store, name="rejected", secret_key=Secret(file=tmp_path / "wrong")),
        replace(bucket.store, name="unset", secret_key=Secret(env="PGDR_TEST_NOT_SET")),
    )
    fleet = Fleet(
        "F", databases=(Database("shop", "shop_prod", "s"), Database("kong", "kong", "s")), stores=stores
    )
    for spec, key in (
        (stores[0], "kong-20261121-010210.dump"),
        (stores[1], "shop_prod-20261121-010210.dump"),
    ):
        open_store(spec).put(key, b"archive")

    found: list[Backup] = []
    problems: list[StoreProblem] = []
    backups(fleet, None, found.extend, problems.append)
    assert {b.ref for b in found} == {
        "local:kong-20261121-010210.dump",
        "offsite:shop_prod-20261121-010210.dump",
    }
    said = {p.store: p for p in problems}
    assert set(said) == {"unmounted", "rejected", "unset"}
    assert "not there" in said["unmounted"].what
    assert "rejected the credentials" in said["rejected"].what
    assert "PGDR_TEST_NOT_SET" in said["unset"].what
    assert all(p.mend for p in problems)

    for name in ("shop", "shop_prod"):  # in the fleet, on the server
        found.clear()
        backups(fleet, name, found.extend, problems.append)
        assert [b.key for b in found] == ["shop_prod-20261121-010210.dump"]


def test_an_error_of_the_listener_ends_the_listing(tmp_path: Path) -> None:
    store = LocalStore("local", tmp_path)
    open_store(store).put("kong-20261121-010210.dump", b"archive")

    def fails(_: tuple[Backup, ...]) -> None:
        raise RuntimeError("the screen is gone")

    with pytest.raises(RuntimeError, match="screen is gone"):
        backups(Fleet("F", stores=(store,)), None, fails, lambda _: None)


def test_no_stores() -> None:
    backups(Fleet("F"), None, lambda _: None, lambda _: None)


def test_the_newest() -> None:
    old = Backup("s", "a", 1, MOMENT, created_at=MOMENT - timedelta(days=1))
    unknown = Backup("s", "b", 1, MOMENT)
    assert newest([old, unknown]) is unknown
    assert newest([]) is None


def test_twenty_thousand_objects_are_cheap(tmp_path: Path) -> None:
    for number in range(20_000):
        moment = MOMENT + timedelta(minutes=number)
        (tmp_path / key_for("kong", moment)).touch()
    store = Counting(LocalStore("local", tmp_path))
    pages = listing(store, known=["kong"])
    assert len(next(pages)) >= 900  # the first page doesn't wait for the others
    assert sum(len(page) for page in pages) >= 19_000
    assert store.reads == []
