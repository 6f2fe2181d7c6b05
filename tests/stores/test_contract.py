"""What every store does: the same tests on a directory and on a real server of each kind."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.stores.conftest import PART, Kept
from tui.model.errors import PgdrError
from tui.stores.store import FetchStopped, KeyRefused, ObjectMissing, Store

HOSTILE = ["../up", "a/../../up", "/etc/passwd", "a//b", ".", "..", "a/.", "", "nul\0here", "a/"]


def keys(store: Store, prefix: str = "") -> list[str]:
    return [found.key for page in store.pages(prefix) for found in page]


def go_on(_: int) -> None:
    """Nobody watches this download."""


def test_an_empty_store_has_no_pages(kept: Kept) -> None:
    assert list(kept.store.pages()) == []


def test_what_is_put_can_be_read_listed_and_deleted(kept: Kept) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=5)
    put = kept.store.put("some/where/kong-20261121-010210.dump", b"PGDMP and more")
    assert (put.key, put.size_bytes) == ("some/where/kong-20261121-010210.dump", 14)
    assert before < put.modified_at < datetime.now(timezone.utc) + timedelta(seconds=5)
    [[listed]] = kept.store.pages()
    assert (listed.key, listed.size_bytes) == (put.key, 14)
    assert kept.store.stat(put.key).size_bytes == 14
    assert kept.store.read(put.key, 0, 5) == b"PGDMP"
    kept.store.delete(put.key)
    assert list(kept.store.pages()) == []
    kept.store.delete(put.key)  # once more is no error


def test_a_stream_is_the_range_in_pieces(kept: Kept) -> None:
    data = os.urandom(6 << 20)
    kept.store.put("big", data)
    found = kept.store.stat("big")
    pieces = list(kept.store.stream("big", 10, 5 << 20, found.etag))
    assert b"".join(pieces) == data[10 : (5 << 20) + 10]
    assert len(pieces) > 1
    assert max(map(len, pieces)) <= 4 << 20
    assert b"".join(kept.store.stream("big", 6 << 20, 5)) == b""
    with pytest.raises(ObjectMissing):
        next(kept.store.stream("nothing", 0, 5))


def test_a_stream_is_of_the_object_it_was_asked_for(kept: Kept) -> None:
    kept.store.put("now", b"one")
    etag = kept.store.stat("now").etag
    assert etag
    assert b"".join(kept.store.stream("now", 0, 9, etag)) == b"one"
    kept.store.put("now", b"other")
    if kept.kind == "gcs":
        pytest.skip("the emulator ignores conditions; test_clouds.py has a server that doesn't")
    with pytest.raises(PgdrError, match="replaced while it was read"):
        list(kept.store.stream("now", 0, 9, etag))


def test_its_protection_can_be_asked(kept: Kept) -> None:
    found = kept.store.protection()
    assert found.locked is None or not found.locked.has


def test_ranges_end_where_the_object_ends(kept: Kept) -> None:
    kept.store.put("ten", b"0123456789")
    assert kept.store.read("ten", 3, 4) == b"3456"
    assert kept.store.read("ten", 8, 100) == b"89"
    assert kept.store.read("ten", 10, 5) == b""
    assert kept.store.read("ten", 1000, 5) == b""
    assert kept.store.read("ten", 0, 0) == b""


def test_an_empty_object(kept: Kept, tmp_path: Path) -> None:
    assert kept.store.put("empty", b"").size_bytes == 0
    assert kept.store.read("empty", 0, 100) == b""
    kept.store.fetch("empty", tmp_path / "here", go_on, lambda: False)
    assert (tmp_path / "here").read_bytes() == b""


def test_what_is_missing_is_said_to_be_missing(kept: Kept, tmp_path: Path) -> None:
    for ask in (
        lambda: kept.store.stat("nothing.dump"),
        lambda: kept.store.read("nothing.dump", 0, 5),
        lambda: kept.store.fetch("nothing.dump", tmp_path / "x", go_on, lambda: False),
    ):
        with pytest.raises(ObjectMissing, match=r"nothing\.dump"):
            ask()
    assert not list(tmp_path.glob("*x*"))


def test_more_than_a_page_of_keys_comes_in_pages_and_in_order(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("local", "s3", "azure", "gcs"):
        monkeypatch.setattr(f"tui.stores.{room}.PAGE", 50)
    made = {f"{'deep/er/' * (n % 3)}db-{n:04}.dump" for n in range(153)} | {"db.dump", "db-", "dé.dump"}
    kept.seed(dict.fromkeys(made, b""))
    pages = list(kept.store.pages())
    assert len(pages) >= 4
    assert all(0 < len(page) <= 50 for page in pages)
    listed = [found.key for page in pages for found in page]
    assert len(listed) == len(made)
    assert set(listed) == made
    assert listed == sorted(made, key=str.encode)
    assert set(keys(kept.store, "deep/er/db-00")) == {k for k in made if k.startswith("deep/er/db-00")}
    assert keys(kept.store, "nothing/like/it") == []


def test_a_stream_larger_than_one_part_arrives_whole(kept: Kept, tmp_path: Path) -> None:
    block = os.urandom(1 << 20)
    count = 3 * PART // len(block) + 3
    written = kept.store.write("big.dump", (block for _ in range(count)))
    assert written.size_bytes == count << 20
    assert keys(kept.store) == ["big.dump"]

    told: list[int] = []
    here = tmp_path / "new" / "big.dump"
    kept.store.fetch("big.dump", here, told.append, lambda: False)
    assert hashlib.sha256(here.read_bytes()).digest() == hashlib.sha256(block * count).digest()
    assert here.stat().st_mode & 0o777 == 0o600
    assert told[-1] == count << 20
    assert told == sorted(told)
    assert [p.name for p in here.parent.iterdir()] == ["big.dump"]
    assert kept.store.read("big.dump", 5 << 20, 3) == block[:3]


@pytest.mark.parametrize("size", [10, PART + (2 << 20)])
def test_a_broken_stream_leaves_nothing(kept: Kept, size: int) -> None:
    def stream() -> Iterator[bytes]:
        for _ in range(size >> 20 or 1):
            yield bytes(min(size, 1 << 20))
        raise BrokenPipeError("pg_dump is gone")

    with pytest.raises(BrokenPipeError, match="pg_dump is gone"):
        kept.store.write("half.dump", stream())
    assert list(kept.store.pages()) == []
    assert kept.files() == set()


def test_a_broken_stream_leaves_the_object_that_was_there(kept: Kept) -> None:
    kept.store.put("kept.json", b"old")

    def stream() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.store.write("kept.json", stream())
    assert kept.store.read("kept.json", 0, 10) == b"old"
    kept.store.put("kept.json", b"newer")
    assert kept.store.read("kept.json", 0, 10) == b"newer"
    assert kept.files() == {"kept.json"}


def test_an_object_is_not_seen_before_it_is_whole(kept: Kept) -> None:
    seen: list[list[str]] = []

    def stream() -> Iterator[bytes]:
        yield bytes(PART + 1)
        seen.append(keys(kept.store))
        yield b"end"

    kept.store.write("slow.dump", stream())
    assert seen == [[]]
    assert keys(kept.store) == ["slow.dump"]


def test_a_stopped_download_leaves_nothing(kept: Kept, tmp_path: Path) -> None:
    kept.store.write("big.dump", [bytes(1 << 20)] * 20)
    here = tmp_path / "here"
    here.mkdir()
    with pytest.raises(FetchStopped):
        kept.store.fetch("big.dump", here / "big.dump", go_on, lambda: True)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("key", HOSTILE)
def test_no_key_leads_out_of_the_store(kept: Kept, key: str, tmp_path: Path) -> None:
    (tmp_path / "up").write_text("outside")
    with pytest.raises(KeyRefused):
        kept.store.put(key, b"x")
    assert (tmp_path / "up").read_text() == "outside"
    assert kept.files() == set()


@pytest.mark.parametrize("key", ["esc\x1b[2J", "line\nbreak", "turned\u202eround", "lone\udc80"])
def test_a_key_nobody_could_type_is_not_made(kept: Kept, key: str) -> None:
    with pytest.raises(KeyRefused) as caught:
        kept.store.put(key, b"x")
    assert str(caught.value).isprintable()


def test_hostile_names_that_are_there_are_listed_and_read(kept: Kept) -> None:
    names = ["esc\x1b[2J.dump", "line\nbreak.dump", "spaces and %41 & + ü.dump", "<Key>.dump", "…"]
    if kept.kind == "azure":  # Azurite can't list control characters, which no XML 1.0 may hold
        names = names[2:]
    if kept.kind == "versioned":
        names.remove("line\nbreak.dump")  # which moto answers with 404
    kept.seed({name: name.encode() for name in names})
    listed = keys(kept.store)  # rclone shows control characters in its own way
    assert {kept.store.read(key, 0, 100) for key in listed} == {name.encode() for name in names}
    for key in listed:
        assert kept.store.stat(key).size_bytes == len(kept.store.read(key, 0, 100))
        kept.store.delete(key)
    assert kept.files() == set()


def test_many_threads_share_one_store(kept: Kept) -> None:
    def work(number: int) -> None:
        for turn in range(3):
            key = f"{number}/{turn}"
            kept.store.put(key, key.encode())
            assert kept.store.read(key, 0, 9) == key.encode()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))  # raises what one of them raised
    assert len(keys(kept.store)) == 12
