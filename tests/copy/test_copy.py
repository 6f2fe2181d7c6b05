"""A backup goes from one store to another whole, with what is beside it, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogue.conftest import manifest_for
from tests.copy.conftest import KEY, Original, contents
from tests.stores.conftest import Kept
from tui.model.backup import ArchiveFormat, StoredFile, StoredObject
from tui.model.errors import ArchiveError, PgdrError, Refused, Unreachable
from tui.model.fleet import LocalStore
from tui.operations.catalogue.catalogue import MANIFEST, write_manifest
from tui.operations.copy import copy_backup
from tui.stores.local import DirectoryStore
from tui.stores.store import ObjectMissing


def quiet(moved: int, total: int) -> None:
    """Nobody watches."""


class Noting(DirectoryStore):
    """A directory that notes what is written, and lets one key fail or a source break off."""

    def __init__(self, spec: LocalStore) -> None:
        super().__init__(spec)
        self.written: list[str] = []
        self.failing = ""
        self.breaks = 0

    def write(self, key: str, chunks: Iterable[bytes]) -> StoredObject:
        if self.failing and key.endswith(self.failing):
            raise Unreachable("The line is gone.")
        self.written.append(key)
        return super().write(key, chunks)

    def stream(self, key: str, start: int, length: int, etag: str | None = None) -> Iterator[bytes]:
        for piece in super().stream(key, start, length, etag):
            yield piece
            if self.breaks:
                self.breaks -= 1
                raise Unreachable("The line broke.")


@pytest.fixture
def far(tmp_path: Path) -> Noting:
    """An empty store."""
    (tmp_path / "far").mkdir()
    return Noting(LocalStore("far", tmp_path / "far"))


def test_everything_arrives_in_every_kind_of_store_and_comes_back(
    original: Original, kept: Kept, far: Noting
) -> None:
    moved: list[tuple[int, int]] = []
    done = copy_backup(original.store, KEY, kept.store, lambda *now: moved.append(now))
    assert contents(kept.store) == original.files()
    assert done.sha256 == original.manifest.sha256
    assert (done.ref, done.copied_to) == (f"near:{KEY}", f"{kept.store.name}:{KEY}")
    assert (done.size_bytes, done.objects, done.already_there) == (len(original.data), 4, 0)
    assert moved[-1][0] == moved[-1][1] == sum(map(len, original.files().values()))
    copy_backup(kept.store, KEY, far, quiet)
    assert contents(far) == original.files()


def test_the_manifest_is_last_and_the_archive_first(original: Original, far: Noting) -> None:
    copy_backup(original.store, KEY, far, quiet)
    assert (far.written[0], far.written[-1]) == (KEY, KEY + MANIFEST)


def test_a_second_copy_finds_the_first(original: Original, far: Noting) -> None:
    copy_backup(original.store, KEY, far, quiet)
    done = copy_backup(original.store, KEY, far, quiet)
    assert (done.objects, done.already_there) == (4, 4)
    assert len(far.written) == 4


def test_a_different_object_stays(original: Original, far: Noting) -> None:
    for other in (b"other", b"x" * len(original.data)):
        far.put(KEY, other)
        with pytest.raises(Refused, match="different object"):
            copy_backup(original.store, KEY, far, quiet)
        assert contents(far) == {KEY: other}


def test_a_different_manifest_stays_and_the_archive_goes_again(original: Original, far: Noting) -> None:
    far.put(KEY + MANIFEST, b"{}")
    with pytest.raises(Refused):
        copy_backup(original.store, KEY, far, quiet)
    assert contents(far) == {KEY + MANIFEST: b"{}"}


def test_a_damaged_archive_is_not_copied(original: Original, kept: Kept) -> None:
    damaged = bytearray(original.data)
    damaged[9 << 20] ^= 1
    (original.directory / KEY).write_bytes(damaged)
    with pytest.raises(ArchiveError, match="hash"):
        copy_backup(original.store, KEY, kept.store, quiet)
    assert kept.files() == set()


def test_an_archive_of_another_size_than_its_manifest_says(original: Original, far: Noting) -> None:
    (original.directory / KEY).write_bytes(original.data[:-1])
    with pytest.raises(ArchiveError, match="manifest says"):
        copy_backup(original.store, KEY, far, quiet)
    assert far.written == []


def test_a_manifest_that_cannot_be_understood(original: Original, far: Noting) -> None:
    (original.directory / (KEY + MANIFEST)).write_bytes(b"\xff not JSON")
    with pytest.raises(ArchiveError, match="manifest"):
        copy_backup(original.store, KEY, far, quiet)
    assert contents(far) == {}


def test_without_a_manifest_the_hash_is_that_of_the_bytes(original: Original, far: Noting) -> None:
    (original.directory / (KEY + MANIFEST)).unlink()
    done = copy_backup(original.store, KEY, far, quiet)
    assert done.sha256 == hashlib.sha256(original.data).hexdigest()
    assert contents(far) == original.files()


@pytest.mark.parametrize("failing", [MANIFEST, ".globals.sql", ".json"])
def test_a_store_that_fails_on_the_way_keeps_nothing(original: Original, far: Noting, failing: str) -> None:
    far.failing = failing
    with pytest.raises(Unreachable):
        copy_backup(original.store, KEY, far, quiet)
    assert contents(far) == {}


def test_an_interrupted_copy_leaves_nothing(original: Original, kept: Kept) -> None:
    def interrupt(moved: int, total: int) -> None:
        if moved > 8 << 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_backup(original.store, KEY, kept.store, interrupt)
    assert kept.files() == set()


def test_a_connection_that_breaks_off_goes_on(original: Original, far: Noting) -> None:
    near = Noting(LocalStore("near", original.directory))
    near.breaks = 5
    copy_backup(near, KEY, far, quiet)
    assert near.breaks == 0
    assert contents(far) == original.files()


def test_an_archive_that_vanishes_or_changes_meanwhile(original: Original, far: Noting) -> None:
    def replace_it(moved: int, total: int) -> None:
        (original.directory / KEY).with_suffix(".new").write_bytes(original.data)
        (original.directory / KEY).with_suffix(".new").replace(original.directory / KEY)

    (original.directory / (KEY + MANIFEST)).unlink()
    with pytest.raises(PgdrError, match="replaced while it was read"):
        copy_backup(original.store, KEY, far, replace_it)
    assert contents(far) == {}
    with pytest.raises(ObjectMissing):
        copy_backup(original.store, KEY, far, lambda *_: (original.directory / KEY).unlink(missing_ok=True))
    assert contents(far) == {}


def test_what_is_not_there_and_what_leads_out(original: Original, far: Noting) -> None:
    with pytest.raises(ObjectMissing):
        copy_backup(original.store, "nothing.dump", far, quiet)
    for key in ("../near/" + KEY, "/etc/passwd", "a/../" + KEY):
        with pytest.raises(PgdrError, match="leads out"):
            copy_backup(original.store, key, far, quiet)
    assert contents(far) == {}


def test_a_directory_archive_goes_file_by_file_its_contents_last(original: Original, far: Noting) -> None:
    key = "shop-20261121-020000.dir"
    files = {"toc.dat": b"PGDMP contents", "3001.dat.gz": b"rows" * 1000, "3002.dat.gz": b""}
    for name, data in files.items():
        original.store.put(f"{key}/{name}", data)
    listed = tuple(
        StoredFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in sorted(files.items())
    )
    whole = hashlib.sha256("".join(f"{f.sha256}  {f.name}\n" for f in listed).encode()).hexdigest()
    size = sum(map(len, files.values()))
    manifest = manifest_for(key, size, "shop", sha256=whole, format=ArchiveFormat.DIRECTORY, files=listed)
    write_manifest(original.store, manifest)
    done = copy_backup(original.store, key, far, quiet)
    assert (done.sha256, done.size_bytes, done.objects) == (whole, size, 4)
    assert far.written[-2:] == [f"{key}/toc.dat", key + MANIFEST]
    assert set(contents(far)) == {*(f"{key}/{name}" for name in files), key + MANIFEST}

    # Without its manifest the same hash is told; with one that lies nothing is copied.
    bare = Noting(replace(LocalStore("bare", original.directory.parent / "bare")))
    (original.directory.parent / "bare").mkdir()
    (original.directory / (key + MANIFEST)).unlink()
    assert copy_backup(original.store, key, bare, quiet).sha256 == whole
    write_manifest(bare, replace(manifest, files=(*listed[:-1], replace(listed[-1], size_bytes=1))))
    (original.directory.parent / "third").mkdir()
    third = Noting(LocalStore("third", original.directory.parent / "third"))
    with pytest.raises(ArchiveError, match=r"toc\.dat"):
        copy_backup(bare, key, third, quiet)
    assert contents(third) == {}
