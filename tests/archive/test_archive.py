"""Archives made by real servers, read by ranges and compared with what pg_restore says of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archive.rich import Rich, contents_of, program
from tui.model.backup import ArchiveFormat, Contents
from tui.model.errors import ArchiveError
from tui.postgres.archive.archive import (
    BlockScanner,
    CutShort,
    data_sizes,
    database_locale,
    read_contents,
    table_contents,
)

FUZZ = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def reader(data: bytes) -> Callable[[int, int], bytes]:
    return lambda start, length: data[start : start + length]


def parse(data: bytes) -> Contents:
    return read_contents(reader(data), len(data))


def listed(rich: Rich, path: Path) -> tuple[dict[str, str], list[str]]:
    """What `pg_restore -l -v` says: the header's fields, and the lines of the entries with their needs."""
    done = program(rich.server, "pg_restore", "-l", "-v", str(path))
    text = done.stdout.decode()
    header = dict(
        re.findall(r"^; +([A-Z][\w ]+): (.*)$", text, re.MULTILINE)
        + re.findall(r"^; +(dbname): (.*)$", text, re.M)
    )
    return header, [x for x in text.splitlines() if not re.match(r";( |$)", x)]


@pytest.mark.parametrize("form", ["custom", "piped", "tar", "toc"])
def test_reads_what_pg_restore_lists(rich: Rich, form: str) -> None:
    path: Path = getattr(rich, form)
    contents = contents_of(path)
    header, lines = listed(rich, path.parent if form == "toc" else path)

    assert contents.database == header["dbname"]
    assert len(contents.entries) == int(header["TOC Entries"])
    assert contents.format.value.upper() == header["Format"]
    assert contents.server_version == header["Dumped from database version"]
    assert contents.dump_version == header["Dumped by pg_dump version"]
    assert "{}.{}-{}".format(*contents.archive_version) == header["Dump Version"]
    compression = header["Compression"]
    assert contents.compression == {"-1": "gzip", "0": "none"}.get(compression, compression)
    seen = [line for line in lines if not line.startswith(";")]
    for entry, line in zip(contents.entries, seen, strict=True):
        shown = f"{entry.desc} {entry.schema or '-'} {entry.name} {entry.owner or ''}"
        assert line.startswith(f"{entry.dump_id}; ")
        assert line.split(" ", 3)[3].rstrip() == re.sub(r"[\r\n]", " ", shown).rstrip()
    needs = [
        tuple(map(int, line.split(":")[1].split())) for line in lines if line.startswith(";\tdepends on")
    ]
    assert needs == [entry.dependencies for entry in contents.entries if entry.dependencies]


def test_the_toc_costs_one_read(rich: Rich) -> None:
    data = rich.custom.read_bytes()
    reads: list[tuple[int, int]] = []

    def read(start: int, length: int) -> bytes:
        reads.append((start, length))
        return data[start : start + length]

    contents = read_contents(read, len(data))
    assert contents.toc_bytes < 64 << 10
    assert reads == [(0, 64 << 10)]


def test_a_store_may_return_less_than_was_asked_for(rich: Rich) -> None:
    data = rich.custom.read_bytes()
    assert read_contents(lambda start, length: data[start : start + min(length, 999)], len(data)) == parse(
        data
    )


def test_the_database_entry_tells_how_to_create_it(rich: Rich) -> None:
    locale = database_locale(rich.contents)
    assert (locale.encoding, locale.owner) == ("UTF8", "rich_owner")
    assert locale.collate == locale.ctype == "C"


def test_sizes_from_offsets_fill_the_file(rich: Rich) -> None:
    contents, size = rich.contents, rich.custom.stat().st_size
    sizes = data_sizes(contents, size)
    assert sum(sizes.values()) == size - contents.toc_bytes
    assert set(sizes) == {e.dump_id for e in contents.entries if e.has_data}
    tables = table_contents(contents, size, None)
    assert (tables[0].schema, tables[0].name) == ("app", "orders")
    assert [t.compressed_bytes for t in tables] == sorted(
        (t.compressed_bytes or 0 for t in tables), reverse=True
    )


def test_an_archive_cut_short_in_its_data_has_no_sizes_past_its_end(rich: Rich) -> None:
    whole = rich.custom.stat().st_size
    cut = rich.contents.toc_bytes + 2000
    sizes = data_sizes(rich.contents, cut)
    assert sum(sizes.values()) == 2000
    assert len(sizes) < len(data_sizes(rich.contents, whole))


