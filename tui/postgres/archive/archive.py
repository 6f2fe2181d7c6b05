"""What pg_dump's archives hold, read from their first bytes: the header and the table of contents.

The layout is that of PostgreSQL's pg_backup_archiver.c (ReadHead, ReadToc, ReadInt, ReadStr,
ReadOffset) and pg_backup_custom.c, archive versions 1.12 (PostgreSQL 9.0) to 1.16 (17 and 18).
An archive comes from outside: every length is checked before it is used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timezone

from tui.model.backup import ArchiveFormat, BlockOffset, Contents, Manifest, TableContents, TocEntry
from tui.model.errors import ArchiveError
from tui.postgres.archive.reader import (
    FIRST_READ,
    LONGEST_TOC,
    MAGIC,
    OTHER_COPY,
    CutShort,
    Reader,
    damaged,
    not_an_archive,
)
from tui.postgres.facts.locales import DatabaseLocale, database_locale

_SMALLEST_ENTRY = 40  # bytes: fewer than its empty texts take

_OLDEST, _NEWEST = (1, 12), (1, 16)
_COMPRESSIONS = ("none", "gzip", "lz4", "zstd")  # enum pg_compress_algorithm
_POSITION_SET, _NO_DATA = 2, 3  # K_OFFSET_POS_SET, K_OFFSET_NO_DATA; 1 is "not set"

# What Python calls the encodings that a server may have; others are read as UTF-8.
CODECS = {
    "LATIN1": "iso8859-1", "LATIN2": "iso8859-2", "LATIN3": "iso8859-3", "LATIN4": "iso8859-4",
    "LATIN5": "iso8859-9", "LATIN6": "iso8859-10", "LATIN7": "iso8859-13", "LATIN8": "iso8859-14",
    "LATIN9": "iso8859-15", "LATIN10": "iso8859-16", "ISO_8859_5": "iso8859-5",
    "ISO_8859_6": "iso8859-6", "ISO_8859_7": "iso8859-7", "ISO_8859_8": "iso8859-8",
    "WIN866": "cp866", "WIN874": "cp874", "WIN1250": "cp1250", "WIN1251": "cp1251",
    "WIN1252": "cp1252", "WIN1253": "cp1253", "WIN1254": "cp1254", "WIN1255": "cp1255",
    "WIN1256": "cp1256", "WIN1257": "cp1257", "WIN1258": "cp1258", "KOI8R": "koi8-r",
    "KOI8U": "koi8-u", "EUC_JP": "euc_jp", "EUC_CN": "gb2312", "EUC_KR": "euc_kr", "SJIS": "shift_jis",
    "BIG5": "big5", "GBK": "gbk", "GB18030": "gb18030", "UHC": "cp949", "JOHAB": "johab",
}  # fmt: skip


__all__ = [
    "MAGIC",
    "BlockScanner",
    "CutShort",
    "DatabaseLocale",
    "data_blocks",
    "data_sizes",
    "database_locale",
    "read_contents",
    "table_contents",
]

_DUMP_ID = re.compile(r"[0-9]{1,10}")


def read_contents(read: Callable[[int, int], bytes], size: int) -> Contents:
    """Given `read(start, length)`, which may return less, and the archive's size in bytes, returns
    its header and table of contents. Reads 64 KiB and then only as much more as the TOC needs.

    Takes a custom-format archive, a directory archive's `toc.dat` or a tar archive.
    Raises ArchiveError when it is empty, plain SQL, something else, damaged or newer than understood;
    CutShort (one of them) when it ends inside its table of contents.
    """
    return _contents(Reader(read, size), size)


def data_sizes(
    contents: Contents, archive_bytes: int, blocks: tuple[BlockOffset, ...] = ()
) -> dict[int, int]:
    """Given an archive's contents, its whole size and the blocks noted when it was streamed (if any),
    returns the compressed bytes of each data entry by dump id.

    Empty where nothing tells: an archive written to a pipe has no offsets (pg_backup_custom.c,
    _CloseArchive). Of tar and directory archives and plain SQL `contents.sizes` tells. Entries past the end
    of a file that was cut short are left out.
    """
    if contents.sizes is not None:
        return contents.sizes
    if blocks:
        known = {e.dump_id for e in contents.entries if e.has_data}
        return {b.dump_id: b.size_bytes for b in blocks if b.dump_id in known}
    data = [e for e in contents.entries if e.has_data]
    offsets = sorted((e.offset, e.dump_id) for e in data if e.offset is not None)
    if not offsets or len(offsets) < len(data):
        return {}
    ends = [*(offset for offset, _ in offsets[1:]), archive_bytes]
    return {
        dump_id: min(end, archive_bytes) - offset
        for (offset, dump_id), end in zip(offsets, ends, strict=True)
        if offset < archive_bytes
    }


def data_blocks(
    contents: Contents, archive_bytes: int, blocks: tuple[BlockOffset, ...] = ()
) -> dict[int, BlockOffset]:
    """Given the same, returns where each data entry's block lies, by dump id; empty where nothing tells."""
    if blocks:
        known = {e.dump_id for e in contents.entries if e.has_data}
        return {b.dump_id: b for b in blocks if b.dump_id in known}
    sizes = data_sizes(contents, archive_bytes)
    return {
        e.dump_id: BlockOffset(e.dump_id, e.offset, sizes[e.dump_id])
        for e in contents.entries
        if e.offset is not None and e.dump_id in sizes
    }


