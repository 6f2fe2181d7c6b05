"""What lies around an archive: encryption outermost, then compression of the whole file. Told by the first
bytes, never by a name alone, and taken off in a stream.

What is compressed or encrypted as a whole can't be read by ranges: to reach a byte, all before it are read.
"""

from __future__ import annotations

import importlib
import re
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain
from types import ModuleType, TracebackType
from typing import Protocol

from tui.model.amounts import plural
from tui.model.backup import Layer
from tui.model.errors import ArchiveError, PgdrError
from tui.model.fleet import Fleet
from tui.operations.layers.encryption import NoKey, decrypted
from tui.postgres.archive.reader import MAGIC, OTHER_COPY

__all__ = [
    "COMPRESSIONS",
    "HEAD",
    "Beginning",
    "Layer",
    "Peeled",
    "in_words",
    "is_archive",
    "is_encrypted",
    "layer_of",
    "layers_of",
    "named_layers",
    "opened",
    "peeled",
]

HEAD = 4 << 10  # bytes that tell what a file is

_PIECE = 1 << 20
_FED = 4 << 10  # at a time: 4 bytes of zstd may stand for 128 KiB, so what they unpack to stays bounded
_DEEPEST = 4
_WINDOW = 1 << 31  # zstd --long=31: the largest that the format's own programs write
_CIPHERS = (Layer.AGE, Layer.GPG)
COMPRESSIONS = (Layer.GZIP, Layer.ZSTD, Layer.LZ4)
_ENDS = {"gz": Layer.GZIP, "zst": Layer.ZSTD, "lz4": Layer.LZ4, "age": Layer.AGE, "gpg": Layer.GPG}
_BEGINNINGS = (
    (b"\x1f\x8b", Layer.GZIP),
    (b"\x28\xb5\x2f\xfd", Layer.ZSTD),
    (b"\x04\x22\x4d\x18", Layer.LZ4),
    (b"age-encryption.org/v1\n", Layer.AGE),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", Layer.AGE),
    (b"-----BEGIN PGP MESSAGE-----", Layer.GPG),
)
# pzstd begins with a frame that holds a length and is skipped (RFC 8878, 3.1.2).
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
# A packet with a session key (RFC 9580, 4.2, 5.1, 5.3): for a public key (tag 1, version 3) or a
# passphrase (tag 3, version 4), with an old or a new header.
_PACKET = re.compile(
    rb"(?:\x84.|\x85..|\xc1[\x00-\xbf]|\xc1[\xc0-\xdf].)\x03|(?:\x8c.|\xc3[\x00-\xbf])\x04", re.DOTALL
)


def layer_of(head: bytes) -> Layer | None:
    """Given the first bytes of a file, returns what it is packed in; None for nothing that is known here."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if _SKIPPABLE.match(head):
        return Layer.ZSTD
    return Layer.GPG if _PACKET.match(head) else None


def layers_of(key: str, head: bytes) -> tuple[Layer, ...]:
    """Given a file's key and its first bytes, returns its layers, the outermost first.

    The bytes tell, of a compressed file those inside too. What lies under an encryption, and that something
    is encrypted whose beginning is damaged, is told by the key: `x.sql.gz.age` is of age, then of gzip.
    """
    found: list[Layer] = []
    while len(found) < _DEEPEST and (layer := _outermost(head, "" if found else key)) is not None:
        found.append(layer)
        if layer in _CIPHERS:
            names = named_layers(key)
            return (*found, *(names[names.index(layer) + 1 :] if layer in names else ()))
        head = _peeked(head, layer)
    return tuple(found)


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is an archive of pg_dump: custom, tar, a directory's toc.dat."""
    return head.startswith(MAGIC) or (head[:8] == b"toc.dat\0" and head[257:262] == b"ustar")


def is_encrypted(layers: Iterable[Layer]) -> bool:
    """Whether one of the layers is an encryption."""
    return any(layer in _CIPHERS for layer in layers)