@given(step=st.integers(1, 5000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_streams_past_is_noted_as_pg_dump_would_have(rich18: Rich, rich15: Rich, step: int) -> None:
    for rich in (rich18, rich15):
        data, contents = rich.custom.read_bytes(), rich.contents
        scanner = BlockScanner()
        for start in range(0, len(data), step * 13):
            scanner.feed(data[start : start + step * 13])
        blocks = scanner.close()
        assert scanner.contents == contents
        assert {b.dump_id: b.offset for b in blocks} == {
            e.dump_id: e.offset for e in contents.entries if e.has_data
        }
        assert {b.dump_id: b.size_bytes for b in blocks} == data_sizes(contents, len(data))
        for block in blocks:
            there = data[block.offset : block.offset + block.size_bytes]
            assert block.sha256 == hashlib.sha256(there).hexdigest()


def test_a_piped_archive_has_sizes_only_by_its_blocks(rich: Rich) -> None:
    data = rich.piped.read_bytes()
    contents = parse(data)
    assert contents.compression == "none"
    assert data_sizes(contents, len(data)) == {}
    scanner = BlockScanner()
    for byte in range(0, len(data), 100_003):
        scanner.feed(data[byte : byte + 100_003])
    blocks = scanner.close()
    assert sum(data_sizes(contents, len(data), blocks).values()) == len(data) - contents.toc_bytes


def test_a_stream_that_ends_early_is_cut_short(rich: Rich) -> None:
    data = rich.custom.read_bytes()
    for end in (0, 3, 20, 3000, rich.contents.toc_bytes, rich.contents.toc_bytes + 3, len(data) - 1):
        scanner = BlockScanner()
        scanner.feed(data[:end])
        with pytest.raises(ArchiveError):
            scanner.close()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (
            b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n",
            "This is plain SQL: restore it with psql.",
        ),
        (b"\nCREATE TABLE x (id int);", "plain SQL"),
        (b"\\restrict abc\n", "plain SQL"),
        (b"\x1f\x8b\x08" + bytes(600), "gzip"),
        (b"age-encryption.org/v1\n", "encrypted with age"),
        (b"PG", "cut short"),
        (b"PGDMP", "cut short"),
        (b"PGDMP\x01\x11\x00\x04\x08\x01", "newer"),
        (b"PGDMP\x01\x0a\x00\x04\x08\x01", "older"),
        (b"PGDMP\x01\x10\x00\x04\x08\x09", "damaged"),
        (b"\x89PNG" + bytes(600), "no archive"),
        (b"toc.dat\0" + bytes(249) + b"ustar" + bytes(1000), "damaged"),
    ],
)
def test_what_is_no_archive_is_told_apart(data: bytes, said: str) -> None:
    with pytest.raises(ArchiveError) as caught:
        parse(data)
    assert said in str(caught.value)
    assert caught.value.mend


def test_real_plain_sql_is_refused(rich: Rich, tmp_path: Path) -> None:
    done = program(rich.server, "pg_restore", "-f", "-", str(rich.custom))
    with pytest.raises(ArchiveError, match="plain SQL"):
        parse(done.stdout)


def test_names_of_compressions(rich18: Rich) -> None:
    data = bytearray(rich18.custom.read_bytes())
    for code, name in enumerate(("none", "gzip", "lz4", "zstd")):
        data[11] = code  # after the magic, three bytes of version, two sizes and the format
        assert parse(bytes(data)).compression == name
    data[11] = 4
    with pytest.raises(ArchiveError, match="unknown compression"):
        parse(bytes(data))


def test_a_hostile_length_allocates_nothing(rich18: Rich) -> None:
    data = bytearray(rich18.custom.read_bytes())
    at = data.index(b"ENCODING") - 4
    data[at : at + 4] = (0x7FFFFFFF).to_bytes(4, "little")
    asked: list[int] = []

    def read(start: int, length: int) -> bytes:
        asked.append(length)
        return bytes(data[start : start + length])

    with pytest.raises(ArchiveError, match="damaged"):
        read_contents(read, 1 << 40)  # what a store claims its size to be
    assert max(asked) <= 4 << 20


@given(end=st.integers(1, 30_000))
@FUZZ
def test_every_truncation_is_told(rich18: Rich, end: int) -> None:
    data, whole = rich18.custom.read_bytes(), rich18.contents
    if end >= whole.toc_bytes:
        assert parse(data[:end]) == whole
    else:
        with pytest.raises(CutShort):
            parse(data[:end])


@given(
    flips=st.lists(st.tuples(st.integers(0, 26_000), st.integers(0, 255)), min_size=1, max_size=6),
    old=st.booleans(),
)
@FUZZ
def test_damage_parses_or_is_an_archive_error(
    rich18: Rich, rich15: Rich, flips: list[tuple[int, int]], old: bool
) -> None:
    data = bytearray((rich15 if old else rich18).custom.read_bytes())
    for at, value in flips:
        data[at] = value
    for made in (lambda: parse(bytes(data)), lambda: _scan(bytes(data))):
        try:
            made()
        except ArchiveError as error:
            assert error.what
    contents = None
    try:
        contents = parse(bytes(data))
    except ArchiveError:
        return
    if contents.format is ArchiveFormat.CUSTOM:
        table_contents(contents, len(data), None)


def _scan(data: bytes) -> None:
    scanner = BlockScanner()
    for start in range(0, len(data), 4096):
        scanner.feed(data[start : start + 4096])
    scanner.close()
