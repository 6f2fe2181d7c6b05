"""One POST over HTTP, and what became of it as a sentence."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tui.model.errors import ConfigError, PgdrError, Unreachable
from tui.model.text import clean
from tui.notify.outcome import Later, Unsure, Untrusted


@dataclass(frozen=True, slots=True)
class Post:
    """Where to, with what. None of it is shown: the address may be a secret, the headers are."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """urllib would send a redirected POST on as a GET without its body, with its headers to whoever is
    named: the message would be lost and the token given away. So a redirect is an answer like others."""

    def redirect_request(self, *_: object) -> None:
        """Follows nothing."""


def post(channel: str, made: Post, timeout_s: float) -> None:
    """Sends it and returns when it was taken (any 2xx).

    Raises ConfigError for an address that is none, Unreachable when nobody answers (Unsure when that was
    after the message had gone out), Later when the answer is "not now", PgdrError when it is no. None of
    them repeats the address.
    """
    name = clean(channel)
    _check(name, made.url)
    try:
        request = urllib.request.Request(made.url, made.body, dict(made.headers), method="POST")  # noqa: S310 - checked
        opener = urllib.request.build_opener(_NoRedirects)
        with opener.open(request, timeout=timeout_s):
            return
    except urllib.error.HTTPError as error:
        with error:
            raise _answered(name, error) from None
    except urllib.error.URLError as error:
        raise _not_reached(name, error.reason, timeout_s) from None
    except (ValueError, http.client.InvalidURL):  # a line break or the like in a header or the address
        raise _no_address(name) from None
    except (OSError, http.client.HTTPException) as error:
        # urllib wraps what fails before the whole request is sent; this came while waiting for the answer.
        raise Unsure(_not_reached(name, error, timeout_s).what) from None


def _check(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise _no_address(name)


def _no_address(name: str) -> ConfigError:
    return ConfigError(
        f"The address of {name} can't be used.",
        mend="It must be http://… or https://…, without spaces, user or password: look at its secret.",
    )


def _answered(name: str, error: urllib.error.HTTPError) -> PgdrError:
    status = f"{error.code} {clean(str(error.reason), 60)}".strip()
    if 300 <= error.code < 400:
        return PgdrError(
            f"{name} did not take the message: it redirects elsewhere ({status}).",
            mend="Set its address to the one it redirects to.",
        )
    if error.code in (401, 403):
        return PgdrError(
            f"{name} refused the message: not allowed ({status}).", mend="Look at its token or header."
        )
    if error.code == 429:
        what = f"{name} refused the message: too many ({status})."
        return Later(what, "Try again later.", _retry_after(error))
    if error.code == 408 or error.code >= 500:
        return Later(f"{name} did not take the message: it answered {status}.", None, _retry_after(error))
    return PgdrError(f"{name} did not take the message: it answered {status}.")


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    """The seconds that the answer asks to wait (RFC 9110, 10.2.3); one that gives a date is left aside."""
    said = (error.headers.get("Retry-After") or "").strip()
    return float(said) if said.isascii() and said.isdecimal() and len(said) < 6 else None


def _not_reached(name: str, reason: object, timeout_s: float) -> PgdrError:
    if isinstance(reason, TimeoutError):
        return Unreachable(f"{name} gave no answer within {timeout_s:g} s.")
    if isinstance(reason, socket.gaierror):
        return Unreachable(
            f"The name of {name}'s host doesn't resolve.", mend="Look at its address and at DNS."
        )
    if isinstance(reason, ConnectionRefusedError):
        return Unreachable(f"{name} refused the connection: nothing listens there.")
    if isinstance(reason, ssl.SSLError):
        return Untrusted(f"{name} has a certificate that can't be trusted.")
    return Unreachable(f"{name} can't be reached: {type(reason).__name__}.")
