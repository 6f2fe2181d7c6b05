"""What Google Cloud Storage can say, as sentences ("HTTP status and error codes for JSON")."""

from __future__ import annotations

from contextlib import suppress

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import InvalidResponse

from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import GcsStore
from tui.model.text import clean
from tui.stores import problems
from tui.stores.store import StoreDenied, StoreMissing, missing
from tui.stores.way import of_the_way

_LOCKED = {
    "retentionPolicyNotMet": "its retention has not ended",
    "objectUnderActiveHold": "it is under a hold",
    "objectRetentionPolicyNotMet": "its retention has not ended",
}


def code_of(error: BaseException) -> str:
    """The HTTP status of an answer, else empty."""
    if isinstance(error, RetryError) and error.cause is not None:
        return code_of(error.cause)
    if isinstance(error, GoogleAPICallError):
        return str(int(error.code)) if error.code else ""
    if isinstance(error, InvalidResponse):
        return str(int(error.response.status_code))
    return ""


def explain(spec: GcsStore, error: Exception, key: str | None = None) -> PgdrError:
    """Given what the library raised while using the store (and the key it was about), returns the error
    for a person. Quotes no more of the answer than its code and reason."""
    if isinstance(error, auth.GoogleAuthError):
        return _of_credentials(spec, error)
    code = code_of(error)
    if code:
        return _of_answer(spec, error, code, key)
    if isinstance(error, OSError) and error.filename:
        return problems.no_credentials(
            spec.name, f"{clean(str(error.filename))}: {clean(error.strerror or '')}.", _mend(spec)
        )
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return Unreachable(
            f"The store {spec.name} at {_where(spec)} can't be used: {type(error).__name__}.",
            why="Its address or its credentials file is none, or what answers isn't Google's API.",
            mend="Look at the store's endpoint_url, bucket and credentials_file in the configuration.",
        )
    return of_the_way(spec.name, _where(spec), error)


def no_bucket(spec: GcsStore) -> StoreMissing:
    """The error for a bucket that isn't there."""
    return problems.no_bucket(spec.name, spec.bucket, _where(spec))


def _of_answer(spec: GcsStore, error: BaseException, code: str, key: str | None) -> PgdrError:
    reason = _reason(error)
    if code == "404":
        return missing(spec.name, key) if key is not None else no_bucket(spec)
    if code == "401":
        how = "they are not valid, or have expired"
        return problems.rejected(spec.name, how, reason or code, _mend(spec))
    if reason in _LOCKED:
        return problems.locked(spec.name, key or "", _LOCKED[reason])
    if code == "507" or reason in ("quotaExceeded", "insufficientStorage"):
        return problems.full(spec.name, reason or code)
    if code == "403":
        return problems.denied(spec.name, spec.bucket, reason or code)
    if code == "429" or code.startswith("5"):
        return problems.busy(spec.name, reason or code)
    return problems.answered(spec.name, reason or code, "")


def _of_credentials(spec: GcsStore, error: auth.GoogleAuthError) -> PgdrError:
    # Google's text for a token whose times don't fit: "Token must be a short-lived token and in a
    # reasonable timeframe. Check your iat and exp values in the JWT claim."
    if isinstance(error, auth.RefreshError) and "iat and exp" in str(error):
        return problems.wrong_clock(spec.name, "invalid_grant")
    if isinstance(error, auth.TransportError):
        return of_the_way(spec.name, _where(spec), error)
    if isinstance(error, auth.RefreshError):
        how = "Google gives no token for them"
        return problems.rejected(spec.name, how, "RefreshError", _mend(spec))
    if isinstance(error, auth.DefaultCredentialsError):
        why = "Neither configuration, environment, gcloud nor the machine's own account gave any."
        if spec.credentials_file is not None:
            why = f"{clean(str(spec.credentials_file))} isn't there, or holds none."
        return problems.no_credentials(spec.name, why, _mend(spec))
    return StoreDenied(
        f"The credentials for the store {spec.name} couldn't be had ({type(error).__name__}).",
        mend=_mend(spec),
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, RetryError) and error.cause is not None:
        return _reason(error.cause)
    told: list[object] = list(getattr(error, "errors", None) or ())
    if not told:  # of an upload's errors the library reads no more than the status
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            told = error.response.json()["error"]["errors"]  # type: ignore[attr-defined]
    for one in told:
        if isinstance(one, dict) and isinstance(one.get("reason"), str):
            return clean(one["reason"], 60)
    return ""


def _where(spec: GcsStore) -> str:
    return problems.where_of(spec.endpoint_url, "Google Cloud Storage")


def _mend(spec: GcsStore) -> str:
    if spec.credentials_file is not None:
        return f"Look at {clean(str(spec.credentials_file))}."
    return "Set the store's credentials_file, or log in: gcloud auth application-default login."
