"""Listing a bucket quickly: page by page, and folder by folder side by side where folders are large.

botocore's parser walks its model for every field of every object: 0.1 ms of CPU a key, most of a listing's
time. Its event "before-parse" hands over the answer first, so the objects are taken out of it there and the
rest is left to botocore: errors, redirects, retries, tokens. They are read, 4 µs a key, while the next page
is under way.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree
from xml.sax.saxutils import unescape

from botocore.utils import parse_timestamp

from tui.stores.ahead import Ahead
from tui.stores.s3_stretches import LISTED, behind, next_page

TAKEN = "PgdrTaken"  # in an answer: the bytes of its objects, and whether their keys are quoted
_OPEN, _CLOSE = b"<Contents>", b"</Contents>"
_ENTITIES = {"&quot;": '"', "&apos;": "'", "&#34;": '"', "&#39;": "'"}
_KNOWN = re.compile(r"&(?:amp|lt|gt|quot|apos|#34|#39);")
_SIDE_BY_SIDE = 4
_LARGE = 2  # so many folders in a full page at most: then a request for each folder is well spent
_DEEP = 8  # folders with nothing but one folder in them, one in another

Listed = tuple[str, int, datetime, str | None]  # key, size, time, etag
# Given Prefix, StartAfter, ContinuationToken, Delimiter as far as wanted: an answer of ListObjectsV2
Ask = Callable[..., dict[str, Any]]


def take_objects(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Takes the objects out of a page's answer before botocore reads it."""
    body: bytes = response_dict["body"]
    first, last = body.find(_OPEN), body.rfind(_CLOSE)
    if response_dict["status_code"] != 200 or first < 0 or last < first:
        return
    end = last + len(_CLOSE)
    rest = body[:first] + body[end:]
    if b"<CommonPrefixes>" in body[first:end]:
        return  # between the objects: botocore reads such an answer, of which there are few
    response_dict["body"] = rest
    customized_response_dict[TAKEN] = (body[first:end], b"<EncodingType>url</EncodingType>" in rest)


def objects(answer: dict[str, Any]) -> list[Listed]:
    """The objects of an answer. Raises ValueError where they can't be understood."""
    if LISTED in answer:
        known: list[Listed] = answer[LISTED]
        return known
    taken = answer.get(TAKEN)
    if taken is None:
        return [
            (found["Key"], found["Size"], found["LastModified"], found.get("ETag"))
            for found in answer.get("Contents", ())
        ]
    raw, quoted = taken
    pieces = raw.removesuffix(_CLOSE).split(_CLOSE)
    try:
        return [_quickly(piece, quoted) for piece in pieces]
    except ValueError:  # rare entities, CDATA: as XML then
        return _as_xml(raw, quoted)


def all_pages(ask: Ask, prefix: str) -> Iterator[dict[str, Any]]:
    """Gives the answers that hold all objects below `prefix`, in order of their keys.

    A full first page that is of one or two folders tells of large folders: then they are listed side by
    side, each from its own beginning. Raises what `ask` raises.
    """
    first = ask(Prefix=prefix)
    yield first
    token = first.get("NextContinuationToken")
    if not first.get("IsTruncated"):
        return
    keys = [key for key, *_ in objects(first)]
    folders = _folders(ask, prefix, keys) if token else None
    if folders is None:
        yield from behind(ask, objects, prefix, first)
        return
    waiting = deque(folders)
    running: deque[Ahead[dict[str, Any]]] = deque()
    try:
        while waiting or running:
            while waiting and len(running) < _SIDE_BY_SIDE:
                running.append(Ahead(_folder(ask, waiting.popleft(), keys[-1])))
            yield from running[0]
            running.popleft()
    finally:
        for left in running:
            left.close()


@dataclass(frozen=True, slots=True)
class _Folder:
    """What begins with `prefix`; or, with `answer`, objects that are known already."""

    prefix: str
    answer: dict[str, Any] | None = None


