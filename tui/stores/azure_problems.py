"""What Azure Blob Storage can say, as sentences.

Sources: "Blob Storage error codes", "Common REST API error codes".
"""

from __future__ import annotations

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import AzureStore
from tui.model.text import clean
from tui.stores import problems
from tui.stores.store import StoreMissing, missing, refused
from tui.stores.way import of_the_way

_NO_CONTAINER = frozenset({"ContainerNotFound", "ContainerBeingDeleted", "ResourceNotFound"})
_NO_BLOB = frozenset({"BlobNotFound"})
_REJECTED = {
    "AuthenticationFailed": "the key or token isn't the account's, or it has expired",
    "InvalidAuthenticationInfo": "the key or token can't be understood",
    "NoAuthenticationInformation": "the store wants a key or a token",
    "InvalidAuthenticationHeader": "the key can't be understood",
}
_DENIED = frozenset(
    {
        "AuthorizationFailure",
        "AuthorizationPermissionMismatch",
        "AuthorizationProtocolMismatch",
        "AuthorizationSourceIPMismatch",
        "AuthorizationServiceMismatch",
        "AuthorizationResourceTypeMismatch",
        "InsufficientAccountPermissions",
        "AccountIsDisabled",
        "PublicAccessNotPermitted",
    }
)
_LOCKED = frozenset(
    {
        "BlobImmutableDueToPolicy",
        "BlobImmutableDueToLegalHold",
        "BlobImmutableDueToRetention",
        "LeaseIdMissing",
    }
)
_FULL = frozenset({"AccountCapacityExceeded", "InsufficientStorage"})
_BUSY = frozenset({"ServerBusy", "OperationTimedOut", "InternalError"})
_NAMES = frozenset({"InvalidResourceName", "OutOfRangeInput", "InvalidUri"})


def code_of(error: BaseException) -> str:
    """The error code of Azure's answer, the HTTP status where it gave none, else empty."""
    if not isinstance(error, HttpResponseError):
        return ""
    code = getattr(error, "error_code", None)
    if isinstance(code, str) and code:
        return code
    headers = getattr(error.response, "headers", None) or {}
    header = headers.get("x-ms-error-code")
    return str(header or getattr(code, "value", None) or error.status_code or "")


def explain(spec: AzureStore, error: Exception, key: str | None = None) -> PgdrError:
    """Given what the library raised while using the store (and the key it was about), returns the error
    for a person. Quotes no more of the answer than its code: answers may repeat what was signed."""
    if isinstance(error, HttpResponseError) and error.response is not None:
        return _of_answer(spec, error, key)
    if isinstance(error, ClientAuthenticationError):
        # azure-identity's: none of its ways gave a token. Its text lists them all.
        why = "Neither configuration, environment, managed identity nor the Azure CLI gave any."
        return problems.no_credentials(spec.name, why, _credentials_mend(spec))
    if isinstance(error, (ValueError, TypeError)) and "only supported with HTTPS" in str(error):
        why = "To an http:// address only an account key or a SAS token is sent, no one's login."
        return problems.no_credentials(spec.name, why, "Set the store's account_key or sas_token.")
    if isinstance(error, (ValueError, TypeError)):
        # A key that is no Base64, a connection string or an address that is none: the text may quote it.
        return Unreachable(
            f"The store {spec.name} at {_where(spec)} can't be used: {type(error).__name__}.",
            why="Its address, key or connection string is none.",
            mend=_credentials_mend(spec),
        )
    return of_the_way(spec.name, _where(spec), error)


def no_container(spec: AzureStore) -> StoreMissing:
    """The error for a container that isn't there."""
    return problems.no_bucket(spec.name, spec.container, _where(spec), "container")


def _of_answer(spec: AzureStore, error: HttpResponseError, key: str | None) -> PgdrError:
    code, status = code_of(error), error.status_code or 0
    if code in _NO_CONTAINER or (status == 404 and key is None):
        return no_container(spec)
    if code in _NO_BLOB or status == 404:
        return missing(spec.name, key or "")
    if _clock_is_wrong(error):
        return problems.wrong_clock(spec.name, code)
    if code in _REJECTED:
        return problems.rejected(spec.name, _REJECTED[code], code, _credentials_mend(spec))
    # Azurite answers a wrong key with AuthorizationFailure, of which only the text tells.
    if code == "AuthorizationFailure" and "failed to authenticate" in str(error.message).lower():
        how = "the key or token isn't the account's, or it has expired"
        return problems.rejected(spec.name, how, code, _credentials_mend(spec))
    if code in _LOCKED:
        why = "someone holds a lease on it" if code == "LeaseIdMissing" else "an immutability policy holds it"
        return problems.locked(spec.name, key or "", why)
    if code in _DENIED or status in (401, 403):
        return problems.denied(spec.name, spec.container, code)
    if code in _FULL or status == 507:
        return problems.full(spec.name, code)
    if code in _BUSY or status >= 500:
        return problems.busy(spec.name, code)
    if code == "BlobArchived":
        return problems.archived(spec.name, key or "")
    if code in _NAMES and key is not None:
        return refused(key, f"the store says {clean(code, 60)}")
    if status == 400 and key is None and code in _NAMES:
        return no_container(spec)
    return problems.answered(spec.name, code, error.reason or "")


def _clock_is_wrong(error: HttpResponseError) -> bool:
    # Azure has no code of its own for it: AuthenticationFailed, and in its detail
    # "Request date header too old" (or "not within the allowed skew" for tokens).
    said = f"{error.message} {getattr(error, 'additional_info', '')}".lower()
    return "date header too old" in said or "clock skew" in said


def _where(spec: AzureStore) -> str:
    return problems.where_of(spec.endpoint_url, f"Azure {spec.account}" if spec.account else "Azure")


def _credentials_mend(spec: AzureStore) -> str:
    secret = spec.account_key or spec.sas_token or spec.connection_string
    if secret is not None and secret.env:
        return f"Look at ${clean(secret.env)}."
    if secret is not None and secret.file:
        return f"Look at {clean(str(secret.file))}."
    return "Set the store's account_key, sas_token or connection_string, or log in: az login."
