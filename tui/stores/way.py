"""Why no answer came, told from what a library that stands on requests raised."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import requests.exceptions as web
from urllib3 import exceptions as wire

from tui.model.errors import Unreachable
from tui.stores import problems

_CHAIN = 12  # causes of causes that are looked at


def of_the_way(store: str, where: str, error: BaseException) -> Unreachable:
    """Given what a library that stands on requests raised when no answer came, returns the error for a
    person. Libraries wrap the cause again and again: the innermost that is known decides."""
    chain = list(_causes(error))

    def any_of(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in chain)

    if any_of(wire.NameResolutionError, socket.gaierror):
        return problems.unresolved(store, where)
    if any_of(ConnectionRefusedError):
        return problems.nothing_listens(store, where)
    if any_of(wire.ProxyError, web.ProxyError):
        return problems.no_proxy(store)
    if any_of(ssl.SSLError, wire.SSLError, web.SSLError):
        return problems.untrusted(store, where, "REQUESTS_CA_BUNDLE")
    if any_of(wire.TimeoutError, web.Timeout, TimeoutError):
        return problems.silent(store, where)
    if any_of(wire.NewConnectionError):
        return Unreachable(
            f"The store {store} can't be reached at {where}.",
            mend="Is the way there open (network, route, VPN)?",
        )
    if any_of(web.InvalidURL, web.InvalidSchema, web.MissingSchema, wire.LocationParseError):
        return Unreachable(
            f"The store {store} at {where} can't be used: {type(error).__name__}.",
            mend="Look at the store's endpoint_url in the configuration.",
        )
    return problems.broke_off(store, where, error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it holds of others: causes, contexts, `reason`, `inner_exception`, arguments."""
    seen: list[BaseException] = []
    left: list[object] = [error]
    while left and len(seen) < _CHAIN:
        one = left.pop(0)
        if not isinstance(one, BaseException) or one in seen:
            continue
        seen.append(one)
        yield one
        left += [one.__cause__, getattr(one, "reason", None), getattr(one, "inner_exception", None)]
        left += [*one.args, one.__context__]