def in_words(layers: Iterable[Layer]) -> str:
    """`encrypted with age, compressed with gzip`."""
    said = (f"{'encrypted' if layer in _CIPHERS else 'compressed'} with {layer.value}" for layer in layers)
    return ", ".join(said)


def named_layers(key: str) -> tuple[Layer, ...]:
    """What the end of a key says that a file is packed in, the outermost first."""
    found = []
    name, dot, end = key.rpartition(".")
    while dot and end.lower() in _ENDS:
        found.append(_ENDS[end.lower()])
        name, dot, end = name.rpartition(".")
    return tuple(found)


def _outermost(head: bytes, key: str) -> Layer | None:
    told = layer_of(head)
    if told is not None or not head or is_archive(head):
        return told
    named = named_layers(key)[:1]
    return named[0] if named and named[0] in _CIPHERS else None


def _peeked(head: bytes, layer: Layer) -> bytes:
    """The first bytes inside, as far as `head` has them."""
    inside = opened((head,), (layer,), None)
    first = bytearray()
    with suppress(PgdrError, StopIteration), closing(inside) as pieces:
        while len(first) < HEAD:
            first += next(pieces)
    return bytes(first[:HEAD])


@dataclass(frozen=True, slots=True)
class Peeled:
    """A file without its layers: what they were, the outermost first, the first bytes inside, and all of it
    (those first bytes among them) as a stream that can be read once."""

    layers: tuple[Layer, ...]
    head: bytes
    chunks: Iterator[bytes]

    def close(self) -> None:
        """Ends what the stream comes from."""
        close = getattr(self.chunks, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Peeled:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def peeled(chunks: Iterable[bytes], fleet: Fleet | None, key: str = "") -> Peeled:
    """Given a stored file's bytes, returns it without its layers. `fleet` knows the keys; without one nothing
    is decrypted. `key` tells of a file whose beginning is damaged that it was encrypted.

    Raises NoKey when no key at hand opens it, ArchiveError when a layer is damaged or cut short or there are
    too many; so does the stream, where that shows later.
    """
    layers: list[Layer] = []
    head, stream = _begun(iter(chunks))
    while (layer := _outermost(head, "" if layers else key)) is not None:
        if layer in _CIPHERS and fleet is None:
            break
        if len(layers) == _DEEPEST:
            _close(stream)
            raise ArchiveError(
                f"It is packed more than {plural(_DEEPEST, 'time')}.", mend="Unpack it by hand."
            )
        layers.append(layer)
        head, stream = _begun(opened(stream, (layer,), fleet))
    return Peeled(tuple(layers), head, stream)


def opened(chunks: Iterable[bytes], layers: Iterable[Layer], fleet: Fleet | None) -> Generator[bytes]:
    """Gives what lies inside `layers`, the outermost of which is first, in pieces of about a megabyte and in
    bounded memory. `fleet` knows the keys.

    Only when it has ended without an error is what came out whole; closed, it ends what it comes from. What
    `chunks` raises passes through.
    Raises NoKey when no key at hand opens it, ArchiveError when a layer is damaged, ends early, or has
    something else behind its end.
    """
    stream = iter(chunks)
    for layer in layers:
        if layer not in _CIPHERS:
            stream = _unpacked(stream, layer)
        elif fleet is None:
            raise NoKey(f"It is encrypted with {layer.value}, and no configuration names a key.")
        else:
            stream = decrypted(stream, layer.value, fleet)
    return _given([], stream)


def _begun(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    first: list[bytes] = []
    try:
        while sum(map(len, first)) < HEAD and (chunk := next(chunks, None)) is not None:
            first.append(chunk)
    except BaseException:
        _close(chunks)
        raise
    return b"".join(first)[:HEAD], _given(first, chunks)


def _given(first: list[bytes], chunks: Iterator[bytes]) -> Generator[bytes]:
    """`chunks` with those that were taken from it; ended, it ends `chunks`."""
    try:
        yield from chain(first, chunks)
    finally:
        _close(chunks)


def _close(chunks: Iterator[bytes]) -> None:
    close = getattr(chunks, "close", None)
    if close is not None:
        close()


class _Unpacker(Protocol):
    """What takes off one compression."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gunzip:
    """zlib's, by the standard library."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class _Unzstd:
    """zstd's, by the package zstandard, which gives all that its input holds at once."""

    def __init__(self) -> None:
        self._inner = _zstandard().ZstdDecompressor(max_window_size=_WINDOW).decompressobj()

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def needs_input(self) -> bool:
        return True

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return bytes(self._inner.decompress(data))
        except _zstandard().ZstdError as error:
            raise zlib.error(str(error)) from error


class _Unlz4:
    """lz4's frames, as pg_dump --compress=lz4 writes plain SQL, by the package lz4."""

    def __init__(self) -> None:
        self._inner = _package("lz4.frame", Layer.LZ4).LZ4FrameDecompressor()

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def needs_input(self) -> bool:
        return bool(self._inner.needs_input)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data or b"")

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return bytes(self._inner.decompress(data, max_length))
        except RuntimeError as error:  # its only kind
            raise zlib.error(str(error)) from error


def _package(name: str, layer: Layer) -> ModuleType:
    """A package that takes off a layer, loaded when there is one. Raises PgdrError where it isn't there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        package, _, _ = name.partition(".")
        raise PgdrError(
            f"It is compressed with {layer.value}, which this installation can't undo.",
            f"The Python package {package} is not installed.",
            f"Install it beside pgdr (pip install {package}), or unpack the backup by hand: {layer.value} -d",
        ) from None


def _zstandard() -> ModuleType:
    return _package("zstandard", Layer.ZSTD)


_UNPACKERS: dict[Layer, Callable[[], _Unpacker]] = {
    Layer.GZIP: _Gunzip,
    Layer.ZSTD: _Unzstd,
    Layer.LZ4: _Unlz4,
}


def _unpacked(chunks: Iterable[bytes], layer: Layer) -> Iterator[bytes]:
    unpacker: _Unpacker | None = None
    came = ended = 0
    with closing(_given([], iter(chunks))) as source:
        for chunk in source:
            data = chunk
            while data:
                if unpacker is None:
                    data = data.lstrip(b"\0") if ended else data  # tapes fill up with zeros
                    if not data:
                        break
                    unpacker = _UNPACKERS[layer]()
                piece, data = data[:_FED], data[_FED:]
                while True:
                    try:
                        out = unpacker.decompress(piece, _PIECE)
                    except zlib.error as error:
                        raise _damaged(layer, came, ended) from error
                    piece = b""
                    came += len(out)
                    if out:
                        yield out
                    if unpacker.eof or unpacker.needs_input:
                        break
                if unpacker.eof:
                    data, unpacker = unpacker.unused_data + data, None
                    ended += 1
    if unpacker is not None or not ended:
        raise ArchiveError(
            "It is cut short.",
            f"Its {layer.value} stream ends too early, after {came:,} bytes unpacked.",
            OTHER_COPY,
        )


def _damaged(layer: Layer, came: int, ended: int) -> ArchiveError:
    behind = " Behind the end of what was compressed lies something else." if ended else ""
    return ArchiveError(
        "It is damaged.",
        f"It can't be unpacked with {layer.value} from byte {came:,} of what is in it on.{behind}",
        OTHER_COPY,
    )


class Beginning:
    """The beginning of a stream, read by ranges, as far as it is asked for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._data = bytearray()

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range, fewer at the stream's end. All before them stay in memory."""
        with suppress(StopIteration):
            while len(self._data) < start + length:
                self._data += next(self._chunks)
        return bytes(self._data[start : start + length])
