"""Versions, locks, classes and encryption, on a server that has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.stores.conftest import PART
from tui.model.errors import Refused
from tui.model.fleet import Fleet, S3Store
from tui.operations.catalogue.offsite import judged, protections
from tui.stores.open import open_store
from tui.stores.s3 import BucketStore
from tui.stores.store import Protection


@pytest.fixture
def store(moto_spec: S3Store) -> BucketStore:
    """An empty bucket that keeps versions."""
    made = open_store(moto_spec)
    assert isinstance(made, BucketStore)
    return made


def client(store: BucketStore) -> Any:
    """boto3's own, for what pgdr doesn't do."""
    return store._client()


def names(store: BucketStore) -> list[str]:
    return [found.key for page in store.pages() for found in page]


def test_what_is_deleted_in_a_versioned_bucket_can_be_had_back(
    store: BucketStore, moto_spec: S3Store
) -> None:
    store.put("kong.dump", b"one")
    store.delete("kong.dump")
    assert names(store) == []
    versions = client(store).list_object_versions(Bucket=moto_spec.bucket)
    assert len(versions["Versions"]) == len(versions["DeleteMarkers"]) == 1


@pytest.mark.parametrize("hold", ["legal hold", "retention"])
def test_a_locked_object_is_a_refusal_and_stays(store: BucketStore, moto_spec: S3Store, hold: str) -> None:
    store.put("kong.dump", b"one")
    if hold == "legal hold":
        client(store).put_object_legal_hold(
            Bucket=moto_spec.bucket, Key="kong.dump", LegalHold={"Status": "ON"}
        )
    else:
        until = datetime.now(timezone.utc) + timedelta(days=3)
        client(store).put_object_retention(
            Bucket=moto_spec.bucket,
            Key="kong.dump",
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
        )
    with pytest.raises(Refused, match=f"locked, and stays: .*{hold}") as raised:
        store.delete("kong.dump")
    assert raised.value.exit_code == 4
    assert names(store) == ["kong.dump"]
    assert store.read("kong.dump", 0, 9) == b"one"


@pytest.mark.parametrize("size", [10, PART + 1])
def test_objects_are_of_the_class_and_encryption_that_is_said(moto_spec: S3Store, size: int) -> None:
    spec = replace(moto_spec, storage_class="STANDARD_IA", sse="aws:kms", kms_key="alias/backups")
    store = open_store(spec)
    assert isinstance(store, BucketStore)
    store.write("kong.dump", [bytes(size)])
    head = client(store).head_object(Bucket=spec.bucket, Key="kong.dump")
    assert (head["StorageClass"], head["ServerSideEncryption"]) == ("STANDARD_IA", "aws:kms")
    assert head["SSEKMSKeyId"] == "alias/backups"
    plain = open_store(replace(moto_spec, sse="AES256"))
    assert isinstance(plain, BucketStore)
    plain.put("plain.dump", b"x")
    assert client(plain).head_object(Bucket=spec.bucket, Key="plain.dump")["ServerSideEncryption"] == "AES256"


def test_a_bucket_tells_how_it_keeps_what_it_holds(store: BucketStore, moto_spec: S3Store) -> None:
    before = store.protection()
    assert before.versioned is not None and before.versioned.has
    assert before.locked is not None and not before.locked.has
    assert before.thinned is not None and not before.thinned.has
    made = client(store)
    made.put_bucket_encryption(
        Bucket=moto_spec.bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        },
    )
    made.put_object_lock_configuration(
        Bucket=moto_spec.bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}},
        },
    )
    rules = [
        {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}},
        {"ID": "b", "Status": "Enabled", "Filter": {"Prefix": "elsewhere/"}, "Expiration": {"Days": 1}},
        {"ID": "c", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 2}},
    ]
    made.put_bucket_lifecycle_configuration(Bucket=moto_spec.bucket, LifecycleConfiguration={"Rules": rules})
    found = open_store(replace(moto_spec, prefix="backups/")).protection()
    assert found.encrypted is not None and found.encrypted.has and found.encrypted.detail == "aws:kms"
    assert found.locked is not None and found.locked.has and found.locked.detail == "governance, 7 days"
    assert found.thinned is not None and found.thinned.detail == "objects are deleted after 30 days"
    said = [finding.what for finding in protections(Fleet("f", stores=(moto_spec,)))]
    assert said[0] == "It is encrypted at rest (aws:kms)."
    assert "It is versioned." in said
    assert any("thinned by a lifecycle rule of its own: objects are deleted after 30 days" in s for s in said)


def test_what_cannot_be_asked_is_said_so() -> None:
    said = [finding.what for finding in judged("far", Protection())]
    assert len(said) == 4
    assert all("cannot be asked" in sentence for sentence in said)


def test_a_wrong_clock_is_its_own_sentence(moto_spec: S3Store) -> None:
    from botocore.exceptions import ClientError

    from tui.stores.s3_problems import explain

    error = ClientError({"Error": {"Code": "RequestTimeTooSkewed"}}, "ListObjectsV2")
    said = explain(moto_spec, error)
    assert said.what.startswith("The clock of this machine and that of the store")
    assert "rejected" not in said.what and "credentials" not in str(said)


def test_keys_that_no_directory_could_hold(store: BucketStore, moto_spec: S3Store) -> None:
    keys = ["a//b.dump", "/abs.dump", "../up.dump", "x/../y.dump", "<&>\"'.dump", "a%2Fb +.dump"]
    for key in keys:
        client(store).put_object(Bucket=moto_spec.bucket, Key=key, Body=key.encode())
    assert sorted(names(store)) == sorted(keys)
    for found in (found for page in store.pages() for found in page):
        assert store.read(found.key, 0, 99) == found.key.encode()
        assert found.etag and '"' not in found.etag
