"""Looking into backups that a real pg_dump made, whole and hurt in every way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.catalogue.conftest import Archives, manifest_for
from tests.servers import Bucket
from tui.model import amounts
from tui.model.backup import ArchiveFormat, Contents, Verdict, Verification
from tui.model.errors import ArchiveError
from tui.model.plan import Level
from tui.model.verdict import Check
from tui.operations.catalogue.catalogue import (
    MANIFEST,
    Description,
    describe,
    key_for,
    listing,
    read_manifest,
    record_verification,
    write_manifest,
)
from tui.stores.local import DirectoryStore
from tui.stores.open import open_store
from tui.stores.store import ObjectMissing

KEY = "latest.dump"  # a name that tells nothing


def stops(found: Description) -> list[str]:
    return [p.what for p in found.problems if p.level is Level.STOP]


def warnings(found: Description) -> list[str]:
    return [p.what for p in found.problems if p.level is Level.WARNING]


def contents_of(found: Description) -> Contents:
    assert found.contents is not None
    return found.contents


@pytest.mark.parametrize("kind", ["custom", "piped", "redirected", "no_large_objects", "schema_only", "tar"])
def test_a_whole_archive_without_manifest_is_only_not_proven(
    store: DirectoryStore, archives: Archives, kind: str
) -> None:
    store.put(KEY, getattr(archives, kind))
    found = describe(store, KEY)
    assert stops(found) == []
    assert [w for w in warnings(found) if "no manifest" in w]
    assert len(found.problems) == 1
    assert found.manifest is None
    assert found.backup.database == contents_of(found).database
    assert found.backup.created_at == contents_of(found).created_at
    assert {t.name for t in found.tables} == {"big", "small", "nothing"}
    assert all(t.rows is None for t in found.tables)
    if kind == "custom":
        assert found.tables[0].name == "big"
        assert (found.tables[0].compressed_bytes or 0) > 100_000


def test_little_is_fetched_of_a_large_archive(bucket: Bucket, archives: Archives) -> None:
    store = open_store(bucket.store)
    store.put(KEY, archives.custom)
    found = describe(store, KEY)
    assert stops(found) == []
    assert found.fetched_bytes < 70_000 < found.backup.size_bytes
    assert found.backup.store == "offsite"


def test_with_its_manifest_a_backup_is_complete(store: DirectoryStore, archives: Archives) -> None:
    store.put(KEY, archives.custom)
    database = contents_of(describe(store, KEY)).database or ""
    manifest = manifest_for(KEY, len(archives.custom), database)
    write_manifest(store, manifest)
    verified = Verification(manifest.created_at, Verdict.CLEAN)
    record_verification(store, KEY, verified, (Check("rows", True, "1", "1"),))
    assert read_manifest(store, KEY) == manifest
    [[backup]] = listing(store)
    found = describe(store, backup)
    assert found.problems == ()
    assert found.manifest == manifest
    assert found.tables[0].rows == 20000
    assert found.backup.has_manifest
    assert found.backup.verification == verified
    assert found.backup.created_at == manifest.created_at


@pytest.mark.parametrize("missing_bytes", [1, 7, 1000, 200_000])
@pytest.mark.parametrize("kind", ["custom", "piped", "no_large_objects"])
def test_an_archive_that_is_cut_short_is_found_out_without_a_manifest(
    store: DirectoryStore, archives: Archives, kind: str, missing_bytes: int
) -> None:
    whole: bytes = getattr(archives, kind)
    store.put(KEY, whole[:-missing_bytes])
    [stop] = stops(describe(store, KEY))
    assert stop.startswith("It is cut short")


def test_a_second_table_of_contents_proves_that_the_data_before_it_is_whole(
    store: DirectoryStore, archives: Archives
) -> None:
    second = len(archives.redirected) - len(archives.piped)
    assert second > 1000
    for missing, cut in ((1, False), (1000, False), (second, False), (second + 1, True), (200_000, True)):
        store.put(KEY, archives.redirected[:-missing])
        assert bool(stops(describe(store, KEY))) is cut, missing


@pytest.mark.parametrize("kind", ["custom", "piped", "redirected", "no_large_objects"])
def test_an_older_format_is_judged_alike(store: DirectoryStore, archives15: Archives, kind: str) -> None:
    whole: bytes = getattr(archives15, kind)
    store.put("whole", whole)
    assert stops(describe(store, "whole")) == []
    store.put("cut", whole[:-1])
    assert "cut short" in stops(describe(store, "cut"))[0]


def test_data_that_begins_behind_the_end_is_counted(store: DirectoryStore, archives: Archives) -> None:
    toc = contents_of(_described(store, archives.custom)).toc_bytes
    store.put(KEY, archives.custom[: toc + 3])
    assert "the data of 3 of 4 tables" in stops(describe(store, KEY))[0]


def _described(store: DirectoryStore, data: bytes) -> Description:
    store.put(KEY, data)
    return describe(store, KEY)


def test_a_size_that_differs_from_the_manifest(store: DirectoryStore, archives: Archives) -> None:
    database = contents_of(_described(store, archives.custom)).database or ""
    size = len(archives.custom)
    write_manifest(store, manifest_for(KEY, 7 * size, database))
    assert f"cut short: {amounts.size(size)} of" in stops(describe(store, KEY))[0]
    write_manifest(store, manifest_for(KEY, 2_100_000_000, database))
    assert stops(describe(store, KEY)) == [f"It is cut short: {amounts.size(size)} of 2.1 GB are there."]
    write_manifest(store, manifest_for(KEY, size + 1, database))
    assert stops(describe(store, KEY)) == [
        f"It is cut short: {size:,} bytes of {size + 1:,} bytes are there."
    ]
    write_manifest(store, manifest_for(KEY, size - 1, database))
    assert f"its manifest says {size - 1:,}" in stops(describe(store, KEY))[0]


def test_a_manifest_of_another_archive(store: DirectoryStore, archives: Archives) -> None:
    database = contents_of(_described(store, archives.custom)).database or ""
    right = manifest_for(KEY, len(archives.custom), database)
    write_manifest(store, replace(right, database="kong"))
    assert "manifest is of another archive: the database there is “kong”" in stops(describe(store, KEY))[0]
    write_manifest(store, replace(right, format=ArchiveFormat.TAR))
    assert "the format there is “tar”" in stops(describe(store, KEY))[0]
    write_manifest(store, replace(right, selection="schema"))
    assert warnings(describe(store, KEY)) == ["It isn't a full backup: schema only."]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"version": 1}', b"\xff\xfe", b"[" * 100_000, b'"\x1b[2J"']
)
def test_a_manifest_that_cannot_be_understood(store: DirectoryStore, archives: Archives, data: bytes) -> None:
    store.put(KEY, archives.custom)
    store.put(KEY + MANIFEST, data)
    found = describe(store, KEY)
    assert stops(found) == []
    assert "manifest can't be understood" in warnings(found)[0]
    assert found.backup.has_manifest
    assert found.contents is not None
    assert warnings(found)[0].isprintable()
    with pytest.raises(ArchiveError, match="can't be understood"):
        read_manifest(store, KEY)


def test_no_manifest(store: DirectoryStore) -> None:
    assert read_manifest(store, KEY) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"PG", "cut short"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        ("-- PostgreSQL database dump\n".encode("utf-16"), "UTF-16"),
        (bytes(5000), "no archive"),
    ],
)
def test_what_is_no_archive_is_said(store: DirectoryStore, data: bytes, said: str) -> None:
    key = "kong-20261121-010210.dump"
    store.put(key, data)
    found = describe(store, key)
    assert found.contents is None
    assert found.tables == ()
    assert said in stops(found)[0]
    assert found.backup.database == "kong"
    assert found.problems[0].level is Level.STOP


def test_a_table_of_contents_that_is_cut_short(store: DirectoryStore, archives: Archives) -> None:
    store.put(KEY, archives.custom[:3000])
    assert "cut short" in stops(describe(store, KEY))[0]


def test_a_name_that_says_something_else_than_what_is_inside(
    store: DirectoryStore, archives: Archives
) -> None:
    key = "kong-20010203-040506.dump"
    store.put(key, archives.custom)
    found = describe(store, key)
    assert stops(found) == []
    assert any("Its name says “kong”; inside is “t_" in w for w in warnings(found))
    assert any("Its name says 2001-02-03; it was made on 20" in w for w in warnings(found))
    assert found.backup.created_at == contents_of(found).created_at


def test_a_name_that_agrees_is_the_better_clock(store: DirectoryStore, archives: Archives) -> None:
    made = contents_of(_described(store, archives.custom))
    key = key_for(made.database or "", made.created_at.replace(second=0))
    store.put(key, archives.custom)
    found = describe(store, key)
    assert found.backup.created_at == made.created_at.replace(second=0)
    assert len(found.problems) == 1  # no manifest


def test_a_directory_archive_is_one_backup(store: DirectoryStore, archives: Archives) -> None:
    for file in archives.directory.iterdir():
        store.put(f"kong/{file.name}", file.read_bytes())
    found = describe(store, "kong")
    assert contents_of(found).format is ArchiveFormat.DIRECTORY and stops(found) == []
    assert found.backup.size_bytes == sum(file.stat().st_size for file in archives.directory.iterdir())
    assert found.tables[0].compressed_bytes == max(
        file.stat().st_size for file in archives.directory.glob("*.dat.gz")
    )
    (named,) = stops(describe(store, "kong/toc.dat"))
    assert "alone" in named


def test_a_backup_that_is_not_there(store: DirectoryStore) -> None:
    store.put(KEY + "x", b"another")
    for key in (KEY, "../../etc/passwd", "", "a\0b"):
        with pytest.raises(ObjectMissing):
            describe(store, key)
