"""What a dump in plain SQL holds, item by item, as pg_dump's comments tell it, in the shape of an archive's
table of contents: so that it is planned, watched and accounted for as an archive is.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from tui.model.backup import ArchiveFormat, Contents, TocEntry
from tui.model.text import clean
from tui.postgres.archive.archive import CODECS
from tui.postgres.archive.script import (
    CLUSTER,
    DUMP,
    Named,
    Odd,
    Part,
    Remark,
    Rows,
    RowsEnd,
    Statement,
    parts,
)

_PRE_DATA, _DATA, _POST_DATA, _NONE = 2, 3, 4, 1
_SECTIONS = {
    **dict.fromkeys(("TABLE DATA", "BLOBS", "BLOB", "BLOB METADATA"), _DATA),
    **dict.fromkeys(("SEQUENCE SET", "STATISTICS DATA"), _DATA),
    **dict.fromkeys(
        (
            "INDEX", "INDEX ATTACH", "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "TRIGGER", "RULE",
            "EVENT TRIGGER", "POLICY", "ROW SECURITY", "STATISTICS", "MATERIALIZED VIEW DATA", "DEFAULT ACL",
            "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION",
            "SUBSCRIPTION TABLE",
        ),
        _POST_DATA,
    ),
    **dict.fromkeys(("ACL", "COMMENT", "SECURITY LABEL"), _NONE),
}  # fmt: skip
_WITH_DATA = frozenset({"TABLE DATA", "BLOBS"})
_LONGEST_DEFINITION = 64 << 10  # bytes of an item's SQL that are kept, for messages
_MOST_ODD = 5

_COMPLETE = DUMP + b" complete"
_CLUSTER_COMPLETE = CLUSTER + b" complete"
_SERVER, _DUMPER = b"-- Dumped from database version ", b"-- Dumped by pg_dump version "
_STARTED = re.compile(rb"-- Started on (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})")
_ENCODING = re.compile(rb"SET client_encoding = '(\w+)'")
# What touches the server and its other databases; pg_dump of one database writes none of it.
_OF_SERVER = re.compile(rb"(alter|create|drop) (database|group|role|system|tablespace|user(?! mapping))\b")
_SQL = re.compile(
    rb"\s*(--|/\*|\\restrict|SET\s|CREATE\s|BEGIN\b|DROP\s|INSERT\s|COPY\s|SELECT\s)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Plain:
    """Plain SQL that was read. `whole`: to its end, else only its beginning; `by_pg_dump`: as the first lines
    say; `complete`: the last line that pg_dump writes was there; `cut`: how it ends in the middle, if so;
    `odd`: what it holds that can't be done in one fresh database."""

    contents: Contents
    whole: bool
    by_pg_dump: bool
    complete: bool
    cut: str | None
    odd: tuple[str, ...]


@dataclass(slots=True)
class _Item:
    named: Named
    definition: bytearray = field(default_factory=bytearray)
    copy_statement: bytes | None = None
    size: int = 0


def is_dump(head: bytes) -> bool:
    """Given a file's first bytes, returns whether pg_dump or pg_dumpall wrote them as SQL."""
    return any(line in head[:512] for line in (DUMP, CLUSTER))


def complete(tail: bytes) -> bool:
    """Given a file's last bytes, returns whether the line is there with which pg_dump ends."""
    return any(line in tail for line in (_COMPLETE, _CLUSTER_COMPLETE))


def is_sql(head: bytes) -> bool:
    """Given a file's first bytes, returns whether they are SQL, whoever wrote it."""
    return is_dump(head) or (_SQL.match(head.removeprefix(b"\xef\xbb\xbf")) is not None and b"\0" not in head)


def is_of_server(statement: Statement) -> bool:
    """Whether a statement makes, changes or drops databases, roles, tablespaces or the server's settings."""
    return _OF_SERVER.match(statement.opening) is not None


def numbered(chunks: Iterable[bytes]) -> Generator[tuple[int, Part]]:
    """Gives the parts of a dump, each with the number of its item: 0 before the first, then as they come."""
    number = 0
    for part in parts(chunks):
        number += isinstance(part, Named)
        yield number, part


