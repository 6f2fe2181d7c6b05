"""Whether a service that uses a database says that it is healthy."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tui.model.errors import PgdrError
from tui.model.service import Service
from tui.model.text import clean
from tui.process import Command, run_to_exit

_READ_BYTES = 1 << 16
_ASK_S = 10.0
_SHOWN = 200  # characters


@dataclass(frozen=True, slots=True)
class Health:
    """Whether it is well; `what` is the status and the answer's beginning, or why there is none."""

    ok: bool
    what: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect to a login page that answers 200 is no healthy service."""

    def redirect_request(self, *_: object) -> None:
        """Follows nothing."""


def ask_service(service: Service) -> Health | None:
    """Asks a service by its address and by its command, as far as it has them; None when it has neither.
    It is well when all that it has say so. Never raises for what they do."""
    told: list[Health] = []
    if service.health_url is not None:
        wait = min(float(service.timeout_s), _ASK_S)
        told.append(ask(service.health_url, wait, status=service.health_status, expect=service.health_json))
    if service.health_command:
        told.append(_ask_command(service.health_command, service.timeout_s))
    if not told:
        return None
    return next((one for one in told if not one.ok), told[0])


def _ask_command(argv: tuple[str, ...], timeout_s: float) -> Health:
    try:
        done = run_to_exit(Command(argv), timeout_s=timeout_s)
    except PgdrError as error:
        return Health(False, " ".join(part for part in (error.what, error.why) if part))
    said = (done.stdout.decode("utf-8", "replace") + done.stderr).strip().splitlines()
    last = f": {clean(said[-1], _SHOWN)}" if said else ""
    return Health(done.code == 0, f"{clean(argv[0])} exited with {done.code}{last}")


def ask(
    url: str, timeout_s: float, *, status: int | None = None, expect: Sequence[tuple[str, str]] = ()
) -> Health:
    """Given a health address, asks it once (GET); `timeout_s` is for each wait.

    It is well with `status` (None: any 2xx), and when its JSON has each value of `expect` under its dotted
    key (`("checks.database", "ok")`; numbers and truth as JSON writes them). Never raises for what
    the service or the way to it does, and never repeats the address, which may hold a password."""
    answered = _ask(url, timeout_s, status)
    if not isinstance(answered, tuple):
        return answered
    health, body = answered
    for key, wanted in expect if health.ok else ():
        found = _found(body, key)
        if found != wanted:
            said = "no such key" if found is None else clean(found, _SHOWN)
            return Health(False, f"{health.what}. {clean(key)} should be {clean(wanted)}, and is {said}")
    return health


def _found(body: bytes, key: str) -> str | None:
    """The value under a dotted key of a JSON document, as text; None where there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for part in key.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return None
    return value if isinstance(value, str) else json.dumps(value)


def _ask(url: str, timeout_s: float, status: int | None) -> Health | tuple[Health, bytes]:
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return Health(False, "Its address is none: it must begin with http:// or https://.")
        request = urllib.request.Request(url, headers={"User-Agent": "pgdr"})  # noqa: S310 - checked above
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=timeout_s) as answer:
            body = answer.read(_READ_BYTES)
            return _told(status in (None, answer.status), answer.status, answer.reason, body), body
    except urllib.error.HTTPError as error:
        with error:
            body = _beginning(error)
            return _told(status == error.code, error.code, str(error.reason), body), body
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
