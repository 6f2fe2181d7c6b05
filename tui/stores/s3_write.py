"""Storing a stream whose length nobody knows yet: a multipart upload, completed or aborted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

from tui.model.errors import PgdrError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CompleteMultipartUploadOutputTypeDef

# All parts but the last are of one size, which some servers demand. With S3's limit of 10,000 parts
# ("Amazon S3 multipart upload limits") an object may have 312 GiB; three parts are in memory at most.
PART_BYTES = 32 << 20
_MOST_PARTS = 10_000
_IN_FLIGHT = 2


def upload_parts(
    client: S3Client,
    guard: Callable[[], AbstractContextManager[None]],
    bucket: str,
    key: str,
    chunks: Iterable[bytes],
) -> tuple[CompleteMultipartUploadOutputTypeDef, int]:
    """Stores `chunks` as the object `key` of `bucket`; on any failure aborts, so that nothing is left.

    Returns the answer and how many bytes were stored.

    `guard` turns botocore's errors into the store's. What `chunks` raises passes through.
    """
    with guard():
        upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]

    def send(number: int, data: bytes) -> CompletedPartTypeDef:
        with guard():
            answer = client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data)
            return {"PartNumber": number, "ETag": answer["ETag"]}

    try:
        sent: list[CompletedPartTypeDef] = []
        size = 0
        with ThreadPoolExecutor(_IN_FLIGHT, "pgdr-upload") as pool:
            pending: deque[Future[CompletedPartTypeDef]] = deque()
            for number, part in enumerate(parts(chunks), start=1):
                if number > _MOST_PARTS:
                    raise PgdrError(
                        "The backup is larger than one object may be here: 312 GiB.",
                        mend="Dump it to a directory store, or by tables.",
                    )
                size += len(part)
                pending.append(pool.submit(send, number, part))
                if len(pending) > _IN_FLIGHT:
                    sent.append(pending.popleft().result())
            sent.extend(future.result() for future in pending)
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


def parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Given chunks of any size, gives parts of PART_BYTES, the last one shorter; none for no bytes."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= PART_BYTES:
            yield bytes(buffer[:PART_BYTES])
            del buffer[:PART_BYTES]
    if buffer:
        yield bytes(buffer)
