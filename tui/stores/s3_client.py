"""The client of a bucket: boto3's, with credentials as the configuration or boto3's own chain give them,
and with its own reading of listings.

botocore's parser walks its model for every field of every object: 0.2 ms of CPU a key, nine tenths of a
listing's time. Its event "before-parse" hands over the answer first, so the objects are taken out here
(5 µs a key) and the rest is left to botocore: errors, redirects, retries, tokens.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus
from xml.sax.saxutils import unescape

import boto3
from botocore.config import Config
from botocore.utils import parse_timestamp

from tui.config.secrets import reveal
from tui.model.fleet import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LISTED = "PgdrListed"  # in ListObjectsV2's answer: (key, size, time, etag) of each object
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
TRIES = 3
_OPEN, _CLOSE = b"<Contents>", b"</Contents>"
_ENTITIES = {"&quot;": '"', "&apos;": "'", "&#34;": '"', "&#39;": "'"}
_KNOWN = re.compile(r"&(?:amp|lt|gt|quot|apos|#34|#39);")
_CONNECTIONS = 16  # catalogue and download threads at the same time


def new_client(spec: S3Store) -> S3Client:
    """Given a store's configuration, returns a client. Connects to nothing but what credentials need.

    Raises ConfigError when a secret can't be read, and what botocore raises for a profile that isn't.
    """
    session = boto3.session.Session(
        profile_name=spec.profile,
        region_name=spec.region,
        aws_access_key_id=reveal(spec.access_key) if spec.access_key else None,
        aws_secret_access_key=reveal(spec.secret_key) if spec.secret_key else None,
    )
    client = session.client(
        "s3",
        endpoint_url=spec.endpoint_url,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            max_pool_connections=_CONNECTIONS,
            # Many servers don't know the checksums that newer SDKs add, or send that of the whole
            # object with a range of it.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Servers of one's own answer at one address: a bucket in the host's name wouldn't resolve.
            s3={"addressing_style": "path" if spec.path_style or spec.endpoint_url else "auto"},
        ),
    )
    client.meta.events.register("before-parse.s3.ListObjectsV2", _take_objects)
    return client


def _take_objects(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Takes the objects out of a page's answer before botocore reads it. What can't be understood here
    is left to botocore, whole."""
    body: bytes = response_dict["body"]
    first, last = body.find(_OPEN), body.rfind(_CLOSE)
    if response_dict["status_code"] != 200 or first < 0 or last < first:
        return
    rest = body[:first] + body[last + len(_CLOSE) :]
    quoted = b"<EncodingType>url</EncodingType>" in rest
    pieces = body[first:last].split(_CLOSE)
    try:
        if not all(piece.lstrip().startswith(_OPEN) for piece in pieces):
            return  # something stands between the objects
        listed = [_object(piece, quoted) for piece in pieces]
    except ValueError:
        return
    response_dict["body"] = rest
    customized_response_dict[LISTED] = listed


def _object(piece: bytes, quoted: bool) -> tuple[str, int, datetime, str | None]:
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


def _moment(text: str) -> datetime:
    """S3 writes 2026-11-21T01:02:03.000Z; what others write botocore's reader knows."""
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        made = parse_timestamp(text)
    if made.tzinfo is None:
        raise ValueError("a time without its zone")
    return made