def read_plain(chunks: Iterable[bytes], created_at: datetime, *, whole: bool = True) -> Plain:
    """Given the text of a dump, or its beginning (then not `whole`), and when it was taken by what is known
    without it, returns what is in it. Reads all of `chunks`; keeps no rows.

    Raises ArchiveError as `script.parts` does, and what `chunks` raises.
    """
    found: list[_Item] = []
    told: dict[str, bytes] = {}
    odd: list[str] = []
    flags: set[str] = set()
    cut = None
    for number, part in numbered(chunks):
        match part:
            case Named():
                found.append(_Item(part))
            case Remark():
                _remark(part.text, told, flags)
            case Odd() if part.cut:
                cut = part.what
            case Odd():
                odd.append(clean(part.what.strip(), 120))
            case Statement():
                if "encoding" not in told and (encoding := _ENCODING.match(part.text)):
                    told["encoding"] = encoding[1]
                if is_of_server(part):
                    odd.append(clean(f"It has: {part.text[:80].decode('utf-8', 'replace')}", 120))
                if number:
                    _add(found[number - 1], part)
            case Rows() | RowsEnd() if number:
                found[number - 1].size += len(part.data) if isinstance(part, Rows) else 0
        if len(odd) > _MOST_ODD:
            odd.pop()
    if "cluster" in flags:
        odd.insert(0, "It is a dump of a whole server, by pg_dumpall.")
    codec = CODECS.get(told.get("encoding", b"").decode(), "utf-8")
    entries = tuple(_entry(n, item, codec) for n, item in enumerate(found, 1))
    contents = Contents(
        format=ArchiveFormat.PLAIN,
        archive_version=(0, 0, 0),
        compression="none",
        created_at=_started(told) or created_at,
        database=None,
        server_version=_text(told.get("server")),
        dump_version=_text(told.get("dumper")),
        entries=entries,
        toc_bytes=0,
        sizes={n: item.size for n, item in enumerate(found, 1) if item.named.desc in _WITH_DATA},
    )
    return Plain(contents, whole, bool(flags & {"dump", "cluster"}), "complete" in flags, cut, tuple(odd))


def _remark(text: bytes, told: dict[str, bytes], flags: set[str]) -> None:
    if text in (DUMP, CLUSTER):
        flags.add("dump" if text == DUMP else "cluster")
    elif text in (_COMPLETE, _CLUSTER_COMPLETE):
        flags.add("complete")
    elif text.startswith(_SERVER):
        told.setdefault("server", text.removeprefix(_SERVER))
    elif text.startswith(_DUMPER):
        told.setdefault("dumper", text.removeprefix(_DUMPER))
    elif (found := _STARTED.match(text)) is not None:
        told.setdefault("started", found[1])


def _add(item: _Item, statement: Statement) -> None:
    item.size += len(statement.text)
    if statement.copies:
        item.copy_statement = item.copy_statement or statement.text[:_LONGEST_DEFINITION]
    elif item.named.desc not in _WITH_DATA and len(item.definition) < _LONGEST_DEFINITION:
        item.definition += statement.text[:_LONGEST_DEFINITION] + b"\n"


def _entry(number: int, item: _Item, codec: str) -> TocEntry:
    named = item.named

    def text(said: bytes | None) -> str | None:
        return None if said in (None, b"-", b"") else (said or b"").decode(codec, "replace")

    desc = named.desc
    return TocEntry(
        dump_id=number,
        desc=desc,
        name=named.name.decode(codec, "replace"),
        schema=text(named.schema),
        owner=text(named.owner),
        section=_SECTIONS.get(desc, _PRE_DATA),
        definition=item.definition.decode(codec, "replace"),
        copy_statement=text(item.copy_statement),
        tablespace=text(named.tablespace),
        access_method=None,
        dependencies=(),
        has_data=desc in _WITH_DATA,
        offset=None,
    )


def _started(told: dict[str, bytes]) -> datetime | None:
    try:
        return datetime.fromisoformat(told["started"].decode()).replace(tzinfo=timezone.utc)
    except (KeyError, ValueError):
        return None


def _text(said: bytes | None) -> str | None:
    return clean(said.decode("utf-8", "replace"), 100) if said else None