def table_contents(
    contents: Contents, archive_bytes: int, manifest: Manifest | None
) -> tuple[TableContents, ...]:
    """Given an archive's contents, its size and its manifest, returns its tables, biggest first.

    These are the tables that have data in the archive; all tables where none has (schema only).
    """
    sizes = data_sizes(contents, archive_bytes, manifest.blocks if manifest else ())
    rows = {(t.schema, t.name): t.rows for t in manifest.tables} if manifest else {}
    desc = "TABLE DATA" if any(e.desc == "TABLE DATA" for e in contents.entries) else "TABLE"
    tables = [
        TableContents(e.schema or "", e.name, sizes.get(e.dump_id), rows.get((e.schema or "", e.name)))
        for e in contents.entries
        if e.desc == desc
    ]
    tables.sort(key=lambda t: (-(t.compressed_bytes or 0), -(t.rows or 0), t.schema, t.name))
    return tuple(tables)


class BlockScanner:
    """Notes where each data block lies while a custom-format archive streams past.

    An archive that is piped has no offsets in its TOC; with these beside it, sizes are known and
    ranges can be read. Keeps the table of contents and one number per block, never data.
    """

    def __init__(self) -> None:
        self.contents: Contents | None = None  # known once the TOC has gone past
        self.toc_sha256: str | None = None  # of header and TOC, from then on
        self._head = bytearray()
        self._try_at = FIRST_READ
        self._integer = 5  # bytes of an integer: sign and digits
        self._position = 0  # bytes of the archive that were looked at, `_rest` not among them
        self._rest = b""  # the beginning of an integer whose end has not come yet
        self._skip = 0  # bytes of the chunk that have yet to go past
        self._start = 0
        self._dump_id = 0
        self._large_objects = False
        self._inside = 0  # 0 between blocks, 1 before an object's id, 2 in its chunks
        self._digest = hashlib.sha256()  # of the block at hand, so far as it went past
        self._digested = 0
        self._blocks: list[BlockOffset] = []

    def feed(self, data: bytes) -> None:
        """Given the next bytes of the archive. Raises ArchiveError on what no archive holds."""
        if self.contents is not None:
            self._walk(data)
            return
        self._head += data
        if len(self._head) >= self._try_at:
            self._try_at = 2 * len(self._head)  # so that a long TOC is parsed few times
            self._begin(last=False)

    def close(self) -> tuple[BlockOffset, ...]:
        """Says that the archive has ended; returns its blocks in the file's order.

        Raises CutShort when it ended inside a block, or when a block that the TOC names never came.
        """
        if self.contents is None:
            self._begin(last=True)
        expected = {e.dump_id for e in self.contents.entries if e.has_data} if self.contents else set()
        if self._inside or self._skip or self._rest or expected - {b.dump_id for b in self._blocks}:
            raise CutShort(
                "The archive is cut short inside its data.",
                f"It ends after {self._position + len(self._rest)} bytes.",
                "Take the backup again; what wrote it was interrupted.",
            )
        return tuple(self._blocks)

    def _begin(self, *, last: bool) -> None:
        head = bytes(self._head)
        reader = Reader(lambda start, length: head[start : start + length], len(head))
        try:
            contents = _contents(reader, None)
        except CutShort:
            if last:
                raise
            return
        if contents.format is not ArchiveFormat.CUSTOM:
            raise ArchiveError("Only a custom-format archive can be streamed.", None, "Use pg_dump -Fc.")
        self.contents = contents
        self.toc_sha256 = hashlib.sha256(head[: contents.toc_bytes]).hexdigest()
        self._integer = reader.int_bytes + 1
        self._position = contents.toc_bytes
        self._head.clear()
        self._walk(head[contents.toc_bytes :])

    def _walk(self, data: bytes) -> None:
        if self._rest:
            data, self._rest = self._rest + data, b""
        here, end, width = 0, len(data), self._integer
        while True:
            if self._skip:
                step = min(self._skip, end - here)
                here += step
                self._skip -= step
                if self._skip:
                    break
            # Without compression there is a chunk for every row: those that lie here whole go past quickly.
            while self._inside == 2 and end - here >= width and not data[here]:
                size = int.from_bytes(data[here + 1 : here + width], "little")
                if not size or here + width + size > end:
                    break
                here += width + size
            needed = width if self._inside else 1 + width
            if end - here < needed:
                self._rest = data[here:]
                break
            if not self._inside:
                self._open(data[here], _number(data, here + 1, width), self._position + here)
            elif self._inside == 1:  # a large object's id, zero after the last one
                self._inside = 2 if _number(data, here, width) else 0
                if not self._inside:
                    self._end_block(data, self._position + here + width)
            else:
                self._skip = _number(data, here, width)
                if self._skip < 0:
                    raise damaged("a chunk of data has a length below zero", self._position + here)
                if not self._skip:
                    self._inside = 1 if self._large_objects else 0
                    if not self._inside:
                        self._end_block(data, self._position + here + width)
            here += needed
        if self._inside:
            self._hash(data, self._position + end - len(self._rest))
        self._position += end - len(self._rest)

    def _open(self, kind: int, dump_id: int, position: int) -> None:
        if kind not in (1, 3):  # BLK_DATA, BLK_BLOBS
            raise damaged(f"a data block of an unknown kind ({kind})", position)
        self._start, self._dump_id, self._large_objects = position, dump_id, kind == 3
        self._inside = 1 if self._large_objects else 2
        self._digest, self._digested = hashlib.sha256(), position

    def _end_block(self, data: bytes, position: int) -> None:
        self._hash(data, position)
        made = BlockOffset(self._dump_id, self._start, position - self._start, self._digest.hexdigest())
        self._blocks.append(made)

    def _hash(self, data: bytes, until: int) -> None:
        """`data` lies at `_position` in the archive, as far as it went past."""
        self._digest.update(memoryview(data)[self._digested - self._position : until - self._position])
        self._digested = until


