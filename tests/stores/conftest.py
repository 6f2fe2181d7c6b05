"""One store of each kind; the same tests hold for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests
from azure.storage.blob import BlobServiceClient

from tests.servers import Bucket
from tests.stores.clouds import ACCOUNT, ACCOUNT_KEY, azurite, fresh_name, gcs, moto
from tui.model.fleet import AzureStore, GcsStore, LocalStore, S3Store
from tui.model.secret import Secret
from tui.stores.open import open_store
from tui.stores.store import Store

__all__ = ["azurite", "gcs", "moto"]


@dataclass(frozen=True)
class Kept:
    """A store, and how to see and to make what is really in it: `directory` where its objects lie as
    files, else None; `put` stores past what pgdr refuses."""

    kind: str
    store: Store
    directory: Path | None
    put: Callable[[str, bytes], object]

    def files(self) -> set[str]:
        """Every object that is really there; where they are files, half-written ones among them."""
        if self.directory is None:
            return {found.key for page in self.store.pages() for found in page}
        return {str(p.relative_to(self.directory)) for p in self.directory.rglob("*") if p.is_file()}

    def seed(self, objects: Mapping[str, bytes]) -> None:
        """Stores objects as others would, whatever their keys."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.put, objects, objects.values()))


PART = 5 << 20  # the least that S3 takes for a part


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few bytes are many parts."""
    monkeypatch.setattr("tui.stores.parts.PART_BYTES", PART)
    monkeypatch.setattr("tui.stores.fetch.RANGE_BYTES", 1 << 20)


@pytest.fixture(autouse=True)
def _no_cloud_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's credentials nor an instance's may be found."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def azure_spec(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AzureStore:
    """A fresh container on Azurite."""
    monkeypatch.setenv("PGDR_TEST_AZURE_KEY", ACCOUNT_KEY)
    name = fresh_name("container")
    credential = {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}
    with BlobServiceClient(azurite, credential=credential) as service:
        service.create_container(name)
    key = Secret(env="PGDR_TEST_AZURE_KEY")
    return AzureStore("azure", name, ACCOUNT, endpoint_url=azurite, account_key=key)


@pytest.fixture
def gcs_spec(gcs: str) -> GcsStore:
    """A fresh bucket on the emulator."""
    name = fresh_name("bucket")
    requests.post(f"{gcs}/storage/v1/b", json={"name": name}, timeout=30).raise_for_status()
    return GcsStore("gcs", name, endpoint_url=gcs)


@pytest.fixture
def moto_spec(moto: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A fresh bucket on moto, which keeps versions of what is in it and can lock them."""
    monkeypatch.setenv("PGDR_TEST_KEY", "AKTEST")
    name = fresh_name("bucket")
    client = boto3.client(
        "s3",
        endpoint_url=moto,
        region_name="us-east-1",
        aws_access_key_id="AKTEST",
        aws_secret_access_key="AKTEST",
    )
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    key = Secret(env="PGDR_TEST_KEY")
    return S3Store("moto", name, endpoint_url=moto, region="us-east-1", access_key=key, secret_key=key)


@pytest.fixture(params=["local", "s3", "versioned", "azure", "gcs"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """A fresh, empty store: a directory, or a bucket of a real server of each kind."""
    kind: str = request.param
    if kind == "local":
        directory = tmp_path / "store"
        directory.mkdir(mode=0o700)
        return Kept(kind, open_store(LocalStore("local", directory)), directory, _into(directory))
    if kind == "s3":
        bucket: Bucket = request.getfixturevalue("bucket")
        return Kept(kind, open_store(bucket.store), bucket.directory, _into(bucket.directory))
    fixtures = {"versioned": "moto_spec", "azure": "azure_spec", "gcs": "gcs_spec"}
    store = open_store(request.getfixturevalue(fixtures[kind]))
    raw = {"azure": "_blob", "gcs": "_blob", "versioned": "_client"}[kind]

    def put(key: str, data: bytes) -> None:
        if kind == "versioned":
            made = getattr(store, raw)()
            made.put_object(Bucket=store._spec.bucket, Key=key, Body=data)  # type: ignore[attr-defined]
        elif kind == "azure":
            getattr(store, raw)(key).upload_blob(data, overwrite=True)
        else:
            getattr(store, raw)(key).upload_from_string(data)

    return Kept(kind, store, None, put)


def _into(directory: Path) -> Callable[[str, bytes], object]:
    def put(key: str, data: bytes) -> None:
        (directory / key).parent.mkdir(parents=True, exist_ok=True)
        (directory / key).write_bytes(data)

    return put
