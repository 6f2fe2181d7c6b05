"""The shared servers are what they claim to be."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.servers import Bucket, FreshDatabase, fresh_database
from tui.demo.server import Server
from tui.model.errors import PgdrError


def test_embedded_server_is_18_and_wants_its_password(db18: FreshDatabase) -> None:
    assert db18.sql("SHOW server_version").startswith("18.")
    assert db18.sql("SELECT current_database()") == db18.name
    db18.server.passfile.rename(db18.server.passfile.with_suffix(".away"))
    try:
        with pytest.raises(PgdrError, match="SQL failed"):
            db18.sql("SELECT 1")
    finally:
        db18.server.passfile.with_suffix(".away").rename(db18.server.passfile)


def test_debians_server_is_15(db15: FreshDatabase) -> None:
    assert db15.sql("SHOW server_version").startswith("15.")


def test_what_a_test_made_is_gone_for_the_next(pg18: Server) -> None:
    listed = "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles ORDER BY 1"
    before = pg18.sql(listed)
    with fresh_database(pg18) as made:
        pg18.sql(f'CREATE DATABASE "{made.name} another"')
        pg18.sql(f'CREATE ROLE "{made.name} role"')
        assert pg18.sql(listed) != before
    assert pg18.sql(listed) == before


def _client(bucket: Bucket, secret: str):  # type: ignore[no-untyped-def]
    return boto3.client(
        "s3",
        endpoint_url=bucket.store.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=bucket.server.access_key_file.read_text().strip(),
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def test_bucket_takes_its_secret_and_no_other(bucket: Bucket) -> None:
    right = _client(bucket, bucket.server.secret_key_file.read_text().strip())
    right.put_object(Bucket=bucket.name, Key="a/b", Body=b"hello")
    assert (bucket.directory / "a" / "b").read_bytes() == b"hello"
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        _client(bucket, "wrong").list_objects_v2(Bucket=bucket.name)
