"""The files of an archive that has more than one: a directory's, and the members of a tar.

pg_backup_directory.c and pg_backup_tar.c: toc.dat, a file for each table's data (3021.dat, in a directory
maybe compressed: 3021.dat.gz), and one of each large object (blob_16400.dat), listed in blobs.toc.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from tui.model.backup import Contents
from tui.model.errors import ArchiveError
from tui.postgres.archive.reader import OTHER_COPY, CutShort

TOC = "toc.dat"

_FILE = re.compile(r"toc\.dat|(\d+|blob_\d+)\.dat(\.gz|\.lz4|\.zst)?|blobs(_\d+)?\.toc(\.gz|\.lz4|\.zst)?")
_COMPRESSED = ("", ".gz", ".lz4", ".zst")
_LARGE_OBJECTS = ("BLOBS", "LARGE OBJECTS")
_END_OF_ROWS = b"\\.\n\n\n"  # pg_dump.c, dumpTableData_copy; an empty table has it too
_BLOCK = 512
LISTED = 64 << 20  # bytes of a list of large objects, at most


@dataclass(frozen=True, slots=True)
class DataFiles:
    """What lies of an archive's data: its bytes by dump id, the names of files that are missing, and of those
    that are there without anything in them."""

    sizes: dict[int, int]
    missing: tuple[str, ...]
    empty: tuple[str, ...]


def file_of(key: str) -> tuple[str, str] | None:
    """Given an object's key, returns the directory archive that it may be of, and its name in it."""
    directory, _, name = key.rpartition("/")
    return (directory, name) if directory and _FILE.fullmatch(name) else None


def data_files(
    contents: Contents, there: Mapping[str, int], read: Callable[[str], bytes] | None = None
) -> DataFiles:
    """Given an archive's table of contents, its files with their sizes, and how a small one is read whole
    (None: lists of large objects are not looked into), returns what is there of its data."""
    sizes: dict[int, int] = {}
    missing, empty = [], []
    for entry in contents.entries:
        if not entry.has_data or not entry.file:
            continue
        may_be = [entry.file + end for end in _COMPRESSED]
        if entry.desc in _LARGE_OBJECTS:  # in a tar the entry names a file that is never written
            may_be = [entry.file, f"blobs_{entry.dump_id}.toc", "blobs.toc"]
        name = next((name for name in may_be if name in there), None)
        if name is None:
            missing.append(entry.file)
        elif entry.desc in _LARGE_OBJECTS:
            sizes[entry.dump_id] = there[name]
            for listed in _listed(read(name)) if read is not None else ():
                blob = next((listed + end for end in _COMPRESSED if listed + end in there), None)
                if blob is None:
                    missing.append(listed)
                else:
                    sizes[entry.dump_id] += there[blob]
        elif not there[name]:
            empty.append(name)
        else:
            sizes[entry.dump_id] = there[name]
    return DataFiles(sizes, tuple(missing), tuple(empty))


def files_for(contents: Contents, there: Collection[str], chosen: Collection[int]) -> frozenset[str]:
    """Given a directory archive's contents, the names of its files and the dump ids of what is to be loaded,
    returns the files that pg_restore reads for that."""
    wanted = {TOC}
    for entry in contents.entries:
        if entry.dump_id not in chosen or not entry.has_data:
            continue
        if entry.desc in _LARGE_OBJECTS:
            wanted.update(name for name in there if name.startswith("blob"))
        elif entry.file:
            wanted.update(entry.file + end for end in _COMPRESSED)
    return frozenset(wanted.intersection(there))


def told_missing(found: DataFiles) -> str | None:
    """A sentence on what is missing, None when nothing is."""
    wrong = [*(f"{name} is missing" for name in found.missing), *(f"{name} is empty" for name in found.empty)]
    if not wrong:
        return None
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return f"A file that its table of contents names isn't there: {', '.join(wrong[:3])}{more}."


def cut_rows(contents: Contents, there: Mapping[str, int], tail: Callable[[str, int], bytes]) -> str | None:
    """Given `tail(name, length)`, which returns a file's last bytes, returns the name of a file that ends
    before its rows do, as far as that shows: pg_restore takes uncompressed rows that end early for all.
    """
    for entry in contents.entries:
        if entry.has_data and entry.copy_statement and entry.file in there:
            name = entry.file or ""
            if tail(name, len(_END_OF_ROWS)) != _END_OF_ROWS:
                return name
    return None


def tar_members(read: Callable[[int, int], bytes], size: int) -> dict[str, int]:
    """Given `read(start, length)` and a tar archive's size, returns its members with their sizes. Reads 512
    bytes for each. Raises CutShort when it ends inside one, ArchiveError when it is damaged."""
    members: dict[str, int] = {}
    at = 0
    while True:
        head = read(at, _BLOCK)
        if len(head) < _BLOCK:
            raise CutShort("The archive is cut short.", f"It ends after {size} bytes.", OTHER_COPY)
        if not head.strip(b"\0"):
            return members
        if head[257:262] != b"ustar" or not _sums_up(head):
            raise ArchiveError("The archive is damaged.", f"At byte {at}: no header of a file.", OTHER_COPY)
        name, length = head[:100].rstrip(b"\0").decode("utf-8", "replace"), _number(head[124:136])
        at += _BLOCK + -(-length // _BLOCK) * _BLOCK
        if at > size:
            raise CutShort("The archive is cut short.", f"It ends inside its file {name!r}.", OTHER_COPY)
        members[name] = length


def _listed(text: bytes) -> list[str]:
    """The files of a list of large objects: a line is the object's number and its file's name."""
    lines = (line.split() for line in text[:LISTED].decode("utf-8", "replace").splitlines())
    return [line[1] for line in lines if len(line) == 2 and _FILE.fullmatch(line[1])]


def _sums_up(head: bytes) -> bool:
    said = head[148:156]
    try:
        wanted = int(said.strip(b" \0") or b"0", 8)
    except ValueError:
        return False
    return sum(head) - sum(said) + 8 * ord(" ") == wanted


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # from 8 GB on: base 256 (pgtar's print_tar_number)
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise ArchiveError("The archive is damaged.", "A file's size is no number.", OTHER_COPY) from None
