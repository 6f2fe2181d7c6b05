"""The ways in which Azure's and Google's stores fail: each its own sentence, none with a secret in it."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tui.model.errors import ConfigError, PgdrError, Refused, Unreachable
from tui.model.fleet import AzureStore, GcsStore, LocalStore, S3Store, StoreSpec
from tui.model.secret import Secret
from tui.stores.open import open_store
from tui.stores.store import KeyRefused, ObjectMissing, Store, StoreDenied, StoreFull, StoreMissing

HIDDEN = base64.b64encode(b"a key that is another account's").decode()


@pytest.fixture(autouse=True)
def _one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries take seconds between them; what is said after the last one is the same."""
    monkeypatch.setattr("tui.stores.azure.TRIES", 1)
    monkeypatch.setattr("tui.stores.s3_client.TRIES", 1)
    monkeypatch.setattr("tui.stores.gcs.TRY_S", 0.2)


@pytest.fixture(params=["azure", "gcs", "versioned"])
def spec(request: pytest.FixtureRequest) -> StoreSpec:
    """A store of each kind that is there and empty."""
    names = {"azure": "azure_spec", "gcs": "gcs_spec", "versioned": "moto_spec"}
    made: StoreSpec = request.getfixturevalue(names[request.param])
    return made


def at(spec: StoreSpec, url: str) -> StoreSpec:
    """The same store at another address."""
    assert not isinstance(spec, LocalStore)
    return replace(spec, endpoint_url=url)


def elsewhere(spec: StoreSpec) -> StoreSpec:
    """A bucket on the same server that isn't there."""
    if isinstance(spec, AzureStore):
        return replace(spec, container="not-there")
    assert isinstance(spec, (S3Store, GcsStore))
    return replace(spec, bucket="not-there")


def errors(store: Store, *, writes: bool = True) -> Iterator[PgdrError]:
    """What each way to use a store that can't be used raises."""
    uses: list[Any] = [
        lambda: next(store.pages(), ()),
        lambda: store.stat("a.dump"),
        lambda: store.read("a.dump", 0, 5),
    ]
    if writes:
        uses.append(lambda: store.put("a.dump", b"x"))
    for use in uses:
        with pytest.raises(PgdrError) as caught:
            use()
        yield caught.value


def test_no_such_bucket(spec: StoreSpec) -> None:
    for error in errors(open_store(elsewhere(spec))):
        assert isinstance(error, StoreMissing), error
        assert "“not-there”" in error.what


def test_a_name_that_does_not_resolve(spec: StoreSpec) -> None:
    for error in errors(open_store(at(spec, "http://storage.invalid:9000"))):
        assert isinstance(error, Unreachable)
        assert "doesn't resolve" in error.what


def test_a_closed_port(spec: StoreSpec) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: nobody else takes it, and it refuses
        for error in errors(open_store(at(spec, f"http://127.0.0.1:{free.getsockname()[1]}"))):
            assert "refused the connection: nothing listens" in error.what


