"""A backup's table of contents, read from where it lies: by ranges, file by file, from under its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime

from tui.model.backup import ArchiveFormat, Contents, Layer, StoredObject
from tui.model.errors import ArchiveError
from tui.model.fleet import Fleet
from tui.operations.catalogue.names import cipher_of
from tui.operations.layers.layers import Beginning, opened, peeled
from tui.operations.restore.plain_look import HEAD_SCANNED, SCANNED, TAIL, Looked, first_bytes, look, with_end
from tui.postgres.archive.archive import read_contents
from tui.postgres.archive.files import LISTED, TOC, data_files, tar_members, told_missing
from tui.postgres.archive.plain import is_sql
from tui.postgres.archive.reader import OTHER_COPY

Read = Callable[[str, int, int], bytes]  # key, start, length; may return less

_PIECE = 256 << 10
_ENDLESS = 1 << 62  # nothing tells how long what lies in a layer is


def as_it_lies(read: Read, key: str, size: int, head: bytes, *, here: bool) -> Contents:
    """Given an archive that isn't packed in anything, its size and first bytes, returns what is in it. The
    files in a tar are only looked for where it lies `here`: each costs a read.

    Raises ArchiveError where it is none, is damaged, or ends too early.
    """

    def ranged(start: int, length: int) -> bytes:
        got = head[start : start + length] if start < len(head) else b""
        return got + read(key, start + len(got), length - len(got)) if len(got) < length else got

    contents = read_contents(ranged, size)
    if contents.format is ArchiveFormat.DIRECTORY:
        raise ArchiveError(
            "It is the table of contents of a directory archive alone.", mend="Name the directory it was in."
        )
    if contents.format is ArchiveFormat.TAR and here:
        members = tar_members(lambda start, length: read(key, start, length), size)
        found = data_files(contents, members)
        if (wrong := told_missing(found)) is not None:
            raise ArchiveError(wrong, mend=OTHER_COPY)
        return replace(contents, sizes=found.sizes)
    return contents


def encryption_of(files: Mapping[str, StoredObject]) -> Layer | None:
    """What a directory archive's files are encrypted with, each by itself, by their names."""
    return next((Layer(kind) for file in files.values() if (kind := cipher_of(file.key))), None)


def in_files(
    read: Read, files: Mapping[str, StoredObject], fleet: Fleet | None
) -> tuple[Contents, str | None]:
    """Given the files of a directory archive by their names in it, returns what is in it, and what is wrong
    with its files.

    Raises ArchiveError where its table of contents isn't there or is damaged; of an encrypted one also
    NoKey and ConfigError when no key of `fleet` opens it.
    """
    if TOC not in files:
        raise ArchiveError(
            "It has no table of contents: its file toc.dat is missing.",
            "It is written last, so the backup was interrupted, or someone removed it.",
            OTHER_COPY,
        )
    toc = files[TOC]
    with _file_opened(read, toc, fleet) as ranged:
        contents = read_contents(ranged, toc.size_bytes if cipher_of(toc.key) is None else _ENDLESS)
    if contents.format is not ArchiveFormat.DIRECTORY:
        raise ArchiveError("Its file toc.dat is no table of contents of a directory.", mend=OTHER_COPY)
    sizes = {name: file.size_bytes for name, file in files.items()}

    def whole(name: str) -> bytes:
        with _file_opened(read, files[name], fleet) as ranged:
            # Opened it may be longer than it lies there: gpg compresses
            return ranged(0, sizes[name] if cipher_of(files[name].key) is None else LISTED)

    found = data_files(contents, sizes, whole)
    cipher = encryption_of(files)
    layers = (cipher,) if cipher else ()
    return replace(contents, sizes=found.sizes, layers=layers, files=len(files)), told_missing(found)


@contextmanager
def _file_opened(
    read: Read, file: StoredObject, fleet: Fleet | None
) -> Iterator[Callable[[int, int], bytes]]:
    """How one file of a directory archive is read by ranges; an encrypted one from its beginning on."""
    kind = cipher_of(file.key)
    if kind is None:
        yield lambda start, length: read(file.key, start, length)
        return
    with closing(opened(_pieces(read, file.key, file.size_bytes), (Layer(kind),), fleet)) as chunks:
        yield Beginning(chunks).read
        for _ in chunks:  # to its end: only there does an encryption say that nothing in it was changed
            pass


def _pieces(read: Read, key: str, size: int, head: bytes = b"") -> Iterator[bytes]:
    """An object from its beginning on, of which `head` is read already."""
    if head:
        yield head
    at = len(head)
    while at < size:
        piece = read(key, at, min(_PIECE, size - at))
        if not piece:
            return
        at += len(piece)
        yield piece


def in_stream(
    read: Read, key: str, size: int, head: bytes, fleet: Fleet | None, taken_at: datetime, *, here: bool
) -> Looked:
    """Given what can't be read by ranges, an archive that is packed, encrypted or both, or plain SQL, its
    size and first bytes, and when it was taken by what else is known, returns what is in it and what is to
    be known of that.

    Of an archive it reads as much of the beginning as that takes; plain SQL whole where it lies `here` and
    isn't too large. Where an archive's data lies is not told: it can't be sought.

    Raises NoKey and ConfigError when no key of `fleet` opens it, ArchiveError.
    """
    with peeled(_pieces(read, key, size, head), fleet, key) as inside:
        if is_sql(inside.head):
            whole = here and size <= (SCANNED // 4 if inside.layers else SCANNED)
            text = inside.chunks if whole else first_bytes(inside.chunks, HEAD_SCANNED)
            looked = look(text, inside.layers, taken_at, whole=whole)
            return (
                looked if whole or inside.layers else with_end(looked, read(key, max(0, size - TAIL), TAIL))
            )
        contents = read_contents(Beginning(inside.chunks).read, _ENDLESS)
    if contents.format is ArchiveFormat.DIRECTORY:
        raise ArchiveError("It is the table of contents of a directory archive alone.", mend=OTHER_COPY)
    bare = tuple(replace(entry, offset=None) for entry in contents.entries)
    return Looked(replace(contents, entries=bare, layers=inside.layers), ())