def _folder(ask: Ask, folder: _Folder, after: str) -> Iterator[dict[str, Any]]:
    if folder.answer is not None:
        yield folder.answer
        return
    begun = {"StartAfter": after} if after.startswith(folder.prefix) else {}
    first = ask(Prefix=folder.prefix, **begun)
    yield first
    while first.get("IsTruncated"):
        first = next_page(ask, folder.prefix, first)
        yield first


def _folders(ask: Ask, prefix: str, keys: list[str]) -> list[_Folder] | None:
    """What is left after the first page's keys, as folders and single objects in the order of keys; None
    where the folders are small, or too many to know them all by one answer."""
    for _ in range(_DEEP):
        if not keys or len({_top(key, prefix) for key in keys}) > _LARGE:
            return None
        answer = ask(Prefix=prefix, Delimiter="/")
        if answer.get("IsTruncated"):
            return None
        prefixes = [found["Prefix"] for found in answer.get("CommonPrefixes", ())]
        single = objects(answer)
        if len(prefixes) == 1 and not single and prefixes[0] != prefix:
            prefix = prefixes[0]
            continue
        last = keys[-1].encode()
        made = [_Folder(p) for p in prefixes if p.encode() > last or keys[-1].startswith(p)]
        made += [
            _Folder(
                one[0], {"Contents": [dict(zip(("Key", "Size", "LastModified", "ETag"), one, strict=True))]}
            )
            for one in single
            if one[0].encode() > last
        ]
        return sorted(made, key=lambda folder: folder.prefix.encode())
    return None


def _top(key: str, prefix: str) -> str:
    """The folder right below `prefix` in which a key lies; the key itself where it lies in none."""
    folder, slash, _ = key[len(prefix) :].partition("/")
    return folder + slash


def _quickly(piece: bytes, quoted: bool) -> Listed:
    if not piece.startswith(_OPEN) and not piece.lstrip().startswith(_OPEN):
        raise ValueError("not an object")
    key = _text(piece, b"<Key>", b"</Key>")
    size = int(_text(piece, b"<Size>", b"</Size>"))
    etag = _text(piece, b"<ETag>", b"</ETag>") if b"<ETag>" in piece else None
    modified_at = _moment(_text(piece, b"<LastModified>", b"</LastModified>"))
    return unquote_plus(key) if quoted else key, size, modified_at, etag


def _text(piece: bytes, opened: bytes, closed: bytes) -> str:
    """The text of an element that stands once in `piece`. Raises ValueError where it doesn't, or is more
    than text."""
    start = piece.index(opened) + len(opened)
    raw = piece[start : piece.index(closed, start)]
    if b"<" in raw or piece.find(opened, start) >= 0:
        raise ValueError("not a text")
    text = raw.decode()
    if "&" in text:
        if text.count("&") != len(_KNOWN.findall(text)):
            raise ValueError("an entity that is rare")
        text = unescape(text, _ENTITIES)
    return text


def _as_xml(raw: bytes, quoted: bool) -> list[Listed]:
    try:
        root = ElementTree.fromstring(b"<all>" + raw + b"</all>")  # noqa: S314 - as botocore would read it
    except ElementTree.ParseError as error:
        raise ValueError("no XML") from error
    listed: list[Listed] = []
    for element in root:
        told = {child.tag: child.text or "" for child in element}
        try:
            key, size, at = told["Key"], int(told["Size"]), _moment(told["LastModified"])
        except KeyError as error:
            raise ValueError("not an object") from error
        listed.append((unquote_plus(key) if quoted else key, size, at, told.get("ETag")))
    return listed


def _moment(text: str) -> datetime:
    """S3 writes 2026-11-21T01:02:03.000Z; what others write botocore's reader knows."""
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        made = parse_timestamp(text)
    if made.tzinfo is None:
        raise ValueError("a time without its zone")
    return made