def _number(data: bytes, at: int, width: int) -> int:
    value = int.from_bytes(data[at + 1 : at + width], "little")
    return -value if data[at] else value


def _contents(reader: Reader, size: int | None) -> Contents:
    """`size` is None when the archive is still growing: nothing can be said of its length then."""
    tar = _is_tar(reader)
    major, minor, revision = reader.byte(), reader.byte(), reader.byte()
    if not _OLDEST <= (major, minor) <= _NEWEST:
        newer = (major, minor) > _NEWEST
        raise ArchiveError(
            f"The archive is {'newer' if newer else 'older'} than this program understands, or damaged.",
            f"It has archive version {major}.{minor}; known are 1.12 to 1.16 (PostgreSQL 9.0 to 18).",
            "Update pgdr and the PostgreSQL client programs." if newer else "Try pg_restore on it by hand.",
        )
    reader.int_bytes, offset_bytes, code = reader.byte(), reader.byte(), reader.byte()
    if not 2 <= reader.int_bytes <= 8 or not 2 <= offset_bytes <= 8:
        raise damaged("sizes of integers that no machine has", reader.at)
    if code not in (1, 3, 5) or (tar and code != 3):
        raise damaged(f"an unknown format ({code})", reader.at)
    # pg_backup_directory.c writes the tar format's code into its own toc.dat.
    form = ArchiveFormat.CUSTOM if code == 1 else ArchiveFormat.TAR if tar else ArchiveFormat.DIRECTORY
    compression = _compression(reader, minor)
    created_at = _created_at(reader)
    database, server_version, dump_version = reader.text(), reader.text(), reader.text()
    head_bytes, count = reader.at, reader.integer()
    if not 0 <= count <= LONGEST_TOC // _SMALLEST_ENTRY:
        raise damaged(f"a table of contents of {count} entries", reader.at)
    if size is not None and count * _SMALLEST_ENTRY > size:
        raise CutShort(
            "The archive is cut short.",
            f"Its table of contents has {count} entries, which its {size} bytes can't hold.",
            OTHER_COPY,
        )
    custom = form is ArchiveFormat.CUSTOM
    return Contents(
        format=form,
        archive_version=(major, minor, revision),
        compression=compression,
        created_at=created_at,
        database=database,
        server_version=server_version,
        dump_version=dump_version,
        entries=tuple(_entry(reader, minor, offset_bytes if custom else 0) for _ in range(count)),
        toc_bytes=reader.at,
        head_bytes=head_bytes,
    )


