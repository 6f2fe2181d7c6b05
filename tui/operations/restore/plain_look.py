"""Looking into a backup in plain SQL: what is in it, and what of it one fresh database can't hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tui.model.backup import Contents
from tui.model.errors import ArchiveError
from tui.model.fleet import Fleet
from tui.model.plan import Finding, Level
from tui.operations.layers.layers import COMPRESSIONS, Layer, peeled
from tui.operations.report import Stop, Stopped
from tui.postgres.archive.plain import Plain, complete, read_plain
from tui.postgres.archive.reader import OTHER_COPY

# Bytes as they lie: a larger one is read whole only for a restore. A gigabyte takes 1 s, of INSERTs 30 s.
SCANNED = 1 << 30
HEAD_SCANNED = 1 << 20
_PIECE = 1 << 20
TAIL = 1 << 10  # pg_dump's last line is among these

_SPLIT = "Take a backup of the one database alone: pg_dump without --create, or pgdr backup."
_BY_HAND = "Restore it by hand with psql into a server that has none of these databases."
_OF_PSQL = "pg_dump writes no such line: find out who did. Take it out, or use another backup."
_OF_SERVER = (
    "pg_dump writes no such statement: find out who did. Take it out, and run it apart if it is meant."
)

_CUT = Finding(Level.STOP, "size", "It is cut short: the line that pg_dump ends with is missing.", OTHER_COPY)


@dataclass(frozen=True, slots=True)
class Looked:
    """What is in a backup, and what is to be known of it."""

    contents: Contents
    findings: tuple[Finding, ...]


def look(
    chunks: Iterable[bytes], layers: tuple[Layer, ...], taken_at: datetime, *, whole: bool = True
) -> Looked:
    """Given the text of a dump without its layers, or its beginning alone (not `whole`), and when it was
    taken by what else is known, returns what is in it.

    Raises ArchiveError when it can't be taken apart at all, and what `chunks` raises.
    """
    plain = read_plain(chunks, taken_at, whole=whole)
    compression = next((layer.value for layer in layers if layer in COMPRESSIONS), "none")
    contents = replace(plain.contents, layers=layers, compression=compression, is_partial=not whole)
    if not whole:
        contents = replace(contents, sizes={})
    return Looked(contents, tuple(_findings(plain)))


def with_end(looked: Looked, tail: bytes) -> Looked:
    """Given what the beginning of a dump told and its last bytes, returns that with whether it is whole."""
    if complete(tail) or not looked.contents.dump_version:  # else it isn't pg_dump's, or is a server's
        return looked
    return replace(looked, findings=(*looked.findings, _CUT))


def first_bytes(chunks: Iterable[bytes], length: int) -> Iterator[bytes]:
    """Gives the first `length` bytes, or some more."""
    for chunk in chunks:
        yield chunk
        length -= len(chunk)
        if length <= 0:
            return


@contextmanager
def text_of(path: Path, key: str, fleet: Fleet) -> Iterator[Iterator[bytes]]:
    """Given a dump in plain SQL as a file here, and its key, gives its text, which can be read once. Raises
    as `peeled` does; so does the text."""

    def stored() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    with peeled(stored(), fleet, key) as inside:
        yield inside.chunks


def looked_through(path: Path, key: str, fleet: Fleet, was: Contents, stop: Stop) -> Contents:
    """Given such a file, and what its beginning told, returns what is in it. Reads all of it.

    Raises ArchiveError for what stops a restore, before anything is created, and Stopped.
    """

    def heeding(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if stop():
                raise Stopped
            yield chunk

    with text_of(path, key, fleet) as chunks:
        found = look(heeding(chunks), was.layers, was.created_at)
    _refuse_unfit(found)
    return found.contents


def _refuse_unfit(found: Looked) -> None:
    stop = next((f for f in found.findings if f.level is Level.STOP), None)
    if stop is not None:
        raise ArchiveError(stop.what, mend=stop.mend)
    kinds = {entry.desc for entry in found.contents.entries}
    if "TABLE DATA" in kinds and "TABLE" not in kinds:
        raise ArchiveError(
            "It holds rows but not the tables: a fresh database has none.", mend="Pick a full backup."
        )


def _findings(plain: Plain) -> list[Finding]:
    found = []
    if plain.odd:
        more = f" ({len(plain.odd)} such lines)" if len(plain.odd) > 1 else ""
        if "pg_dumpall" in plain.odd[0] or any(map(_is_of_databases, plain.odd)):
            mend = f"{_SPLIT} {_BY_HAND}"
        else:  # psql would run it: by hand too it is nothing to be tried
            mend = _OF_SERVER if plain.odd[0].startswith("It has: ") else _OF_PSQL
        what = f"{plain.odd[0].rstrip('.;')}{more}: that can't be done in one fresh database."
        found.append(Finding(Level.STOP, "archive", what, mend))
    if plain.whole and plain.cut is not None:
        found.append(Finding(Level.STOP, "size", f"It is cut short. {plain.cut}", OTHER_COPY))
    elif plain.whole and plain.by_pg_dump and not plain.complete:
        found.append(_CUT)
    if not plain.whole:
        said = "Plain SQL has no table of contents: only its beginning was read. The rest is looked into when"
        said += " it is restored, before anything is made."
        mend = "With psql by hand nobody looks: it runs any command of its own that the text holds."
        found.append(Finding(Level.WARNING, "contents", said, mend))
    elif not plain.by_pg_dump:
        said = "pg_dump didn't write it: nothing tells what should be in it, or whether it is whole."
        mend = "Compare what was restored with what you know: pgdr compare."
        found.append(Finding(Level.WARNING, "contents", said, mend))
    return found


def _is_of_databases(said: str) -> bool:
    return "DATABASE" in said.upper() or "\\connect" in said or "\\c " in said
