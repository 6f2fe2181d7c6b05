"""Readers of single values: each takes what TOML holds and returns what the fleet wants, or says why not.

A reader takes the value and the directory that relative paths start from. It raises `Unfit`, whose
sentences repeat what was found only where that can't be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from tui.config import duration
from tui.model.fleet import Criticality
from tui.model.secret import Secret
from tui.model.text import clean
from tui.model.wording import FIELDS, Misworded, names_in

T = TypeVar("T")
Reader = Callable[[object, Path], T]

NAME_BYTES = 63  # PostgreSQL's NAMEDATALEN - 1: longer names are cut by the server
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")  # libpq's sslmode
PRIORITIES = ("min", "low", "default", "high", "urgent", "max")  # ntfy's names for 1 to 5

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # a token of RFC 9110, 5.6.2
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_KINDS: dict[type, str] = {dict: "a table", list: "a list", float: "a number with a point"}


class Unfit(Exception):
    """A value that can't be used: `what` is wrong with it, and `mend`, what to write instead."""

    def __init__(self, what: str, mend: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def found(value: object) -> str:
    """Given any value of TOML, returns a few safe words for it. Not for values that may be secret."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{clean(value, 40)}"'
    if isinstance(value, int):
        return clean(str(value), 24) if abs(value) < 10**30 else "a huge number"
    return _KINDS.get(type(value), "a date or time")


def _expected(wanted: str, value: object, mend: str | None = None) -> Unfit:
    return Unfit(f"expected {wanted}, found {found(value)}.", mend)


def text(value: object, base: Path) -> str:
    """Any text but an empty one."""
    if not isinstance(value, str):
        raise _expected("text in quotes", value)
    if not value.strip():
        raise Unfit("is empty.", "Leave the key out, or say what it is.")
    if "\0" in value:
        raise Unfit("holds a NUL character.")
    return value


def note(value: object, base: Path) -> str:
    """Any text, also none."""
    return "" if value == "" else text(value, base)


def name(value: object, base: Path) -> str:
    """The name of a database or role on a server."""
    read = text(value, base)
    length = len(read.encode())
    if length > NAME_BYTES:
        raise Unfit(f"is {length} bytes long; PostgreSQL's names have at most {NAME_BYTES}.")
    return read


def host(value: object, base: Path) -> str:
    """A host name, an address or the directory of a socket. Never repeated: people paste URLs here."""
    read = text(value, base)
    if "://" in read or "@" in read[1:] or re.search(r"\bpassword *=", read):
        raise Unfit(
            "expected a host name, found a connection string.",
            "Write host, port, user and dbname as keys of their own, and no password.",
        )
    if re.fullmatch(r"[^:/]+:[0-9]+", read):
        raise Unfit("expected a host name alone, found one with its port.", "Write port as a key of its own.")
    return read


def place(value: object, base: Path) -> str:
    """Where a server runs: `here` or `docker:CONTAINER`."""
    read = text(value, base)
    if read == "here" or (read.startswith("docker:") and read.removeprefix("docker:").strip()):
        return read
    raise _expected('"here" or "docker:CONTAINER"', value)


def flag(value: object, base: Path) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise _expected("true or false", value)
    return value


def whole(low: int, high: int) -> Reader[int]:
    """A whole number from `low` to `high`."""

    def read(value: object, base: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            bare = isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value)
            mend = "Write it without quotes." if bare else None
            raise _expected(f"a whole number from {low} to {high}", value, mend)
        return value

    return read


def one_of(*choices: str) -> Reader[str]:
    """One of some words."""

    def read(value: object, base: Path) -> str:
        if not isinstance(value, str) or value not in choices:
            raise _expected(_either(choices), value)
        return value

    return read


def criticality(value: object, base: Path) -> Criticality:
    """One of the four, in capitals or not."""
    choices = {level.value: level for level in Criticality}
    if not isinstance(value, str) or value.lower() not in choices:
        raise _expected(_either(tuple(choices)), value)
    return choices[value.lower()]


def _either(choices: tuple[str, ...]) -> str:
    quoted = [f'"{choice}"' for choice in choices]
    return " or ".join((", ".join(quoted[:-1]), quoted[-1])) if len(quoted) > 1 else quoted[0]


def length(value: object, base: Path) -> timedelta:
    """A length of time."""
    return _length(value, ())


def length_or(*words: str) -> Reader[timedelta | None]:
    """A length of time, or None where it is one of `words`."""

    def read(value: object, base: Path) -> timedelta | None:
        return None if value in words else _length(value, words)

    return read


def _length(value: object, words: tuple[str, ...]) -> timedelta:
    try:
        if isinstance(value, str):
            return duration.parse(value)
    except ValueError:
        pass  # said below, with what was found
    wanted = f"a length of time such as {duration.EXAMPLES}"
    raise _expected(", or ".join((wanted, *(f'"{word}"' for word in words))), value)


def seconds(value: object, base: Path) -> int:
    """How long to wait for an answer, 1 second to 10 minutes, in seconds."""
    wait = _length(value, ())
    if wait > timedelta(minutes=10):
        raise _expected('a wait from "1s" to "10m"', value)
    return int(wait.total_seconds())


def path(value: object, base: Path) -> Path:
    """A path; `~` is a home directory, and what is relative starts at the configuration's directory."""
    read = text(value, base)
    try:
        return base / Path(read).expanduser()
    except RuntimeError:  # pathlib's word for "no such user"
        raise Unfit(f"no home directory is known for {found(value)}.", "Write the whole path.") from None


def certificate(value: object, base: Path) -> Path:
    """A path, or `system`, libpq's word for the system's own trusted certificates (16 and later)."""
    return Path("system") if value == "system" else path(value, base)


def many(item: Reader[T]) -> Reader[tuple[T, ...]]:
    """A list of what `item` reads, nothing twice."""

    def read(value: object, base: Path) -> tuple[T, ...]:
        if not isinstance(value, list):
            mend = "Put it in [ ]." if isinstance(value, str) else None
            raise _expected("a list", value, mend)
        read_items: list[T] = []
        for number, raw in enumerate(value, 1):
            try:
                one = item(raw, base)
            except Unfit as unfit:
                raise Unfit(f"item {number}: {unfit.what}", unfit.mend) from None
            if one in read_items:
                raise Unfit(f"names {found(raw)} twice.")
            read_items.append(one)
        return tuple(read_items)

    return read


def column(value: object, base: Path) -> str:
    """A column, with its table: `orders.created_at` or `public.orders.created_at`."""
    read = text(value, base)
    if not all(part.strip() for part in read.split(".")) or "." not in read:
        raise _expected('"table.column" or "schema.table.column"', value)
    return read


def answer(value: object, base: Path) -> str:
    """What a check must find, as text; a whole number may stand without quotes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise _expected("text in quotes or a whole number", value)
    return value


def url(value: object, base: Path) -> str:
    """An http or https address without user and password. Never repeated: it may hold a token."""
    read = text(value, base)
    try:
        parts = urlsplit(read)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is none, a bracket that never closes
        fits = False
    if not fits or read != clean(read) or " " in read:
        raise Unfit("expected an address that starts with http:// or https:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise Unfit("holds a user or a password, and this file is no place for one.", "Take it out.")
    return read


def bucket(value: object, base: Path) -> str:
    """A bucket's name alone."""
    read = text(value, base)
    if "/" in read or ":" in read:
        raise _expected(
            "a bucket's name alone", value, 'What follows its first "/" is the prefix: a key of its own.'
        )
    return read


def prefix(value: object, base: Path) -> str:
    """What the keys of a store begin with; ends with `/`, so that it can't be half a name."""
    read = text(value, base).strip("/")
    return f"{read}/" if read else ""


def mailbox(value: object, base: Path) -> str:
    """An e-mail address alone, without a name."""
    read = text(value, base)
    if not _MAILBOX.fullmatch(read) or not read.isascii():
        raise _expected('an e-mail address alone, such as "ops@example.com"', value)
    return read


def wording(value: object, base: Path) -> str:
    """Text with facts in it as `{name}`, each of a name that is known."""
    read = text(value, base)
    try:
        names_in(read)
    except Misworded as wrong:
        if wrong.name is None:
            raise Unfit(wrong.what) from None
        near = get_close_matches(wrong.name.lower(), FIELDS, n=1, cutoff=0.5)
        mend = f"Did you mean {{{near[0]}}}?" if near else f"Known: {', '.join(FIELDS)}."
        raise Unfit(f'there is no field "{clean(wrong.name, 40)}".', mend) from None
    return read


def header(value: object, base: Path) -> str:
    """The name of an HTTP header."""
    read = text(value, base)
    if not _HEADER.fullmatch(read):
        raise _expected('the name of an HTTP header, such as "Authorization"', value)
    return read


def secret(value: object, base: Path) -> Secret:
    """Where a secret is: `{ env = "VARIABLE" }` or `{ file = "PATH" }`. Never repeated."""
    return _secret(value, base, '{ env = "VARIABLE" } or { file = "PATH" }')


def password(value: object, base: Path) -> Secret:
    """Like `secret`; passwords of servers have libpq's own ways too."""
    return _secret(
        value, base, '{ env = "VARIABLE" } or { file = "PATH" }, or use passfile, or leave it to ~/.pgpass'
    )


def _secret(value: object, base: Path, instead: str) -> Secret:
    if not isinstance(value, dict):
        raise Unfit("a secret must not stand in this file.", f"Say where it is: {instead}.")
    if len(value) != 1 or not value.keys() <= {"env", "file"}:
        raise Unfit("expected either env or file, and nothing else.", f"Write {instead}.")
    if "file" in value:
        return Secret(file=path(value["file"], base))
    variable = value["env"]
    if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
        raise Unfit(
            "expected the name of an environment variable in env.",
            'Letters, digits and "_", without "$"; not the secret itself.',
        )
    return Secret(env=variable)


def url_or_secret(value: object, base: Path) -> Secret | str:
    """An address, or where it is."""
    return secret(value, base) if isinstance(value, dict) else url(value, base)