def _is_tar(reader: Reader) -> bool:
    """Goes past the magic, and past a tar archive's first header (pg_backup_tar.c writes toc.dat first)."""
    head = reader.peek(512)
    if head[:5] == MAGIC:
        reader.take(5)
        return False
    if head[:8] == b"toc.dat\0" and head[257:262] == b"ustar":
        reader.take(512)
        if reader.take(5) != MAGIC:
            raise damaged("a tar archive whose toc.dat isn't one", 512)
        return True
    raise not_an_archive(head)


def _compression(reader: Reader, minor: int) -> str:
    """A byte since 1.15; before, zlib's level, of which only 0 means that nothing is compressed."""
    if minor < 15:
        return "gzip" if reader.integer() else "none"
    code = reader.byte()
    if code >= len(_COMPRESSIONS):
        raise damaged(f"an unknown compression ({code})", reader.at)
    return _COMPRESSIONS[code]


def _created_at(reader: Reader) -> datetime:
    second, minute, hour, day, month, year, _ = (reader.integer() for _ in range(7))
    try:  # struct tm: months from 0, years from 1900, a leap second is 60
        return datetime(year + 1900, month + 1, day, hour, minute, min(second, 59), tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        raise damaged("a time of creation that no clock shows", reader.at) from None


def _entry(reader: Reader, minor: int, offset_bytes: int) -> TocEntry:
    """One entry in the order in which WriteToc writes it; `offset_bytes` is 0 where no offset follows but
    the name of a file (directory and tar archives)."""
    dump_id = reader.integer()
    if dump_id <= 0:
        raise damaged(f"an entry with the number {dump_id}", reader.at)
    has_data = reader.integer() != 0
    reader.text(), reader.text()  # oid of the catalog and in it
    name, desc = reader.text() or "", reader.text() or ""
    section = reader.integer()
    if not 1 <= section <= 4:
        raise damaged(f"an entry in an unknown section ({section})", reader.at)
    definition = reader.text() or ""
    reader.text()  # the DROP statement
    copy_statement, schema, tablespace = reader.text(), reader.text(), reader.text()
    access_method = reader.text() if minor >= 14 else None
    if minor >= 16:
        reader.integer()  # relkind
    owner = reader.text()
    reader.text()  # "with oids"
    dependencies = []
    while (text := reader.text()) is not None:
        if not _DUMP_ID.fullmatch(text):
            raise damaged("a dependency that is no number", reader.at)
        dependencies.append(int(text))
    offset = None
    if offset_bytes:
        state = reader.byte()
        if not 1 <= state <= _NO_DATA:
            raise damaged(f"an offset in an unknown state ({state})", reader.at)
        position = int.from_bytes(reader.take(offset_bytes), "little")
        offset = position if state == _POSITION_SET else None
    file = None if offset_bytes else reader.text() or None
    if desc == "ENCODING" and (found := re.search(r"'(\w+)'", definition)):
        reader.codec = CODECS.get(found[1], "utf-8")  # pg_dump writes this entry first
    return TocEntry(
        dump_id=dump_id,
        desc=desc,
        name=name,
        schema=schema or None,
        owner=owner or None,
        section=section,
        definition=definition,
        copy_statement=copy_statement,
        tablespace=tablespace,
        access_method=access_method,
        dependencies=tuple(dependencies),
        has_data=has_data,
        offset=offset,
        file=file,
    )
