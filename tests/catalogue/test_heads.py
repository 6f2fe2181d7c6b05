"""Headers that are kept between listings, and how many are read at most."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.conftest import Archives
from tests.catalogue.test_listing import Counting
from tui.model.backup import Backup, StoreProblem
from tui.model.fleet import Fleet, LocalStore
from tui.operations.catalogue.catalogue import backups, listing
from tui.operations.catalogue.heads import FILE, Heads, Recent


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    """A store that notes what is read of it."""
    (tmp_path / "counted").mkdir()
    return Counting(LocalStore("local", tmp_path / "counted"))


def all_of(store: Counting, heads: Heads) -> list[Backup]:
    try:
        return [backup for page in listing(store, heads=heads) for backup in page]
    finally:
        heads.close()


def test_a_header_is_read_once(counting: Counting, archives: Archives, tmp_path: Path) -> None:
    counting.put("no-date", archives.custom)
    counting.put("photo.jpg", b"\xff\xd8 no archive at all")
    first = all_of(counting, Heads("local", tmp_path))
    reads = len(counting.reads)
    assert reads >= 2
    assert all_of(counting, Heads("local", tmp_path)) == first
    assert len(counting.reads) == reads
    assert [b.key for b in first] == ["no-date"]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    counting.put("no-date", archives.custom + b"x")
    all_of(counting, Heads("local", tmp_path))
    assert set(counting.reads[reads:]) == {"no-date"}


def test_another_store_s_header_is_not_taken(counting: Counting, archives: Archives, tmp_path: Path) -> None:
    counting.put("no-date", archives.custom)
    all_of(counting, Heads("local", tmp_path))
    reads = len(counting.reads)
    all_of(counting, Heads("other", tmp_path))
    assert len(counting.reads) > reads


def test_a_cache_that_cannot_be_used_is_none(counting: Counting, archives: Archives, tmp_path: Path) -> None:
    counting.put("no-date", archives.custom)
    (tmp_path / FILE).write_bytes(b"this is no database, whatever it says" * 100)
    assert [b.key for b in all_of(counting, Heads("local", tmp_path))] == ["no-date"]
    assert [b.key for b in all_of(counting, Heads("local", tmp_path / "missing"))] == ["no-date"]


def test_foreign_objects_are_looked_into_up_to_a_bound(
    counting: Counting, archives: Archives, tmp_path: Path
) -> None:
    for number in range(60):
        counting.put(f"photo-{number:02}.jpg", b"\xff\xd8 no archive")
    counting.put("z-last.dump", archives.custom)
    counting.put("kong-20261121-010210.dump", b"PGDMP by its name alone")
    heads = Heads("local", tmp_path, most=25)
    found = {b.key: b for b in all_of(counting, heads)}
    assert set(found) == {"kong-20261121-010210.dump", "z-last.dump"}
    assert found["z-last.dump"].database is None  # listed by its name's end, not looked into
    assert len(set(counting.reads)) == 25
    assert heads.unread == 60 - 25 + 1
    # The next listing looks into others: those that are known cost nothing.
    heads = Heads("local", tmp_path, most=25)
    all_of(counting, heads)
    assert heads.unread == 60 - 50 + 1


def test_it_is_said_how_many_were_not_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.operations.catalogue.heads.MOST_LOOKED_AT", 3)
    store = tmp_path / "store"
    store.mkdir()
    for number in range(5):
        (store / f"photo-{number}").write_bytes(b"no archive")
    problems: list[StoreProblem] = []
    fleet = Fleet("f", stores=(LocalStore("near", store),))
    backups(fleet, None, lambda page: None, problems.append, tmp_path)
    [note] = problems
    assert note.is_note
    assert note.what.startswith("2 objects")


def test_what_was_put_in_first_is_forgotten_first() -> None:
    recent: Recent[int, str] = Recent(3)
    for number in range(5):
        recent[number] = "x"
    assert list(recent) == [2, 3, 4]
