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
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tui.model.backup import StoredObject
from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import S3Store
from tui.model.text import rfc3339
from tui.stores import problems
from tui.stores.ahead import one_ahead
from tui.stores.fetch import fetch_ranges
from tui.stores.parts import parts
from tui.stores.s3_client import new_client
from tui.stores.s3_listing import all_pages, objects
from tui.stores.s3_problems import code_of, explain, no_bucket
from tui.stores.s3_protection import ask_protection
from tui.stores.s3_write import abort_unfinished, upload_parts
from tui.stores.store import PAGE, Protection, StoreDenied, bare_etag, check_new_key, key_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ResponseMetadataTypeDef

_PIECE = 256 << 10


class BucketStore:
    """A store in a bucket."""

    def __init__(self, spec: S3Store) -> None:
        """Given its configuration. Connects to nothing and reads no secret yet."""
        self.name = spec.name
        self.offsite = spec.offsite
        self._spec = spec
        self._prefix = key_prefix(spec.prefix)
        self._lock = threading.Lock()
        self._made: S3Client | None = None

    def pages(self, prefix: str = "") -> Iterator[tuple[StoredObject, ...]]:
        """Gives the objects by ListObjectsV2, the next page asked for meanwhile: see s3_listing."""
        cut = len(self._prefix)
        for answer in one_ahead(all_pages(self._page, self._prefix + prefix)):
            with self._guard():
                page = tuple(
                    StoredObject(key[cut:], size, modified_at, bare_etag(etag))
                    for key, size, modified_at, etag in objects(answer)
                    if not key.endswith("/")  # what consoles make to show a folder
                )
            if page:
                yield page
            if answer.get("IsTruncated") and answer.get("NextContinuationToken") is None:
                # It would go round for ever, or end too early unsaid.
                raise Unreachable(
                    f"The store {self.name} broke off its list of objects in the middle.",
                    mend="Its server doesn't page as S3 does; use another store or server.",
                )

    def stat(self, key: str) -> StoredObject:
        """Returns the object's size and times by HeadObject; a second request when it isn't there."""
        head = self._head(key)
        return StoredObject(key, head["ContentLength"], head["LastModified"], bare_etag(head.get("ETag")))

    def read(self, key: str, start: int, length: int) -> bytes:
        """Returns bytes of the object by one ranged GetObject."""
        return b"".join(self.stream(key, start, length))

    def stream(self, key: str, start: int, length: int, etag: str | None = None) -> Iterator[bytes]:
        """Gives a range by one GetObject, in pieces as they arrive."""
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
            if etag is not None and bare_etag(answer.get("ETag", etag)) != etag:
                raise problems.replaced(self.name, key)
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

    def fetch(self, key: str, path: Path, advanced: Callable[[int], None], stop: Callable[[], bool]) -> None:
        """Downloads by parallel ranges: see fetch.py."""
        fetch_ranges(self, self.stat(key), path, advanced, stop)

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
            self._client(), self._guard, self._spec.bucket, self._prefix + key, everything, self._how()
        )
        return _stored(key, size, answer["ResponseMetadata"], answer.get("ETag"))

    def put(self, key: str, data: bytes) -> StoredObject:
        """Stores one object by PutObject."""
        check_new_key(key)
        with self._guard(key):
            answer = self._client().put_object(
                Bucket=self._spec.bucket, Key=self._prefix + key, Body=data, **self._how()
            )
        return _stored(key, len(data), answer["ResponseMetadata"], answer.get("ETag"))

    def delete(self, key: str) -> None:
        """Removes the object by DeleteObject; where the bucket keeps versions it can be had back.

        Raises Refused for one that is under retention or a legal hold. A versioned bucket would only
        put a marker over it and call that deleted, so that is asked first: one request more.
        """
        with self._guard(key):
            try:
                head = self._client().head_object(Bucket=self._spec.bucket, Key=self._prefix + key)
            except ClientError as error:
                if code_of(error) == "404":
                    return
                if code_of(error) != "403":  # a key that may delete and not read: S3 itself must judge
                    raise
            else:
                until = head.get("ObjectLockRetainUntilDate")
                if head.get("ObjectLockLegalHoldStatus") == "ON":
                    raise problems.locked(self.name, key, "it is under a legal hold")
                if until is not None and until > datetime.now(timezone.utc):
                    raise problems.locked(self.name, key, f"its retention ends at {rfc3339(until)}")
            self._client().delete_object(Bucket=self._spec.bucket, Key=self._prefix + key)

    def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """Aborts multipart uploads, whose parts nobody sees and somebody pays for."""
        return abort_unfinished(self._client(), self._guard, self._spec.bucket, self._prefix + prefix, before)

    def path(self, key: str) -> Path | None:
        """None: nothing of a bucket is a file here."""
        return None

    def protection(self) -> Protection:
        """What the bucket says of its encryption, versions, locks and lifecycle."""
        with self._guard():
            return ask_protection(self._client(), self._spec.bucket, self._prefix)

    def _page(self, **which: Any) -> dict[str, Any]:
        """One answer of ListObjectsV2, checked to be one."""
        with self._guard():
            answer: Any = self._client().list_objects_v2(Bucket=self._spec.bucket, MaxKeys=PAGE, **which)
        if "IsTruncated" not in answer and "Name" not in answer:
            # What isn't S3 (a login page, a web server) would otherwise look like an empty bucket.
            raise Unreachable(
                f"What answers for the store {self.name} doesn't speak S3.",
                mend="Correct the store's endpoint_url in the configuration.",
            )
        made: dict[str, Any] = answer
        return made

    def _head(self, key: str) -> Any:
        with self._guard(key):
            try:
                return self._client().head_object(Bucket=self._spec.bucket, Key=self._prefix + key)
            except ClientError as error:
                # HEAD has no body: it can't say what isn't there, or why one may not look.
                if code_of(error) == "404":
                    self._look_at_bucket()
                elif code_of(error) == "403":
                    self.read(key, 0, 1)
                raise

    def _how(self) -> dict[str, Any]:
        """Of what class and how encrypted new objects are to be; what isn't said is left to the bucket."""
        said = {
            "StorageClass": self._spec.storage_class,
            "ServerSideEncryption": self._spec.sse,
            "SSEKMSKeyId": self._spec.kms_key,
        }
        return {name: value for name, value in said.items() if value is not None}

    def _client(self) -> S3Client:
        """The client, made at first. Raises ConfigError when a secret can't be read."""
        with self._lock:
            if self._made is None:
                self._made = new_client(self._spec)
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
    return StoredObject(key, size, at.astimezone(timezone.utc), bare_etag(etag))
