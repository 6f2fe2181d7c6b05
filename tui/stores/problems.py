"""What every remote store and the way to it can say, as sentences: what failed, why, what to do.

Rejected credentials, no rights, a bucket that isn't there, a name that doesn't resolve, a closed port, a
silence, a wrong clock and a full store are different things to a person.
"""

from __future__ import annotations

from tui.model.errors import PgdrError, Refused, Unreachable
from tui.model.text import clean
from tui.stores.store import StoreDenied, StoreFull, StoreMissing


def rejected(store: str, how: str, code: str, mend: str) -> StoreDenied:
    """The error for credentials that the store doesn't take; `how` says what is wrong with them."""
    return StoreDenied(f"The store {store} rejected the credentials: {how} ({clean(code, 60)}).", mend=mend)


def denied(store: str, bucket: str, code: str) -> StoreDenied:
    """The error for credentials that may be good, but don't allow this."""
    return StoreDenied(
        f"The store {store} denied access to “{clean(bucket)}” ({clean(code, 60)}).",
        why="The credentials may be known, but they don't allow this.",
        mend="Allow listing, reading and writing for these credentials, or correct the bucket's name.",
    )


def no_credentials(store: str, why: str, mend: str) -> StoreDenied:
    """The error where no credentials were found at all; `why` says where they were looked for."""
    return StoreDenied(f"There are no credentials for the store {store}.", why=why, mend=mend)


def no_bucket(store: str, bucket: str, where: str, word: str = "bucket") -> StoreMissing:
    """The error for a bucket that isn't there."""
    return StoreMissing(
        f"The store {store} has no {word} “{clean(bucket)}” at {where}.",
        mend=f"Correct the {word} (or the endpoint_url) in the configuration, or make the {word}.",
    )


def wrong_clock(store: str, code: str) -> StoreDenied:
    """The error for a request whose time the store doesn't believe."""
    return StoreDenied(
        f"The clock of this machine and that of the store {store} differ too much ({clean(code, 60)}).",
        why="Every request carries its time, and the store takes none that is minutes off.",
        mend="Set this machine's clock (timedatectl status tells whether it is kept right), then try again.",
    )


def full(store: str, code: str) -> StoreFull:
    """The error for a store with no room left."""
    return StoreFull(
        f"The store {store} is full ({clean(code, 60)}).",
        mend="Make room there (pgdr prune --dry-run shows what may go), or use another store.",
    )


def busy(store: str, code: str) -> Unreachable:
    """The error for a store that answers, several times, that it can't serve."""
    return Unreachable(
        f"The store {store} answered that it can't serve now ({clean(code, 60)}), several times.",
        mend="Try again in a moment, or use another store.",
    )


def locked(store: str, key: str, why: str) -> Refused:
    """The error for an object that its store keeps from being deleted or replaced: as it should be."""
    return Refused(
        f"The object “{clean(key, 200)}” of the store {store} is locked, and stays: {why}.",
        mend="Wait until its retention ends, or have those who placed the lock lift it.",
    )


def archived(store: str, key: str) -> PgdrError:
    """The error for an object whose bytes must first be brought back from a storage class like Glacier."""
    return PgdrError(
        f"The object “{clean(key, 200)}” of the store {store} is in an archive class and can't be read now.",
        mend="Have it restored in the store first (for S3: aws s3api restore-object), or use another copy.",
    )


def replaced(store: str, key: str) -> PgdrError:
    """The error for an object that is no longer the one that was being read."""
    return PgdrError(
        f"The object “{clean(key, 200)}” of {store} was replaced while it was read.",
        mend="Try again; then it is read as it is now.",
    )


def answered(store: str, code: str, message: str) -> PgdrError:
    """The error for any other answer."""
    return PgdrError(
        f"The store {store} answered with an error: {clean(code, 60) or 'no code'}.",
        why=clean(message, 200) or None,
    )


def unresolved(store: str, where: str) -> Unreachable:
    """The error for a host's name that nobody knows."""
    return Unreachable(
        f"The name of the store {store}'s host doesn't resolve: {where}.",
        mend="Correct the endpoint_url or region, or look at this machine's DNS.",
    )


def nothing_listens(store: str, where: str) -> Unreachable:
    """The error for a closed port."""
    return Unreachable(
        f"The store {store} refused the connection: nothing listens at {where}.",
        mend="Correct the endpoint_url, or start the store.",
    )


def silent(store: str, where: str) -> Unreachable:
    """The error for an answer that doesn't come."""
    return Unreachable(
        f"The store {store} at {where} gave no answer in time.",
        mend="Is the way there open (firewall, VPN)? If it is only slow, try again.",
    )


def broke_off(store: str, where: str, error: BaseException) -> Unreachable:
    """The error for a connection that ended in the middle."""
    return Unreachable(
        f"The connection to the store {store} at {where} broke off.",
        why=f"{type(error).__name__}, after several tries.",
        mend="Try again; if it goes on, use another store.",
    )


def untrusted(store: str, where: str, variable: str) -> Unreachable:
    """The error for a certificate that can't be trusted; `variable` names the file of further CAs."""
    return Unreachable(
        f"The store {store} at {where} has a certificate that can't be trusted.",
        mend=f"Correct the endpoint_url, or make its CA known here ({variable}).",
    )


def no_proxy(store: str) -> Unreachable:
    """The error for a proxy that doesn't answer."""
    return Unreachable(
        f"The proxy on the way to the store {store} did not answer.",
        mend="Correct HTTPS_PROXY, or name the host in NO_PROXY.",
    )


def where_of(url: str | None, otherwise: str) -> str:
    """An endpoint's address without a user or password that someone may have put in it."""
    if url is None:
        return clean(otherwise, 120)
    scheme, mark, rest = url.rpartition("://")
    return clean(scheme + mark + rest.rpartition("@")[2], 120)
