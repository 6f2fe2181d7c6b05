"""The bytes of an archive from outside, read one checked piece at a time."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

from tui.model.errors import ArchiveError
from tui.model.text import clean

MAGIC = b"PGDMP"
OTHER_COPY = "Use another backup, or another store's copy of this one."
# What a real archive stays far below; a damaged or hostile one must not make us allocate more.
_LONGEST_TEXT = 64 << 20
LONGEST_TOC = 512 << 20

FIRST_READ = 64 << 10  # holds the whole TOC of a database of some hundred objects
_LARGEST_READ = 4 << 20


_SQL = re.compile(rb"\s*(--|/\*|\\restrict|SET\s|CREATE\s|BEGIN\b|DROP\s|INSERT\s|COPY\s)", re.IGNORECASE)
_OTHERS = (
    (
        b"\x1f\x8b",
        "compressed with gzip",
        "Try: gunzip -c FILE | head. If that is SQL, restore it with psql.",
    ),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Undo that with zstd -d, then try again."),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "Undo that with lz4 -d, then try again."),
    (
        b"\xff\xfe",
        "text in UTF-16, as a shell of Windows writes it",
        "Turn it back: iconv -f UTF-16 -t UTF-8",
    ),
    (b"BZh", "compressed with bzip2", "Undo that with bunzip2, then try again."),
    (b"\xfd7zXZ", "compressed with xz", "Undo that with unxz, then try again."),
    (b"PK\x03\x04", "a zip file", "Unpack it, then try again."),
    (b"age-encryption.org/", "encrypted with age", "Decrypt it with age -d, then try again."),
    (b"-----BEGIN PGP", "encrypted with PGP", "Decrypt it with gpg -d, then try again."),
    (b"Salted__", "encrypted with openssl", "Decrypt it with openssl enc -d, then try again."),
)


class CutShort(ArchiveError):
    """The archive ends before its table of contents (or a data block of it) does."""


class Reader:
    """Bytes, integers and texts of an archive in their order, fetched as they are needed.

    Every method raises CutShort when the archive ends first, ArchiveError on what no archive holds.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._read = read
        self._size = size
        self._data = bytearray()
        self.at = 0
        self.int_bytes = 4
        self.codec = "utf-8"

    def _need(self, count: int) -> None:
        while len(self._data) - self.at < count:
            have = len(self._data)
            if have >= LONGEST_TOC:
                raise damaged(f"its table of contents is longer than {LONGEST_TOC >> 20} MiB", self.at)
            more = max(self.at + count - have, min(max(FIRST_READ, have), _LARGEST_READ))
            chunk = self._read(have, min(more, self._size - have)) if have < self._size else b""
            if not chunk:
                raise CutShort(
                    "The archive is cut short.",
                    f"It ends after {have} bytes, inside its table of contents.",
                    OTHER_COPY,
                )
            self._data += chunk

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if len(self._data) - self.at < count:
            self._need(count)
        start, self.at = self.at, self.at + count
        return bytes(self._data[start : self.at])

    def peek(self, count: int) -> bytes:
        """Up to `count` bytes from here; fewer where there are no more."""
        with contextlib.suppress(CutShort):
            self._need(count)
        return bytes(self._data[self.at : self.at + count])

    def byte(self) -> int:
        """The next byte, as a number."""
        return self.take(1)[0]

    def integer(self) -> int:
        """The next integer: a byte for its sign, then `int_bytes` bytes, the lowest first (ReadInt)."""
        raw = self.take(1 + self.int_bytes)
        if raw[0] > 1:
            raise damaged("an integer with a sign that no archive has", self.at)
        value = int.from_bytes(raw[1:], "little")
        return -value if raw[0] else value

    def text(self) -> str | None:
        """The next text in `codec`, None for NULL (ReadStr). What doesn't fit the codec becomes U+FFFD."""
        length = self.integer()
        if length < 0:
            return None
        if length > _LONGEST_TEXT:
            raise damaged(f"a text of {length} bytes", self.at)
        raw = self.take(length)
        if 0 in raw:  # C's strings end there, so that is what pg_restore sees
            raw = raw[: raw.index(0)]
        return raw.decode(self.codec, "replace")


def not_an_archive(head: bytes) -> ArchiveError:
    """Given the first bytes of a file that isn't an archive, returns the error that says what it is."""
    if not head:
        return ArchiveError("The file is empty.", "No backup was written to it.", OTHER_COPY)
    if MAGIC.startswith(head):
        return CutShort("The archive is cut short.", f"It ends after {len(head)} bytes.", OTHER_COPY)
    for magic, what, mend in _OTHERS:
        if head.startswith(magic):
            return ArchiveError(f"This is no archive of pg_dump: it is {what}.", None, mend)
    if _SQL.match(head):
        return ArchiveError(
            "This is plain SQL: restore it with psql.",
            "Only archives of pg_dump -Fc, -Fd or -Ft have a table of contents.",
            "psql -X -v ON_ERROR_STOP=1 -d NEW_DATABASE -f FILE",
        )
    return ArchiveError(
        "This is no archive of pg_dump.",
        "It doesn't begin with PGDMP.",
        "Choose another backup; if it was encrypted or compressed after the dump, undo that first.",
    )


def damaged(why: str, position: int) -> ArchiveError:
    """Given what was found at which byte, returns the error for it."""
    return ArchiveError(
        "The archive is damaged.",
        f"At byte {position}: {clean(why)}.",
        OTHER_COPY,
    )
