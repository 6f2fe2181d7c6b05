"""What S3 and the way to it can say, as sentences: what failed, why, what to do.

Rejected credentials, none at all, a bucket that isn't there, a name that doesn't resolve, a closed port
and a silence are different things to a person; botocore tells them apart by class and by error code
("Error responses", Amazon S3 API reference).
"""

from __future__ import annotations

import socket

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import NameResolutionError

from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import S3Store
from tui.model.text import clean
from tui.stores import problems
from tui.stores.store import StoreDenied, StoreMissing, missing

_NO_KEY = frozenset({"NoSuchKey", "NotFound", "404", "NoSuchVersion"})
_NO_BUCKET = frozenset({"NoSuchBucket"})
_REJECTED = {
    "InvalidAccessKeyId": "it doesn't know the access key",
    "SignatureDoesNotMatch": "the secret key doesn't belong to the access key",
    "ExpiredToken": "the credentials have expired",
    "ExpiredTokenException": "the credentials have expired",
    "TokenRefreshRequired": "the credentials have expired",
    "InvalidToken": "the session token is not valid",
    "InvalidSecurity": "the credentials are not valid",
    "AuthorizationHeaderMalformed": "the region is not the bucket's, or the access key is malformed",
}
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
_DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden", "401"})
_ELSEWHERE = frozenset({"PermanentRedirect", "301", "307", "IllegalLocationConstraintException"})
_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "503", "InternalError", "500", "502", "504"})
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"})


def code_of(error: Exception) -> str:
    """The error code of S3's answer, the HTTP status where it gave none, else empty."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code") or "")


def explain(spec: S3Store, error: Exception, key: str | None = None) -> PgdrError:
    """Given what botocore raised while using the store (and the key it was about), returns the error
    for a person. Quotes no more of the answer than its code: answers may repeat what was signed."""
    return _of_answer(spec, error, key) if isinstance(error, ClientError) else _of_the_way(spec, error)


def no_bucket(spec: S3Store) -> StoreMissing:
    """The error for a bucket that isn't there."""
    return problems.no_bucket(spec.name, spec.bucket, _where(spec))


def _of_answer(spec: S3Store, error: ClientError, key: str | None) -> PgdrError:
    code = code_of(error)
    if code in _NO_BUCKET:
        return no_bucket(spec)
    if code in _NO_KEY:
        return missing(spec.name, key) if key is not None else no_bucket(spec)
    if code in _SKEWED:
        return problems.wrong_clock(spec.name, code)
    if code in _REJECTED:
        return problems.rejected(spec.name, _REJECTED[code], code, _credentials_mend(spec))
    if code in _DENIED:
        return problems.denied(spec.name, spec.bucket, code)
    if code in _ELSEWHERE:
        return Unreachable(
            f"The store {spec.name} says that the bucket “{clean(spec.bucket)}” is elsewhere ({code}).",
            mend="Set the store's region (or endpoint_url) to the bucket's own.",
        )
    if code in _FULL:
        return problems.full(spec.name, code)
    if code in _BUSY:
        return problems.busy(spec.name, code)
    if code == "InvalidObjectState":
        return problems.archived(spec.name, key or "")
    return problems.answered(spec.name, code, str(error.response.get("Error", {}).get("Message") or ""))


def _of_the_way(spec: S3Store, error: Exception) -> PgdrError:
    where = _where(spec)
    if isinstance(error, boto.ProfileNotFound):
        return StoreDenied(
            f"The store {spec.name} names the profile “{clean(spec.profile or '')}”, "
            "which this user doesn't have.",
            mend="Add it to ~/.aws/config, or correct the store's profile.",
        )
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError)):
        why = "Neither configuration, environment, ~/.aws nor an instance role has a pair of keys."
        return problems.no_credentials(spec.name, why, _credentials_mend(spec))
    if isinstance(error, (boto.CredentialRetrievalError, boto.TokenRetrievalError, boto.SSOError)):
        return StoreDenied(
            f"The credentials for the store {spec.name} couldn't be had ({type(error).__name__}).",
            mend="Log in again (aws sso login), or correct the store's profile.",
        )
    if isinstance(error, boto.SSLError):
        return problems.untrusted(spec.name, where, "AWS_CA_BUNDLE")
    if isinstance(error, boto.ProxyConnectionError):
        return problems.no_proxy(spec.name)
    if isinstance(error, boto.EndpointConnectionError):
        return _not_connected(spec, error, where)
    if isinstance(error, (boto.ConnectTimeoutError, boto.ReadTimeoutError)):
        return problems.silent(spec.name, where)
    if isinstance(error, (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, OSError)):
        return problems.broke_off(spec.name, where, error)
    if isinstance(error, (BotoCoreError, ValueError)):
        # An address that is none, a region that can't be, an answer that isn't S3's. The class says
        # which; the text may quote what was sent.
        return Unreachable(
            f"The store {spec.name} at {where} can't be used: {type(error).__name__}.",
            mend="Look at the store's endpoint_url, bucket and region in the configuration.",
        )
    raise error


def _not_connected(spec: S3Store, error: boto.EndpointConnectionError, where: str) -> PgdrError:
    cause = error.kwargs.get("error")
    if isinstance(cause, (NameResolutionError, socket.gaierror)):
        return problems.unresolved(spec.name, where)
    if "refused" in str(cause).lower():
        return problems.nothing_listens(spec.name, where)
    return Unreachable(
        f"The store {spec.name} can't be reached at {where}.",
        mend="Is the way there open (network, route, VPN)?",
    )


def _where(spec: S3Store) -> str:
    return problems.where_of(spec.endpoint_url, f"AWS {spec.region}" if spec.region else "AWS")


def _credentials_mend(spec: S3Store) -> str:
    secret = spec.secret_key or spec.access_key
    if secret is not None and secret.env:
        return f"Look at ${clean(secret.env)} and its companion."
    if secret is not None and secret.file:
        return f"Look at {clean(str(secret.file))} and its companion."
    if spec.profile:
        return f"Look at the profile “{clean(spec.profile)}” in ~/.aws."
    return "Set the store's access_key and secret_key, a profile, or AWS_ACCESS_KEY_ID and its secret."
