"""What only a bucket can do wrong, on a real S3 server and on addresses where there is none."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound

from tests.servers import Bucket
from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import S3Store
from tui.model.secret import Secret
from tui.stores.open import open_store
from tui.stores.s3 import BucketStore
from tui.stores.s3_listing import objects, take_objects
from tui.stores.s3_problems import explain
from tui.stores.store import Store, StoreDenied, StoreFull, StoreMissing


@pytest.fixture(autouse=True)
def _no_aws_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's credentials nor an instance's may be found."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries take seconds between them; what is said after the last one is the same."""
    monkeypatch.setattr("tui.stores.s3_client.TRIES", 1)


def test_a_prefix_is_all_that_is_seen_and_used(bucket: Bucket) -> None:
    below = open_store(replace(bucket.store, prefix="/krystalinex/"))
    whole = open_store(bucket.store)
    below.put("kong.dump", b"PGDMP")
    whole.put("krystalinex-other/kong.dump", b"x")
    whole.put("top.dump", b"x")
    assert [o.key for page in below.pages() for o in page] == ["kong.dump"]
    assert [o.key for page in below.pages("ko") for o in page] == ["kong.dump"]
    assert (bucket.directory / "krystalinex" / "kong.dump").read_bytes() == b"PGDMP"
    below.delete("kong.dump")
    assert not (bucket.directory / "krystalinex" / "kong.dump").exists()


def ways(store: Store) -> Iterator[PgdrError]:
    """What each way to use a store that can't be used raises."""
    for use in (
        lambda: next(store.pages(), ()),
        lambda: store.stat("a.dump"),
        lambda: store.read("a.dump", 0, 5),
        lambda: store.put("a.dump", b"x"),
    ):
        with pytest.raises(PgdrError) as caught:
            use()
        yield caught.value


