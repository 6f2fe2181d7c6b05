"""The client of a bucket: boto3's, with credentials as the configuration or boto3's own chain give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from tui.config.secrets import reveal
from tui.model.fleet import S3Store
from tui.stores.s3_listing import take_objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
TRIES = 3
_CONNECTIONS = 16  # catalogue and download threads at the same time


def new_client(spec: S3Store, *, hasty: bool = False) -> S3Client:
    """Given a store's configuration, returns a client. Connects to nothing but what credentials need.
    A `hasty` one asks once and waits a few seconds: for who only looks around.

    Raises ConfigError when a secret can't be read, and what botocore raises for a profile that isn't.
    """
    session = boto3.session.Session(
        profile_name=spec.profile,
        region_name=spec.region,
        aws_access_key_id=reveal(spec.access_key) if spec.access_key else None,
        aws_secret_access_key=reveal(spec.secret_key) if spec.secret_key else None,
    )
    client = session.client(
        "s3",
        endpoint_url=spec.endpoint_url,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=CONNECT_TIMEOUT_S if hasty else READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": 1 if hasty else TRIES},
            max_pool_connections=_CONNECTIONS,
            # Many servers don't know the checksums that newer SDKs add, or send that of the whole
            # object with a range of it.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Servers of one's own answer at one address: a bucket in the host's name wouldn't resolve.
            s3={"addressing_style": "path" if spec.path_style or spec.endpoint_url else "auto"},
        ),
    )
    client.meta.events.register("before-parse.s3.ListObjectsV2", take_objects)
    return client
