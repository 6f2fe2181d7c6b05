"""A bucket, or a prefix in it, at Google Cloud Storage or anything that speaks its JSON API.

By the vendor's library: obstore is quicker (see azure.py) and has the same flaws, and speaks the XML API,
which no server that can be had for the tests answers.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google.auth
import google.auth.exceptions
from google.api_core.exceptions import (
    GoogleAPIError,
    NotFound,
    PreconditionFailed,
    RequestRangeNotSatisfiable,
)
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2 import service_account
from requests import RequestException

from tui.model.backup import StoredObject
from tui.model.errors import PgdrError
from tui.model.fleet import GcsStore
from tui.stores import parts as cut
from tui.stores import problems
from tui.stores.ahead import one_ahead
from tui.stores.fetch import fetch_ranges
from tui.stores.gcs_problems import code_of, explain, no_bucket
from tui.stores.store import PAGE, Protection, Quality, StoreDenied, check_new_key, key_prefix

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Client

# Without a handler of its own, Python would print the library's warnings over the screen.
logging.getLogger("google").addHandler(logging.NullHandler())

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
TRY_S = 8.0  # for so long a request that broke off is tried again
_PIECE = 4 << 20
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_FIELDS = "items(name,size,updated,generation),nextPageToken"


class GoogleStore:
    """A store in a bucket. An object's generation stands for its etag: it changes with the bytes alone."""

    def __init__(self, spec: GcsStore) -> None:
        """Given its configuration. Connects to nothing and reads no credentials yet."""
        self.name = spec.name
        self.offsite = spec.offsite
        self._spec = spec
        self._prefix = key_prefix(spec.prefix)
        self._lock = threading.Lock()
        self._made: Client | None = None

    def pages(self, prefix: str = "") -> Iterator[tuple[StoredObject, ...]]:
        """Gives the objects, one request a page, the next one asked for meanwhile."""
        return one_ahead(self._pages(prefix))

    def stat(self, key: str) -> StoredObject:
        """Returns the object's size and times; a second request when it isn't there."""
        with self._guard(key):
            blob = self._blob(key)
            blob.reload(**self._how())
            return _stored(key, blob)

    def read(self, key: str, start: int, length: int) -> bytes:
        """Returns bytes of the object by one ranged request, or one for each 4 MiB."""
        return b"".join(self.stream(key, start, length))

    def stream(self, key: str, start: int, length: int, etag: str | None = None) -> Iterator[bytes]:
        """Gives a range, a request for each 4 MiB: the library holds an answer whole before it gives it."""
        end = start + length
        while start < end:
            upto = min(start + _PIECE, end)
            with self._guard(key):
                blob = self._blob(key)
                try:
                    piece: bytes = blob.download_as_bytes(
                        start=start,
                        end=upto - 1,
                        raw_download=True,
                        checksum=None,
                        if_generation_match=None if etag is None else int(etag),
                        **self._how(),
                    )
                except PreconditionFailed as error:
                    raise problems.replaced(self.name, key) from error
                except RequestRangeNotSatisfiable:  # it begins at the object's end or behind
                    return
            if piece:
                yield piece
            start += len(piece)
            if start < upto:
                return

    def fetch(self, key: str, path: Path, advanced: Callable[[int], None], stop: Callable[[], bool]) -> None:
        """Downloads by parallel ranges: see fetch.py."""
        fetch_ranges(self, self.stat(key), path, advanced, stop)

    def write(self, key: str, chunks: Iterable[bytes]) -> StoredObject:
        """Stores the chunks: what fits one part at once, more by a resumable upload, which makes the
        object with its last part and is cancelled on any failure."""
        check_new_key(key)
        whole = cut.parts(chunks)
        first, second = next(whole, b""), next(whole, None)
        if second is None:
            return self.put(key, first)
        with self._guard(key):
            writer = self._blob(key).open(
                "wb", chunk_size=cut.PART_BYTES, retry=self._retry(), timeout=self._timeouts()
            )
        size = 0
        try:
            for part in itertools.chain((first, second), whole):
                with self._guard(key):
                    writer.write(part)
                size += len(part)
            with self._guard(key):
                writer.close()
        except BaseException:
            # A store that can't be reached can't be told to cancel either; the upload is unseen and
            # ends by itself after a week.
            with suppress(PgdrError), self._guard(key):
                writer.terminate()
            raise
        return StoredObject(key, size, datetime.now(timezone.utc))

    def put(self, key: str, data: bytes) -> StoredObject:
        """Stores one object at once."""
        check_new_key(key)
        with self._guard(key):
            blob = self._blob(key)
            blob.upload_from_string(data, content_type="application/octet-stream", **self._how())
        return _stored(key, blob)

    def delete(self, key: str) -> None:
        """Removes the object; with soft delete or versions it can be had back. Raises Refused for one
        under retention or a hold."""
        with self._guard(key), suppress(NotFound):
            self._blob(key).delete(**self._how())

    def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """0: Google tells nobody of unfinished uploads, and ends them after a week."""
        return 0

    def path(self, key: str) -> Path | None:
        """None: nothing of a bucket is a file here."""
        return None

    def protection(self) -> Protection:
        """What the bucket says. Google encrypts all objects at rest ("Default encryption at rest")."""
        with self._guard():
            try:
                found = self._client().get_bucket(self._spec.bucket, **self._how())
            except GoogleAPIError as error:
                if code_of(error) != "403":
                    raise
                return Protection(encrypted=self._encrypted())
        ages = [dict(rule).get("condition", {}).get("age") for rule in found.lifecycle_rules
                if dict(rule).get("action", {}).get("type") == "Delete"]  # fmt: skip
        said = ", ".join(f"objects are deleted after {age} days" for age in ages if age is not None)
        kept = found.retention_period
        return Protection(
            encrypted=self._encrypted(),
            versioned=Quality(bool(found.versioning_enabled)),
            locked=Quality(kept is not None, f"{kept} seconds" if kept is not None else ""),
            thinned=Quality(bool(ages), said),
        )

    def _encrypted(self) -> Quality | None:
        return Quality(True, "by Google itself") if self._at_google() else None

    def _at_google(self) -> bool:
        return self._spec.endpoint_url is None or "googleapis.com" in self._spec.endpoint_url

    def _pages(self, prefix: str) -> Iterator[tuple[StoredObject, ...]]:
        with self._guard():
            answer = self._client().list_blobs(
                self._spec.bucket,
                prefix=self._prefix + prefix or None,
                page_size=PAGE,
                fields=_FIELDS,
                **self._how(),
            )
            found = answer.pages
        gone = len(self._prefix)
        while True:
            with self._guard():
                blobs = next(found, None)
                page = tuple(
                    _stored(blob.name[gone:], blob) for blob in blobs or () if not blob.name.endswith("/")
                )
            for start in range(0, len(page), PAGE):  # some servers give all at once, whatever was asked
                yield page[start : start + PAGE]
            if blobs is None:
                return

    def _blob(self, key: str) -> Blob:
        return self._client().bucket(self._spec.bucket).blob(self._prefix + key)

    def _how(self) -> dict[str, Any]:
        return {"retry": self._retry(), "timeout": self._timeouts()}

    def _retry(self) -> Any:
        return DEFAULT_RETRY.with_timeout(TRY_S)

    def _timeouts(self) -> tuple[float, float]:
        return CONNECT_TIMEOUT_S, READ_TIMEOUT_S

    def _client(self) -> Client:
        """The client, made at first."""
        with self._lock:
            if self._made is None:
                self._made = _new_client(self._spec)
            return self._made

    def _look_at_bucket(self) -> None:
        """Raises where the bucket isn't there. Asked by a listing, which needs no right of its own."""
        try:
            next(self._client().list_blobs(self._spec.bucket, max_results=1, **self._how()).pages, None)
        except NotFound:
            raise no_bucket(self._spec) from None
        except GoogleAPIError:
            return  # it is there, or one may not ask: then the object is what is missing

    @contextmanager
    def _guard(self, key: str | None = None) -> Iterator[None]:
        """Turns the library's errors into sentences."""
        try:
            yield
        except (
            GoogleAPIError,
            google.auth.exceptions.GoogleAuthError,
            InvalidResponse,
            DataCorruption,
            RequestException,
            ValueError,
            OSError,
        ) as error:
            if key is not None and code_of(error) == "404":
                self._look_at_bucket()
            said = explain(self._spec, error, key)
            if isinstance(said, StoreDenied):  # the secret may be mended meanwhile: read it anew next time
                with self._lock:
                    self._made = None
            raise said from error


def _stored(key: str, blob: Blob) -> StoredObject:
    at = blob.updated or datetime.now(timezone.utc)
    generation = blob.generation
    return StoredObject(key, int(blob.size or 0), at, None if generation is None else str(generation))


def _new_client(spec: GcsStore) -> Client:
    credentials: Any
    if spec.credentials_file is not None:
        credentials = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
            str(spec.credentials_file), scopes=[_SCOPE]
        )
    elif spec.endpoint_url is not None and "googleapis.com" not in spec.endpoint_url:
        credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    else:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    options = {"api_endpoint": spec.endpoint_url} if spec.endpoint_url else None
    # No request here is about a project, but the library wants one's name.
    return storage.Client(project="none", credentials=credentials, client_options=options)
