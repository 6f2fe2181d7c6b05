"""A database of the fleet on another server than the one that the configuration names."""

from __future__ import annotations

from dataclasses import replace

from tui.model.errors import UsageError
from tui.model.fleet import Database
from tui.model.incident import Address
from tui.model.text import clean

_USUAL_PORT = 5432


def database_at(database: Database, address: Address | None) -> Database:
    """Given a database and where a fresh server listens, returns the same database as it is reached there:
    with its own user, password and TLS settings. None leaves it where it is."""
    if address is None:
        return database
    endpoint = replace(database.endpoint, host=address.host, port=address.port)
    return replace(database, place="here", endpoint=endpoint)


def address_in(text: str, port: int | None = None) -> Address:
    """Given what a person typed, `host:port`, `host` (then `port`, or the usual one) or `[::1]:5432`, returns
    the address. Raises UsageError when it is none."""
    said = text.strip()
    mend = "Such as db2.example.com:5432, 10.0.0.7 or [2001:db8::7]:5432."
    if said.startswith("["):
        host, closed, rest = said[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise UsageError(f"{clean(said, 80)} is no address.", mend=mend)
        digits = rest[1:]
    elif said.count(":") > 1:
        host, digits = said, ""
    else:
        host, _, digits = said.partition(":")
    bad = not host or any(c.isspace() or not c.isprintable() or c in ",@/?#'\"\\" for c in host)
    if bad or host.startswith("-") or (digits and not (digits.isascii() and digits.isdecimal())):
        raise UsageError(f"{clean(said, 80) or 'Nothing'} is no address.", mend=mend)
    number = int(digits) if digits else port or _USUAL_PORT
    if not 0 < number < 65536:
        raise UsageError(f"{number} is no port.", mend="A port is 1 to 65535.")
    return Address(host, number)


def told(address: Address) -> str:
    """As a person types it."""
    return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"
