"""Whether a service that uses a database says that it is healthy."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

from tui.model.text import clean

_READ_BYTES = 4096
_SHOWN = 200  # characters


@dataclass(frozen=True, slots=True)
class Health:
    """`ok` for any 2xx; `what` is the status and the answer's beginning, or why there is none."""

    ok: bool
    what: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect to a login page that answers 200 is no healthy service."""

    def redirect_request(self, *_: object) -> None:
        """Follows nothing."""


def ask(url: str, timeout_s: float) -> Health:
    """Given a health address, asks it once (GET); `timeout_s` is for each wait. Never raises for what
    the service or the way to it does, and never repeats the address, which may hold a password."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return Health(False, "Its address is none: it must begin with http:// or https://.")
        request = urllib.request.Request(url, headers={"User-Agent": "pgdr"})  # noqa: S310 - checked above
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=timeout_s) as answer:
            return _told(True, answer.status, answer.reason, answer.read(_READ_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return _told(False, error.code, str(error.reason), _beginning(error))
    except urllib.error.URLError as error:
        return Health(False, _why(error.reason, timeout_s))
    except (ValueError, http.client.InvalidURL):  # a port that is no number, a space, a user in it
        return Health(False, "Its address can't be used.")
    except (OSError, http.client.HTTPException) as error:
        return Health(False, _why(error, timeout_s))


def _beginning(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(_READ_BYTES)
    except (OSError, http.client.HTTPException):
        return b""  # the status says enough


def _told(ok: bool, status: int, reason: str, body: bytes) -> Health:
    text = clean(" ".join(body.decode("utf-8", "replace").split()), _SHOWN)
    return Health(ok, f"{status} {clean(reason, 60)}".strip() + (f": {text}" if text else ""))


def _why(reason: object, timeout_s: float) -> str:
    if isinstance(reason, TimeoutError):
        return f"It gave no answer within {timeout_s:g} s."
    if isinstance(reason, socket.gaierror):
        return "The name of its host doesn't resolve."
    if isinstance(reason, ConnectionRefusedError):
        return "It refused the connection: nothing listens there."
    if isinstance(reason, ssl.SSLError):
        return "Its certificate can't be trusted."
    return f"It can't be reached: {type(reason).__name__}."
