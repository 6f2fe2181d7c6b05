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
from tui.stores.store import StoreDenied, StoreFull, StoreMissing, missing

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
    "RequestTimeTooSkewed": "the clock of this machine is wrong, and requests carry its time",
    "AuthorizationHeaderMalformed": "the region is not the bucket's, or the access key is malformed",
}
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
    return StoreMissing(
        f"The store {spec.name} has no bucket “{clean(spec.bucket)}” at {_where(spec)}.",
        mend="Correct the bucket (or the endpoint_url) in the configuration, or make the bucket.",
    )


def _of_answer(spec: S3Store, error: ClientError, key: str | None) -> PgdrError:
    code = code_of(error)
    if code in _NO_BUCKET:
        return no_bucket(spec)
    if code in _NO_KEY:
        return missing(spec.name, key) if key is not None else no_bucket(spec)
    if code in _REJECTED:
        return StoreDenied(
            f"The store {spec.name} rejected the credentials: {_REJECTED[code]} ({code}).",
            mend=_credentials_mend(spec),
        )
    if code in _DENIED:
        return StoreDenied(
            f"The store {spec.name} denied access to “{clean(spec.bucket)}” ({code}).",
            why="The credentials may be known, but they don't allow this.",
            mend="Allow listing, reading and writing for this key in the bucket's policy, "
            "or correct the bucket's name.",
        )
    if code in _ELSEWHERE:
        return Unreachable(
            f"The store {spec.name} says that the bucket “{clean(spec.bucket)}” is elsewhere ({code}).",
            mend="Set the store's region (or endpoint_url) to the bucket's own.",
        )
    if code in _FULL:
        return StoreFull(
            f"The store {spec.name} is full ({code}).",
            mend="Make room there (pgdr prune --dry-run shows what may go), or use another store.",
        )
    if code in _BUSY:
        return Unreachable(
            f"The store {spec.name} answered that it can't serve now ({code}), several times.",
            mend="Try again in a moment, or use another store.",
        )
    return PgdrError(
        f"The store {spec.name} answered with an error: {clean(code, 60) or 'no code'}.",
        why=clean(str(error.response.get("Error", {}).get("Message") or ""), 200) or None,
    )


def _of_the_way(spec: S3Store, error: Exception) -> PgdrError:
    where = _where(spec)
    if isinstance(error, boto.ProfileNotFound):
        return StoreDenied(
            f"The store {spec.name} names the profile “{clean(spec.profile or '')}”, "
            "which this user doesn't have.",
            mend="Add it to ~/.aws/config, or correct the store's profile.",
        )
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError)):
        return StoreDenied(
            f"There are no credentials for the store {spec.name}.",
            why="Neither configuration, environment, ~/.aws nor an instance role has a pair of keys.",
            mend=_credentials_mend(spec),
        )
    if isinstance(error, (boto.CredentialRetrievalError, boto.TokenRetrievalError, boto.SSOError)):
        return StoreDenied(
            f"The credentials for the store {spec.name} couldn't be had ({type(error).__name__}).",
            mend="Log in again (aws sso login), or correct the store's profile.",
        )
    if isinstance(error, boto.SSLError):
        return Unreachable(
            f"The store {spec.name} at {where} has a certificate that can't be trusted.",
            mend="Correct the endpoint_url, or make its CA known here (AWS_CA_BUNDLE).",
        )
    if isinstance(error, boto.ProxyConnectionError):
        return Unreachable(
            f"The proxy on the way to the store {spec.name} did not answer.",
            mend="Correct HTTPS_PROXY, or name the host in NO_PROXY.",
        )
    if isinstance(error, boto.EndpointConnectionError):
        return _not_connected(spec, error, where)
    if isinstance(error, (boto.ConnectTimeoutError, boto.ReadTimeoutError)):
        return Unreachable(
            f"The store {spec.name} at {where} gave no answer in time.",
            mend="Is the way there open (firewall, VPN)? If it is only slow, try again.",
        )
    if isinstance(error, (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, OSError)):
        return Unreachable(
            f"The connection to the store {spec.name} at {where} broke off.",
            why=f"{type(error).__name__}, after several tries.",
            mend="Try again; if it goes on, use another store.",
        )
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
        return Unreachable(
            f"The name of the store {spec.name}'s host doesn't resolve: {where}.",
            mend="Correct the endpoint_url or region, or look at this machine's DNS.",
        )
    if "refused" in str(cause).lower():
        return Unreachable(
            f"The store {spec.name} refused the connection: nothing listens at {where}.",
            mend="Correct the endpoint_url, or start the store.",
        )
    return Unreachable(
        f"The store {spec.name} can't be reached at {where}.",
        mend="Is the way there open (network, route, VPN)?",
    )


def _where(spec: S3Store) -> str:
    """The endpoint without a user or password that someone may have put in it."""
    if spec.endpoint_url is None:
        return f"AWS{f' {clean(spec.region)}' if spec.region else ''}"
    scheme, mark, rest = spec.endpoint_url.rpartition("://")
    return clean(scheme + mark + rest.rpartition("@")[2], 120)


def _credentials_mend(spec: S3Store) -> str:
    secret = spec.secret_key or spec.access_key
    if secret is not None and secret.env:
        return f"Look at ${clean(secret.env)} and its companion."
    if secret is not None and secret.file:
        return f"Look at {clean(str(secret.file))} and its companion."
    if spec.profile:
        return f"Look at the profile “{clean(spec.profile)}” in ~/.aws."
    return "Set the store's access_key and secret_key, a profile, or AWS_ACCESS_KEY_ID and its secret."
