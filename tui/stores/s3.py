"""A bucket, or a prefix in it, at AWS or anything that speaks S3.

Clients are thread-safe, making one isn't (boto3, "Multithreading or multiprocessing with clients"):
each store makes its own once, at its first use, under a lock.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tui.config.secrets import reveal
from tui.model.backup import StoredObject
from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import S3Store
from tui.model.text import clean
from tui.stores.s3_fetch import fetch_ranges
from tui.stores.s3_problems import code_of, explain, no_bucket
from tui.stores.s3_write import parts, upload_parts
from tui.stores.store import PAGE, StoreDenied, check_new_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ResponseMetadataTypeDef

_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 30
_TRIES = 3
_PIECE = 256 << 10
_CONNECTIONS = 16  # catalogue and download threads at the same time


class BucketStore:
    """A store in a bucket."""

    def __init__(self, spec: S3Store) -> None:
        """Given its configuration. Connects to nothing and reads no secret yet."""
        self.name = spec.name
        self.offsite = spec.offsite
        self._spec = spec
        self._prefix = f"{spec.prefix.strip('/')}/" if spec.prefix.strip("/") else ""
        self._lock = threading.Lock()
        self._made: S3Client | None = None

    def pages(self, prefix: str = "") -> Iterator[tuple[StoredObject, ...]]:
        """Gives the objects by ListObjectsV2, one request a page."""
        token: str | None = None
        while True:
            more = {"ContinuationToken": token} if token else {}
            with self._guard():
                answer = self._client().list_objects_v2(
                    Bucket=self._spec.bucket,
                    Prefix=self._prefix + prefix,
                    MaxKeys=PAGE,
                    **more,  # type: ignore[arg-type]
                )
            if "IsTruncated" not in answer and "Name" not in answer:
                # What isn't S3 (a login page, a web server) would otherwise look like an empty bucket.
                raise Unreachable(
                    f"What answers for the store {self.name} doesn't speak S3.",
                    mend="Correct the store's endpoint_url in the configuration.",
                )
            page = tuple(
                StoredObject(
                    key=found["Key"][len(self._prefix) :],
                    size_bytes=found["Size"],
                    modified_at=found["LastModified"],
                    etag=found.get("ETag"),
                )
                for found in answer.get("Contents", ())
                if not found["Key"].endswith("/")  # what consoles make to show a folder
            )
            if page:
                yield page
            if not answer.get("IsTruncated"):
                return
            last, token = token, answer.get("NextContinuationToken")
            if token is None or token == last:  # it would go round for ever, or end too early unsaid
                raise Unreachable(
                    f"The store {self.name} broke off its list of objects in the middle.",
                    mend="Its server doesn't page as S3 does; use another store or server.",
                )

    def stat(self, key: str) -> StoredObject:
        """Returns the object's size and times by HeadObject; a second request when it isn't there."""
        with self._guard(key):
            try:
                head = self._client().head_object(Bucket=self._spec.bucket, Key=self._prefix + key)
            except ClientError as error:
                # HEAD has no body: it can't say what isn't there, or why one may not look.
                if code_of(error) == "404":
                    self._look_at_bucket()
                elif code_of(error) == "403":
                    self.read(key, 0, 1)
                raise
        return StoredObject(key, head["ContentLength"], head["LastModified"], head.get("ETag"))

    def read(self, key: str, start: int, length: int) -> bytes:
        """Returns bytes of the object by one ranged GetObject."""
        return b"".join(self._stream(key, start, length))

    def fetch(self, key: str, path: Path, advanced: Callable[[int], None], stop: Callable[[], bool]) -> None:
        """Downloads by parallel ranges: see s3_fetch."""
        found = self.stat(key)

        def stream(start: int, length: int) -> Iterator[bytes]:
            return self._stream(key, start, length, found.etag)

        fetch_ranges(stream, found, path, advanced, stop)

    def write(self, key: str, chunks: Iterable[bytes]) -> StoredObject:
        """Stores the chunks: what fits one part by PutObject, more by a multipart upload, which is
        aborted on any failure."""
        check_new_key(key)
        whole = parts(chunks)
        first, second = next(whole, b""), next(whole, None)
        if second is None:
            return self.put(key, first)
        everything = itertools.chain((first, second), whole)
        answer, size = upload_parts(
            self._client(), self._guard, self._spec.bucket, self._prefix + key, everything
        )
        return _stored(key, size, answer["ResponseMetadata"], answer.get("ETag"))

    def put(self, key: str, data: bytes) -> StoredObject:
        """Stores one object by PutObject."""
        check_new_key(key)
        with self._guard(key):
            answer = self._client().put_object(Bucket=self._spec.bucket, Key=self._prefix + key, Body=data)
        return _stored(key, len(data), answer["ResponseMetadata"], answer.get("ETag"))

    def delete(self, key: str) -> None:
        """Removes the object by DeleteObject."""
        with self._guard(key):
            self._client().delete_object(Bucket=self._spec.bucket, Key=self._prefix + key)

    def path(self, key: str) -> Path | None:
        """None: nothing of a bucket is a file here."""
        return None

    def _stream(self, key: str, start: int, length: int, etag: str | None = None) -> Iterator[bytes]:
        """Gives the range in pieces as they arrive; less when the object ends before it. With `etag`,
        only of the object that has it: one that replaced it is refused."""
        if length <= 0:
            return
        with self._guard(key):
            try:
                answer = self._client().get_object(
                    Bucket=self._spec.bucket,
                    Key=self._prefix + key,
                    Range=f"bytes={start}-{start + length - 1}",
                )
            except ClientError as error:
                if code_of(error) in ("InvalidRange", "416"):  # it begins at the object's end or behind
                    return
                raise
        with closing(answer["Body"]) as body:
            if etag is not None and answer.get("ETag", etag) != etag:
                raise PgdrError(
                    f"The object “{clean(key, 200)}” of {self.name} was replaced while it was read.",
                    mend="Try again; then it is read as it is now.",
                )
            # A server may ignore Range (RFC 9110, 14.2): then this would be the object's beginning.
            # The header tells rather than the status, which some servers (rclone) leave at 200.
            if start and not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
                raise PgdrError(
                    f"The store {self.name} doesn't serve parts of objects.",
                    mend="Its server ignores Range; copy the backup to another store.",
                )
            while length > 0:
                with self._guard(key):
                    piece = body.read(min(_PIECE, length))
                if not piece:
                    return
                length -= len(piece)
                yield piece

    def _client(self) -> S3Client:
        """The client, made at first. Raises ConfigError when a secret can't be read."""
        with self._lock:
            if self._made is None:
                self._made = _new_client(self._spec)
            return self._made

    def _look_at_bucket(self) -> None:
        try:
            self._client().head_bucket(Bucket=self._spec.bucket)
        except ClientError as error:
            if code_of(error) == "404":
                raise no_bucket(self._spec) from None
            # Otherwise it is there, or one may not ask: then the object is what is missing.

    @contextmanager
    def _guard(self, key: str | None = None) -> Iterator[None]:
        """Turns botocore's errors into sentences."""
        try:
            yield
        except (ClientError, BotoCoreError, ValueError, OSError) as error:
            said = explain(self._spec, error, key)
            if isinstance(said, StoreDenied):  # the secret may be mended meanwhile: read it anew next time
                with self._lock:
                    self._made = None
            raise said from error


def _stored(key: str, size: int, metadata: ResponseMetadataTypeDef, etag: str | None) -> StoredObject:
    """What was just stored, by the answer alone: a key that may only write can't ask for it."""
    date = metadata.get("HTTPHeaders", {}).get("date")
    try:
        at = parsedate_to_datetime(date) if date else datetime.now(timezone.utc)
    except ValueError:
        at = datetime.now(timezone.utc)
    return StoredObject(key, size, at.astimezone(timezone.utc), etag)


def _new_client(spec: S3Store) -> S3Client:
    session = boto3.session.Session(
        profile_name=spec.profile,
        region_name=spec.region,
        aws_access_key_id=reveal(spec.access_key) if spec.access_key else None,
        aws_secret_access_key=reveal(spec.secret_key) if spec.secret_key else None,
    )
    return session.client(
        "s3",
        endpoint_url=spec.endpoint_url,
        config=Config(
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": _TRIES},
            max_pool_connections=_CONNECTIONS,
            # Many servers don't know the checksums that newer SDKs add, or send that of the whole
            # object with a range of it.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Servers of one's own answer at one address: a bucket in the host's name wouldn't resolve.
            s3={"addressing_style": "path" if spec.path_style or spec.endpoint_url else "auto"},
        ),
    )
