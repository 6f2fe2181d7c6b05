"""Storing a stream in a bucket: a multipart upload, completed or aborted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.model.errors import PgdrError
from tui.stores.parts import send_parts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CompleteMultipartUploadOutputTypeDef

# "Amazon S3 multipart upload limits"
_MOST_PARTS = 10_000


def upload_parts(
    client: S3Client,
    guard: Callable[[], AbstractContextManager[None]],
    bucket: str,
    key: str,
    whole: Iterable[bytes],
    how: dict[str, Any],
) -> tuple[CompleteMultipartUploadOutputTypeDef, int]:
    """Stores the parts `whole` as the object `key` of `bucket`; on any failure aborts, so that nothing is
    left. `how` are the arguments that say of what class and encryption it is to be.

    Returns the answer and how many bytes were stored.

    `guard` turns botocore's errors into the store's. What `whole` raises passes through.
    """
    with guard():
        upload = client.create_multipart_upload(Bucket=bucket, Key=key, **how)["UploadId"]

    def send(number: int, data: bytes) -> CompletedPartTypeDef:
        with guard():
            answer = client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data)
            return {"PartNumber": number, "ETag": answer["ETag"]}

    try:
        sent, size = send_parts(whole, send, _MOST_PARTS)
        with guard():
            answer = client.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": sent}
            )
        return answer, size
    except BaseException:
        # A store that can't be reached can't be told to abort either: the first error is the one that
        # matters, and the parts stay unseen until the bucket's rule for incomplete uploads removes them.
        with suppress(PgdrError), guard():
            client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        raise


def abort_unfinished(
    client: S3Client,
    guard: Callable[[], AbstractContextManager[None]],
    bucket: str,
    prefix: str,
    before: datetime,
) -> int:
    """Aborts the multipart uploads of keys that begin with `prefix` and were begun before that moment, of the
    first 1,000 that the bucket tells of; returns how many."""
    with guard():
        uploads = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
    old = [u for u in uploads if u["Key"].startswith(prefix) and u["Initiated"] < before]
    for upload in old:
        with guard():
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return len(old)
