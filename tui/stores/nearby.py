"""Buckets that this machine's credentials can list, for who doesn't know them yet.

What counts as credentials are those of the environment and the profiles of ~/.aws, as boto3 reads them. The
machine's own role is left out: asking for it takes seconds wherever there is none.
"""

from __future__ import annotations

from collections.abc import Mapping

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tui.model.fleet import S3Store
from tui.stores.s3_client import new_client
from tui.stores.s3_problems import explain

_ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def credentials(environ: Mapping[str, str]) -> tuple[S3Store, ...]:
    """Given the environment, returns a store without a bucket for each set of credentials: those of the
    environment, then each profile. Raises nothing; asks nobody."""
    url = next((environ[name] for name in _ENDPOINTS if environ.get(name)), None)
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None
    try:
        profiles = boto3.session.Session().available_profiles
    except BotoCoreError:
        profiles = []  # a file of theirs that can't be read, or $AWS_PROFILE names none
    chosen = environ.get("AWS_PROFILE")
    wanted: list[str | None] = [None] if any(environ.get(name) for name in _ENVIRONMENT) else []
    wanted += [name for name in profiles if chosen in (None, "", name)]
    return tuple(
        S3Store("offsite", "", endpoint_url=url, region=region, profile=profile, path_style=url is not None)
        for profile in wanted
    )


def buckets(of: S3Store) -> tuple[str, ...]:
    """Given a store without a bucket, returns the names of all that its credentials may list.

    Raises PgdrError: why they couldn't be listed. To have no right to that says nothing of the buckets.
    """
    try:
        answer = new_client(of, hasty=True).list_buckets()
    except (BotoCoreError, ClientError) as error:
        raise explain(of, error) from None
    return tuple(bucket["Name"] for bucket in answer.get("Buckets", []) if bucket.get("Name"))
