"""Looking into a backup in plain SQL: what is in it, and what of it one fresh database can't hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tui.model.backup import Contents
from tui.model.errors import ArchiveError
from tui.model.plan import Finding, Level
from tui.operations.layers import Layer
from tui.postgres.archive_reader import OTHER_COPY
from tui.postgres.plain import Plain, read_plain

SCANNED = 1 << 30  # bytes as they lie: a larger one is read whole only for a restore, some 10 s each gigabyte
HEAD_SCANNED = 1 << 20

_SPLIT = "Take a backup of the one database alone: pg_dump without --create, or pgdr backup."
_BY_HAND = "Restore it by hand with psql into a server that has none of these databases."


@dataclass(frozen=True, slots=True)
class PlainLook:
    """What is in a dump in plain SQL, and what is to be known of it."""

    contents: Contents
    findings: tuple[Finding, ...]


def look(
    chunks: Iterable[bytes], layers: tuple[Layer, ...], taken_at: datetime, *, whole: bool = True
) -> PlainLook:
    """Given the text of a dump without its layers, or its beginning alone (not `whole`), and when it was
    taken by what else is known, returns what is in it.

    Raises ArchiveError when it can't be taken apart at all, and what `chunks` raises.
    """
    plain = read_plain(chunks, taken_at, whole=whole)
    compression = next((layer.value for layer in layers if layer in (Layer.GZIP, Layer.ZSTD)), "none")
    contents = replace(plain.contents, layers=layers, compression=compression, is_partial=not whole)
    return PlainLook(contents, tuple(_findings(plain)))


def refuse_unfit(found: PlainLook) -> None:
    """Raises ArchiveError for what stops a restore: to be asked before anything is created."""
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
        of_server = "pg_dumpall" in plain.odd[0]
        mend = f"{_SPLIT} {_BY_HAND}" if of_server or any(map(_is_of_databases, plain.odd)) else _BY_HAND
        what = f"{plain.odd[0].rstrip('.')}{more}: that can't be done in one fresh database."
        found.append(Finding(Level.STOP, "archive", what, mend))
    if plain.whole and plain.cut is not None:
        found.append(Finding(Level.STOP, "size", f"It is cut short. {plain.cut}", OTHER_COPY))
    elif plain.whole and plain.by_pg_dump and not plain.complete:
        said = "It is cut short: the line that pg_dump ends with is missing."
        found.append(Finding(Level.STOP, "size", said, OTHER_COPY))
    if not plain.whole:
        said = "Plain SQL has no table of contents: only its beginning was read. The rest is looked into when"
        said += " it is restored, before anything is made."
        found.append(Finding(Level.WARNING, "contents", said))
    elif not plain.by_pg_dump:
        said = "pg_dump didn't write it: nothing tells what should be in it, or whether it is whole."
        mend = "Compare what was restored with what you know: pgdr compare."
        found.append(Finding(Level.WARNING, "contents", said, mend))
    return found


def _is_of_databases(said: str) -> bool:
    return "DATABASE" in said or "\\connect" in said or "\\c " in said