def test_a_wrong_secret_is_rejected_credentials(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("wrong-secret-wrong-secret\n")
    spec = replace(bucket.store, secret_key=Secret(file=tmp_path / "secret"))
    for error in ways(open_store(spec)):
        assert isinstance(error, StoreDenied)
        assert error.exit_code == 5
        assert "wrong-secret" not in str(error)
        assert error.mend
    with pytest.raises(StoreDenied, match=r"rejected the credentials: the secret key doesn't belong"):
        list(open_store(spec).pages())


def test_a_secret_that_was_mended_is_taken_at_the_next_try(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("wrong-secret-wrong-secret\n")
    assert bucket.store.secret_key is not None
    assert bucket.store.secret_key.file is not None
    spec = replace(bucket.store, secret_key=Secret(file=tmp_path / "secret"))
    with pytest.raises(StoreDenied):
        list(open_store(spec).pages())
    (tmp_path / "secret").write_text(bucket.store.secret_key.file.read_text())
    assert open_store(spec) is open_store(spec)
    assert list(open_store(spec).pages()) == []


def test_an_unknown_access_key_is_rejected_credentials(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "access").write_text("AKUNKNOWN\n")
    spec = replace(bucket.store, access_key=Secret(file=tmp_path / "access"))
    with pytest.raises(StoreDenied, match=r"rejected the credentials|denied access"):
        list(open_store(spec).pages())


def test_no_such_bucket(bucket: Bucket) -> None:
    for error in ways(open_store(replace(bucket.store, bucket="not-there"))):
        assert isinstance(error, StoreMissing)
        assert "no bucket “not-there”" in error.what


def test_a_name_that_does_not_resolve(bucket: Bucket) -> None:
    store = open_store(replace(bucket.store, endpoint_url="http://storage.invalid:9000"))
    with pytest.raises(Unreachable, match=r"doesn't resolve: http://storage\.invalid:9000"):
        list(store.pages())


def test_a_closed_port(bucket: Bucket) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: nobody else takes it, and it refuses
        store = open_store(replace(bucket.store, endpoint_url=f"http://127.0.0.1:{free.getsockname()[1]}"))
        with pytest.raises(Unreachable, match="refused the connection: nothing listens"):
            list(store.pages())


def test_a_silent_server(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.stores.s3_client.READ_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = open_store(replace(bucket.store, endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with pytest.raises(Unreachable, match="no answer in time"):
            list(store.pages())


def test_the_ways_to_fail_have_five_different_sentences(bucket: Bucket) -> None:
    spec = bucket.store
    answers = [
        explain(spec, ClientError({"Error": {"Code": code}}, "ListObjectsV2")).what
        for code in (
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "AccessDenied",
            "ExpiredToken",
            "NoSuchBucket",
        )
    ]
    assert len(set(answers)) == 5
    full = explain(spec, ClientError({"Error": {"Code": "XMinioStorageFull"}}, "PutObject"))
    assert isinstance(full, StoreFull)


def test_no_credentials_at_all(bucket: Bucket) -> None:
    store = open_store(replace(bucket.store, access_key=None, secret_key=None))
    with pytest.raises(StoreDenied, match="no credentials for the store offsite") as caught:
        list(store.pages())
    assert isinstance(caught.value.__cause__, NoCredentialsError)


def test_an_unknown_profile(bucket: Bucket) -> None:
    store = open_store(replace(bucket.store, access_key=None, secret_key=None, profile="nobody"))
    with pytest.raises(StoreDenied, match="profile “nobody”") as caught:
        list(store.pages())
    assert isinstance(caught.value.__cause__, ProfileNotFound)


def test_addresses_that_are_none(bucket: Bucket) -> None:
    for url in ("not a url", "http://", "ftp:/x"):
        with pytest.raises(Unreachable):
            list(open_store(replace(bucket.store, endpoint_url=url)).pages())
    with pytest.raises(Unreachable):
        list(open_store(replace(bucket.store, bucket="not a bucket!")).pages())


def test_a_password_in_the_address_is_not_repeated() -> None:
    spec = S3Store("s", "b", endpoint_url="http://user:hidden@host.invalid", access_key=Secret(env="X"))
    error = explain(spec, ClientError({"Error": {"Code": "NoSuchBucket"}}, "GetObject"))
    assert "hidden" not in str(error)
    assert "host.invalid" in str(error)


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server of this test's own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # Polled often, since shutdown waits for the next poll.
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


class _Answers(BaseHTTPRequestHandler):
    """Gives the same answer to every request."""

    body = b"<html>a login page</html>"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_server_that_is_no_s3(bucket: Bucket) -> None:
    with served(_Answers) as url:
        store = open_store(replace(bucket.store, endpoint_url=url))
        with pytest.raises(PgdrError):
            list(store.pages())
        with pytest.raises(PgdrError, match="parts of objects"):
            store.read("a.dump", 5, 5)


@pytest.mark.parametrize("prefix", ["", "deep/", "de"])
def test_large_folders_are_listed_side_by_side_and_in_order(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setattr("tui.stores.s3.PAGE", 20)
    layout = {"a": 70, "a-b": 30, "b": 1, "c/d": 45, "é &": 25}
    keys = {f"deep/er/{folder}/{n:03}.dump" for folder, count in layout.items() for n in range(count)}
    keys |= {"deep/er/a.dump", "deep/er/bb.dump", "deep/er/z"}
    for key in keys:
        (bucket.directory / key).parent.mkdir(parents=True, exist_ok=True)
        (bucket.directory / key).touch()
    store = open_store(bucket.store)
    asked: list[dict[str, str]] = []
    assert isinstance(store, BucketStore)
    page = store._page

    def noted(**which: str) -> dict[str, object]:
        asked.append(which)
        return page(**which)

    monkeypatch.setattr(store, "_page", noted)
    assert [o.key for page in store.pages(prefix) for o in page] == sorted(keys, key=str.encode)
    assert {which["Prefix"] for which in asked if "Delimiter" not in which} >= {
        "deep/er/a/",
        "deep/er/c/",
        "deep/er/é &/",
    }
    left = store.pages(prefix)
    next(left)
    left.close()  # type: ignore[attr-defined]


def test_answers_that_are_unusual_are_read_all_the_same() -> None:
    head = b"<?xml version='1.0'?><ListBucketResult><Name>b</Name><EncodingType>url</EncodingType>"
    one = (
        b"<Contents><Key><![CDATA[a%20b]]></Key><LastModified>2026-11-21T01:02:03.000Z</LastModified>"
        b"<ETag>&#x22;e&#x22;</ETag><Size>5</Size><Owner><ID>x</ID></Owner></Contents>"
    )
    for body, seen in ((head + one + one + b"</ListBucketResult>", 2), (head + b"</ListBucketResult>", 0)):
        given: dict[str, object] = {"status_code": 200, "body": body}
        answer: dict[str, object] = {}
        take_objects(given, answer)
        listed = objects(answer)
        assert [(key, size, etag) for key, size, _, etag in listed] == [("a b", 5, '"e"')] * seen
    with pytest.raises(ValueError, match="not an object"):
        objects({"PgdrTaken": (b"<Contents><Size>5</Size></Contents>", False)})


class _Flaky(BaseHTTPRequestHandler):
    """An object of 100,000 bytes whose ranges break off, each after its first 30,000 bytes."""

    data = bytes(n % 251 for n in range(100_000))
    first_bytes = 30_000
    head_etag = '"as it is"'
    asked: list[str]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.data)))
        self.send_header("Last-Modified", "Sat, 21 Nov 2026 01:02:03 GMT")
        self.send_header("ETag", self.head_etag)
        self.end_headers()

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.asked.append(asked)
        start, end = (int(part) for part in asked.removeprefix("bytes=").split("-"))
        self.send_response(206)
        self.send_header("ETag", '"as it is"')
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(self.data)}")
        self.send_header("Content-Length", str(end - start + 1))
        self.end_headers()
        self.wfile.write(self.data[start : end + 1][: self.first_bytes])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.mark.parametrize("whole", [True, False])
def test_a_range_that_breaks_off_goes_on_where_it_was(bucket: Bucket, tmp_path: Path, whole: bool) -> None:
    handler = type("Handler", (_Flaky,), {"asked": [], **({} if whole else {"data": _Flaky.data * 2})})
    with served(handler) as url:
        store = open_store(replace(bucket.store, endpoint_url=url))
        assert isinstance(store, BucketStore)
        told: list[int] = []
        if whole:
            store.fetch("a.dump", tmp_path / "a", told.append, lambda: False)
            assert (tmp_path / "a").read_bytes() == _Flaky.data
            assert told[-1] == len(_Flaky.data)
        else:  # more breaks than tries: it is said, and nothing stays
            with pytest.raises(PgdrError, match="broke off"):
                store.fetch("a.dump", tmp_path / "a", told.append, lambda: False)
            assert list(tmp_path.iterdir()) == []


def test_an_object_replaced_while_it_is_read_is_not_mixed(bucket: Bucket, tmp_path: Path) -> None:
    was = {"asked": [], "first_bytes": 1 << 20, "head_etag": '"as it was"'}
    handler = type("Handler", (_Flaky,), was)
    with served(handler) as url:
        store = open_store(replace(bucket.store, endpoint_url=url))
        with pytest.raises(PgdrError, match="was replaced while it was read"):
            store.fetch("a.dump", tmp_path / "a", lambda _: None, lambda: False)
        assert list(tmp_path.iterdir()) == []


def test_opening_reads_no_secret_and_loads_boto3_only_for_s3(bucket: Bucket) -> None:
    spec = replace(bucket.store, secret_key=Secret(env="PGDR_TEST_NOT_SET"))
    store = open_store(spec)
    with pytest.raises(PgdrError, match="PGDR_TEST_NOT_SET"):
        list(store.pages())
    code = (
        "import sys; from pathlib import Path; from tui.model.fleet import LocalStore; "
        "from tui.stores.open import open_store; open_store(LocalStore('l', Path('/'))); "
        "sys.exit('boto3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_upload_that_was_cut_off_is_discarded_when_it_is_old(moto_spec: S3Store) -> None:
    store = open_store(moto_spec)
    client = boto3.client(
        "s3", endpoint_url=moto_spec.endpoint_url, region_name="us-east-1",
        aws_access_key_id="any", aws_secret_access_key="any",
    )  # fmt: skip
    for key in ("shop-1.dump", "other-1.dump"):
        upload = client.create_multipart_upload(Bucket=moto_spec.bucket, Key=moto_spec.prefix + key)[
            "UploadId"
        ]
        client.upload_part(
            Bucket=moto_spec.bucket, Key=moto_spec.prefix + key, UploadId=upload, PartNumber=1, Body=b"half"
        )
    long_ago = datetime(2000, 1, 1, tzinfo=timezone.utc)  # moto says of every upload that it began in 2010
    assert store.discard_unfinished("shop-", long_ago) == 0
    assert store.discard_unfinished("shop-", datetime.now(timezone.utc)) == 1
    left = client.list_multipart_uploads(Bucket=moto_spec.bucket)["Uploads"]
    assert [u["Key"].rpartition("/")[2] for u in left] == ["other-1.dump"]
