"""What a bucket says of how it keeps what lies in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tui.model.text import clean
from tui.stores.s3_problems import code_of
from tui.stores.store import Protection, Quality

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What S3 answers where there is none of it ("Error responses", Amazon S3 API reference).
_NONE = (
    "ServerSideEncryptionConfigurationNotFoundError",
    "ObjectLockConfigurationNotFoundError",
    "NoSuchLifecycleConfiguration",
)


def ask_protection(client: S3Client, bucket: str, prefix: str) -> Protection:
    """Given a client, asks the bucket about encryption, versions, locks and lifecycle, four requests.

    What it denies or doesn't know is None of that quality. Raises what botocore raises when the bucket
    can't be reached or isn't there.
    """
    return Protection(
        encrypted=_asked(lambda: client.get_bucket_encryption(Bucket=bucket), _encrypted),
        versioned=_asked(lambda: client.get_bucket_versioning(Bucket=bucket), _versioned),
        locked=_asked(lambda: client.get_object_lock_configuration(Bucket=bucket), _locked),
        thinned=_asked(
            lambda: client.get_bucket_lifecycle_configuration(Bucket=bucket),
            lambda answer: _thinned(answer, prefix),
        ),
    )


def _asked(ask: Callable[[], Any], read: Callable[[Mapping[str, Any]], Quality]) -> Quality | None:
    try:
        return read(ask())
    except ClientError as error:
        if code_of(error) in _NONE:
            return Quality(False)
        if code_of(error) == "NoSuchBucket":
            raise
        return None  # denied, or a server that doesn't know the question


def _encrypted(answer: Mapping[str, Any]) -> Quality:
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    ways = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in rules]
    return Quality(any(ways), ", ".join(clean(way, 40) for way in ways if way))


def _versioned(answer: Mapping[str, Any]) -> Quality:
    status = answer.get("Status")
    return Quality(status == "Enabled", "suspended" if status == "Suspended" else "")


def _locked(answer: Mapping[str, Any]) -> Quality:
    lock = answer.get("ObjectLockConfiguration", {})
    kept = lock.get("Rule", {}).get("DefaultRetention", {})
    if lock.get("ObjectLockEnabled") != "Enabled":
        return Quality(False)
    if not kept:
        return Quality(False, "possible, but no default retention")
    span = f"{kept['Days']} days" if "Days" in kept else f"{kept.get('Years', '?')} years"
    return Quality(True, f"{clean(str(kept.get('Mode', '')), 20).lower()}, {span}")


def _thinned(answer: Mapping[str, Any], prefix: str) -> Quality:
    """Which rules take current objects away, or out of reach, below the store's prefix."""
    said = []
    for rule in answer.get("Rules", ()):
        below = rule.get("Prefix") or _prefix_of(rule.get("Filter", {}))
        if rule.get("Status") != "Enabled" or not (below.startswith(prefix) or prefix.startswith(below)):
            continue
        ends = rule.get("Expiration", {})
        if "Days" in ends or "Date" in ends:
            after = f"after {ends['Days']} days" if "Days" in ends else "at a date"
            said.append(f"objects are deleted {after}")
        for move in rule.get("Transitions", ()):
            if move.get("StorageClass") in ("GLACIER", "DEEP_ARCHIVE"):
                after = f"after {move['Days']} days" if "Days" in move else "at a date"
                said.append(f"objects are moved to {move['StorageClass']} {after}")
    return Quality(bool(said), ", ".join(said))


def _prefix_of(chosen: Mapping[str, Any]) -> str:
    return str(chosen.get("Prefix") or chosen.get("And", {}).get("Prefix") or "")
