"""A container, or a prefix in it, of an Azure storage account or anything that speaks its language.

By the vendor's library: obstore imports in 10 ms instead of 200 and lists with a twentieth of the CPU, but
one foreign key with an empty part (`a//b`) ends its listing for good, and it tells a missing container, a
rejected key and a wrong clock apart by nothing but prose.
"""

from __future__ import annotations

import base64
import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, ContainerClient, ExponentialRetry

from tui.config.secrets import reveal
from tui.model.backup import StoredObject
from tui.model.errors import Unreachable
from tui.model.fleet import AzureStore
from tui.stores import problems
from tui.stores.ahead import one_ahead
from tui.stores.azure_problems import code_of, explain, no_container
from tui.stores.fetch import fetch_ranges
from tui.stores.parts import parts, send_parts
from tui.stores.store import PAGE, Protection, Quality, StoreDenied, bare_etag, check_new_key, key_prefix

# Without a handler of its own, Python would print the libraries' warnings over the screen.
for _name in ("azure", "msal"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
TRIES = 3
_PIECE = 4 << 20
# A blob has 50,000 blocks at most ("Scalability targets for Blob Storage"): 1.5 TiB of ours.
_MOST_BLOCKS = 50_000


class ContainerStore:
    """A store in a container."""

    def __init__(self, spec: AzureStore) -> None:
        """Given its configuration. Connects to nothing and reads no secret yet."""
        self.name = spec.name
        self.offsite = spec.offsite
        self._spec = spec
        self._prefix = key_prefix(spec.prefix)
        self._lock = threading.Lock()
        self._made: ContainerClient | None = None

    def pages(self, prefix: str = "") -> Iterator[tuple[StoredObject, ...]]:
        """Gives the blobs by List Blobs, one request a page, the next one asked for meanwhile."""
        return one_ahead(self._pages(prefix))

    def stat(self, key: str) -> StoredObject:
        """Returns the blob's size and times by Get Blob Properties; a second request when it isn't there."""
        with self._guard(key):
            try:
                found = self._blob(key).get_blob_properties()
            except HttpResponseError as error:
                # HEAD has no body, and its header tells a missing container only of some servers.
                if error.status_code == 404:
                    self._look_at_container()
                raise
        return StoredObject(key, found.size, found.last_modified, bare_etag(found.etag))

    def read(self, key: str, start: int, length: int) -> bytes:
        """Returns bytes of the blob by one ranged Get Blob, or one for each 4 MiB."""
        return b"".join(self.stream(key, start, length))

    def stream(self, key: str, start: int, length: int, etag: str | None = None) -> Iterator[bytes]:
        """Gives a range, a request for each 4 MiB: the library holds an answer whole before it gives it."""
        if length <= 0:
            return
        same: dict[str, Any] = {}
        if etag is not None:
            same = {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified}
        with self._guard(key):
            try:
                answer = self._blob(key).download_blob(offset=start, length=length, **same)
            except HttpResponseError as error:
                if code_of(error) == "InvalidRange" or error.status_code == 416:
                    return  # it begins at the blob's end or behind
                if error.status_code == 412:
                    raise problems.replaced(self.name, key) from error
                raise
            chunks = answer.chunks()
        while True:
            with self._guard(key):
                try:
                    piece = next(chunks, b"")
                except HttpResponseError as error:
                    if error.status_code == 412:
                        raise problems.replaced(self.name, key) from error
                    raise
            if not piece:
                return
            yield piece

    def fetch(self, key: str, path: Path, advanced: Callable[[int], None], stop: Callable[[], bool]) -> None:
        """Downloads by parallel ranges: see fetch.py."""
        fetch_ranges(self, self.stat(key), path, advanced, stop)

    def write(self, key: str, chunks: Iterable[bytes]) -> StoredObject:
        """Stores the chunks: what fits one part by Put Blob, more as blocks, which become a blob with
        Put Block List. Blocks that were never listed are nobody's, and Azure drops them after a week."""
        check_new_key(key)
        whole = parts(chunks)
        first, second = next(whole, b""), next(whole, None)
        if second is None:
            return self.put(key, first)
        blob = self._blob(key)

        def send(number: int, data: bytes) -> str:
            block = base64.b64encode(f"{number:08}".encode()).decode()
            with self._guard(key):
                blob.stage_block(block, data, length=len(data))
            return block

        blocks, size = send_parts(itertools.chain((first, second), whole), send, _MOST_BLOCKS)
        with self._guard(key):
            answer = blob.commit_block_list([BlobBlock(block) for block in blocks])
        return _stored(key, size, answer)

    def put(self, key: str, data: bytes) -> StoredObject:
        """Stores one blob by Put Blob."""
        check_new_key(key)
        with self._guard(key):
            answer = self._blob(key).upload_blob(data, length=len(data), overwrite=True)
        return _stored(key, len(data), answer)

    def delete(self, key: str) -> None:
        """Removes the blob; with soft delete or versions it can be had back. Raises Refused for one
        under an immutability policy or a legal hold."""
        with self._guard(key):
            try:
                self._blob(key).delete_blob()
            except HttpResponseError as error:
                if error.status_code != 404 or code_of(error) == "ContainerNotFound":
                    raise

    def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """0: Azure doesn't list blobs that have only uncommitted blocks, and drops those after a week."""
        return 0

    def path(self, key: str) -> Path | None:
        """None: nothing of a container is a file here."""
        return None

    def protection(self) -> Protection:
        """What the container says. Azure encrypts all blobs at rest ("Azure Storage encryption for data
        at rest": it can't be turned off); versions and lifecycle are the account's, and are asked of its
        management, not of its storage."""
        with self._guard():
            found = self._container().get_container_properties()
        kept = found.has_immutability_policy or found.has_legal_hold
        encrypted = Quality(True, "by Azure itself") if self._at_azure() else None
        return Protection(encrypted=encrypted, locked=None if kept is None else Quality(bool(kept)))

    def _pages(self, prefix: str) -> Iterator[tuple[StoredObject, ...]]:
        with self._guard():
            answer = self._container().list_blobs(
                name_starts_with=self._prefix + prefix or None, results_per_page=PAGE
            )
            found = answer.by_page()
        cut = len(self._prefix)
        while True:
            with self._guard():
                blobs = next(found, None)
                page = tuple(
                    StoredObject(blob.name[cut:], blob.size, blob.last_modified, bare_etag(blob.etag))
                    for blob in blobs or ()
                    if not blob.name.endswith("/")
                )
            if page:
                yield page
            if blobs is None:
                return

    def _at_azure(self) -> bool:
        return (self._container().primary_hostname or "").endswith(".core.windows.net")

    def _blob(self, key: str) -> BlobClient:
        return self._container().get_blob_client(self._prefix + key)

    def _container(self) -> ContainerClient:
        """The client, made at first. Raises ConfigError when a secret can't be read."""
        with self._lock:
            if self._made is None:
                self._made = _new_client(self._spec)
            return self._made

    def _look_at_container(self) -> None:
        try:
            self._container().get_container_properties()
        except HttpResponseError as error:
            if error.status_code == 404:
                raise no_container(self._spec) from None
            # Otherwise it is there, or one may not ask: then the blob is what is missing.

    @contextmanager
    def _guard(self, key: str | None = None) -> Iterator[None]:
        """Turns the library's errors into sentences."""
        try:
            yield
        except (AzureError, ValueError, TypeError, OSError) as error:
            said = explain(self._spec, error, key)
            if isinstance(said, StoreDenied):  # the secret may be mended meanwhile: read it anew next time
                with self._lock:
                    self._made = None
            raise said from error


def _stored(key: str, size: int, answer: dict[str, Any]) -> StoredObject:
    at = answer.get("last_modified") or datetime.now(timezone.utc)
    return StoredObject(key, size, at, bare_etag(answer.get("etag")))


def _new_client(spec: AzureStore) -> ContainerClient:
    how: dict[str, Any] = {
        "connection_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": READ_TIMEOUT_S,
        # By itself it waits 15 s before its first try again, and 24 s before the second.
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=TRIES - 1),
        "max_single_get_size": _PIECE,
        "max_chunk_get_size": _PIECE,
        "max_single_put_size": 64 << 20,  # a part is sent as it is, not cut once more
    }
    if spec.connection_string is not None:
        service = BlobServiceClient.from_connection_string(reveal(spec.connection_string), **how)
        return service.get_container_client(spec.container)
    url = spec.endpoint_url or f"https://{spec.account}.blob.core.windows.net"
    credential: Any
    if spec.account_key is not None:
        credential = {"account_name": spec.account or "", "account_key": reveal(spec.account_key)}
    elif spec.sas_token is not None:
        credential = reveal(spec.sas_token).removeprefix("?")
    else:
        try:
            from azure.identity import DefaultAzureCredential  # 0.2 s of CPU more
        except ImportError as error:
            raise Unreachable(
                f"The store {spec.name} has no key, and azure-identity, which finds one, isn't there.",
                mend="Install it with pip install 'pgdr[azure]', or set account_key or sas_token.",
            ) from error
        # By itself it asks a managed identity that isn't there for most of a minute.
        credential = DefaultAzureCredential(
            exclude_interactive_browser_credential=True, retry_total=1, connection_timeout=2
        )
    return BlobServiceClient(url, credential=credential, **how).get_container_client(spec.container)