def test_a_silent_server(spec: StoreSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("azure", "gcs", "s3_client"):
        monkeypatch.setattr(f"tui.stores.{room}.READ_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = open_store(at(spec, f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with pytest.raises(Unreachable, match="no answer in time"):
            list(store.pages())


def test_an_empty_store_is_no_error(spec: StoreSpec) -> None:
    assert list(open_store(spec).pages()) == []


def test_a_prefix_is_all_that_is_seen_and_used(spec: StoreSpec) -> None:
    assert not isinstance(spec, LocalStore)
    below = open_store(replace(spec, prefix="/krystalinex/"))
    whole = open_store(spec)
    below.put("kong.dump", b"PGDMP")
    whole.put("top.dump", b"x")
    assert [o.key for page in below.pages() for o in page] == ["kong.dump"]
    assert [o.key for page in below.pages("ko") for o in page] == ["kong.dump"]
    assert whole.read("krystalinex/kong.dump", 0, 9) == b"PGDMP"
    below.delete("kong.dump")
    assert [o.key for page in whole.pages() for o in page] == ["top.dump"]


def test_azure_rejects_a_wrong_key(azure_spec: AzureStore, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(HIDDEN)
    store = open_store(replace(azure_spec, account_key=Secret(file=tmp_path / "key")))
    for error in errors(store):
        assert isinstance(error, StoreDenied)
        assert "rejected the credentials" in error.what
        assert HIDDEN not in str(error) and error.mend and str(tmp_path / "key") in error.mend


def test_azure_keys_that_are_none(azure_spec: AzureStore, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("not base64 at all!")
    for error in errors(open_store(replace(azure_spec, account_key=Secret(file=tmp_path / "key")))):
        assert isinstance(error, Unreachable) and "base64" not in str(error)
    (tmp_path / "string").write_text("AccountName=hidden;nonsense")
    spec = AzureStore("s", "c", connection_string=Secret(file=tmp_path / "string"))
    for error in errors(open_store(spec)):
        assert isinstance(error, Unreachable) and "hidden" not in str(error)
    with pytest.raises(ConfigError, match="PGDR_TEST_NOT_SET"):
        list(open_store(replace(azure_spec, account_key=Secret(env="PGDR_TEST_NOT_SET"))).pages())


def test_azure_by_connection_string(azure_spec: AzureStore, tmp_path: Path) -> None:
    from tests.stores.clouds import ACCOUNT, ACCOUNT_KEY

    said = (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"BlobEndpoint={azure_spec.endpoint_url};"
    )
    (tmp_path / "string").write_text(said)
    spec = AzureStore("s", azure_spec.container, connection_string=Secret(file=tmp_path / "string"))
    open_store(spec).put("kong.dump", b"x")
    assert [o.key for page in open_store(azure_spec).pages() for o in page] == ["kong.dump"]


def test_gcs_credentials_that_are_none(gcs_spec: GcsStore, tmp_path: Path) -> None:
    missing = replace(gcs_spec, credentials_file=tmp_path / "none.json")
    for error in errors(open_store(missing)):
        assert isinstance(error, StoreDenied) and "no credentials" in error.what
    (tmp_path / "bad.json").write_text('{"type": "service_account", "private_key": "hidden"}')
    for error in errors(open_store(replace(gcs_spec, credentials_file=tmp_path / "bad.json"))):
        assert isinstance(error, Unreachable) and "hidden" not in str(error)


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    """The address of a server that gives one answer to every request."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - the base class's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def google(code: int, reason: str) -> bytes:
    """An error as Google's JSON API writes it."""
    error = {"code": code, "message": reason, "errors": [{"reason": reason, "domain": "global"}]}
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "reason", "kind", "what"),
    [
        (401, "authError", StoreDenied, "no credentials"),  # nobody was logged in
        (403, "forbidden", StoreDenied, "denied access"),
        (403, "retentionPolicyNotMet", Refused, "locked, and stays"),
        (403, "objectUnderActiveHold", Refused, "under a hold"),
        (403, "quotaExceeded", StoreFull, "is full"),
        (507, "insufficientStorage", StoreFull, "is full"),
        (503, "backendError", Unreachable, "can't serve now"),
        (412, "conditionNotMet", PgdrError, "answered with an error"),
    ],
)
def test_what_google_answers(
    gcs_spec: GcsStore, status: int, reason: str, kind: type[PgdrError], what: str
) -> None:
    with answering(status, google(status, reason), {"Content-Type": "application/json"}) as url:
        store = open_store(replace(gcs_spec, endpoint_url=url))
        with pytest.raises(kind, match=what):
            store.delete("a.dump") if kind is Refused else store.put("a.dump", b"x")


def test_google_s_generation_tells_what_was_replaced(gcs_spec: GcsStore) -> None:
    body = google(412, "conditionNotMet")
    with answering(412, body, {"Content-Type": "application/json"}) as url:
        stream = open_store(replace(gcs_spec, endpoint_url=url)).stream("a.dump", 0, 5, "17")
        with pytest.raises(PgdrError, match="replaced while it was read"):
            list(stream)


def azure(code: str, detail: str = "") -> bytes:
    """An error as Azure writes it."""
    more = f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail>" if detail else ""
    return (
        f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m {detail}</Message>{more}</Error>".encode()
    )


@pytest.mark.parametrize(
    ("status", "code", "kind", "what"),
    [
        (403, "AuthenticationFailed", StoreDenied, "rejected the credentials"),
        (403, "AuthorizationPermissionMismatch", StoreDenied, "denied access"),
        (409, "BlobImmutableDueToPolicy", Refused, "locked, and stays"),
        (412, "LeaseIdMissing", Refused, "lease"),
        (507, "InsufficientStorage", StoreFull, "is full"),
        (503, "ServerBusy", Unreachable, "can't serve now"),
        (409, "BlobArchived", PgdrError, "archive class"),
        (400, "InvalidResourceName", KeyRefused, "not used"),
        (404, "ContainerNotFound", StoreMissing, "no container"),
        (404, "BlobNotFound", ObjectMissing, "no object"),
    ],
)
def test_what_azure_answers(
    azure_spec: AzureStore, status: int, code: str, kind: type[PgdrError], what: str
) -> None:
    headers = {"x-ms-error-code": code, "Content-Type": "application/xml"}
    with answering(status, azure(code), headers) as url:
        store = open_store(replace(azure_spec, endpoint_url=url))
        with pytest.raises(kind, match=what):
            store.put("a.dump", b"x")


def test_azure_tells_a_wrong_clock(azure_spec: AzureStore) -> None:
    body = azure("AuthenticationFailed", "Request date header too old: 'Sat, 21 Nov 2026'")
    headers = {"x-ms-error-code": "AuthenticationFailed", "Content-Type": "application/xml"}
    with answering(403, body, headers) as url:
        store = open_store(replace(azure_spec, endpoint_url=url))
        with pytest.raises(StoreDenied, match="clock of this machine"):
            list(store.pages())


def test_a_server_that_is_no_store(spec: StoreSpec) -> None:
    with answering(200, b"<html>a login page</html>", {"Content-Type": "text/html"}) as url:
        with pytest.raises(PgdrError) as caught:
            list(open_store(at(spec, url)).pages())
        assert not re.search("login page", str(caught.value))
