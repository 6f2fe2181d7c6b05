"""What every store can do, and the ways in which one fails.

A key is relative to the store's directory or prefix, with `/` between its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tui.model.backup import StoredObject
from tui.model.errors import PgdrError, Unreachable
from tui.model.text import clean

PAGE = 1000  # objects in a page at most: what S3 gives in one answer


class ObjectMissing(PgdrError):
    """The store answers, and has no such object."""


class KeyRefused(PgdrError):
    """A key that would lead out of the store, or that no store should be given."""


class StoreFull(PgdrError):
    """No room is left where the bytes should go."""


class FetchStopped(PgdrError):
    """Someone asked for a download to stop; nothing of it is left."""


class StoreMissing(Unreachable):
    """The directory or bucket itself isn't there. An empty one is, and is no error."""


class StoreDenied(Unreachable):
    """Credentials or permissions weren't enough."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Whether a store has a quality, and what it says of it."""

    has: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Protection:
    """How a store keeps what lies in it; None of what can't be asked.

    `encrypted` at rest; `versioned`, so that what is deleted or replaced can be had back; `locked`
    against deletion for a time; `thinned` by a rule of the store's own that takes objects away.
    """

    encrypted: Quality | None = None
    versioned: Quality | None = None
    locked: Quality | None = None
    thinned: Quality | None = None


class Store(Protocol):
    """Where backups lie. Every method may be called from several threads at once.

    Each raises Unreachable (or its kinds StoreMissing and StoreDenied) when the store can't be used.
    """

    @property
    def name(self) -> str:
        """Its name in the fleet."""

    @property
    def offsite(self) -> bool:
        """Whether it survives the loss of the machines it protects."""

    def pages(self, prefix: str = "") -> Iterator[tuple[StoredObject, ...]]:
        """Gives the objects whose key begins with `prefix`, by at most PAGE, in the store's own order.

        All stores here give ascending order of the key's UTF-8 bytes, but nothing may rest on it.
        """

    def stat(self, key: str) -> StoredObject:
        """Returns the object's size and times. Raises ObjectMissing."""

    def read(self, key: str, start: int, length: int) -> bytes:
        """Returns `length` bytes from `start`, fewer at the object's end. Raises ObjectMissing."""

    def stream(self, key: str, start: int, length: int, etag: str | None = None) -> Iterator[bytes]:
        """Gives the same bytes in pieces of a few hundred KiB as they arrive, in bounded memory.

        With `etag`, only of the object that has it: of one that replaced it, PgdrError. Raises
        ObjectMissing, and Unreachable in the middle too: what was given until then is right.
        """

    def fetch(self, key: str, path: Path, advanced: Callable[[int], None], stop: Callable[[], bool]) -> None:
        """Copies the whole object to `path`, which appears when it is complete, and only for its owner.

        `advanced` is told the bytes so far and `stop` is asked, both in the caller's thread, a few
        times a second. Raises ObjectMissing, StoreFull (the disk here), FetchStopped.
        """

    def write(self, key: str, chunks: Iterable[bytes]) -> StoredObject:
        """Stores the chunks as one object, which appears whole when they end, or not at all.

        What `chunks` raises passes through, and nothing is left. An object of that key is replaced.
        Raises KeyRefused, StoreFull.
        """

    def put(self, key: str, data: bytes) -> StoredObject:
        """Stores a small object. Raises like `write`."""

    def delete(self, key: str) -> None:
        """Removes the object; one that isn't there is no error. Raises Refused for one that is locked."""

    def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """Removes what uploads of keys with that beginning, begun before that moment, have left unseen when
        they were cut off; returns how many there were. 0 where none can be seen."""

    def path(self, key: str) -> Path | None:
        """Where the object lies as a file of this machine; None where it doesn't."""

    def protection(self) -> Protection:
        """How the store keeps what lies in it, as far as it can be asked."""


def check_new_key(key: str) -> None:
    """Raises KeyRefused for a key that shouldn't be made: empty, leading out of its store, or hard to
    show or type (control characters), or longer than S3 allows."""
    if not is_inside(key):
        raise refused(key, "it leads out of the store")
    if clean(key) != key:
        raise refused(key, "it holds control characters")
    if len(key.encode()) > 1024:  # "Object key naming guidelines", Amazon S3 user guide
        raise refused(key, "it is longer than 1,024 bytes")


def bare_etag(said: str | None) -> str | None:
    """An etag without the quotes and the W/ that some answers of a store have around it and others don't."""
    return said.removeprefix("W/").strip('"') or None if said else None


def key_prefix(said: str) -> str:
    """Given a store's prefix as written, returns what its keys begin with: nothing, or ending in `/`."""
    bare = said.strip("/")
    return f"{bare}/" if bare else ""


def is_inside(key: str) -> bool:
    """Whether `key`, joined to a directory, stays in it: no `..`, no empty part, not absolute, no NUL."""
    return "\0" not in key and all(part not in ("", ".", "..") for part in key.split("/"))


def refused(key: str, why: str) -> KeyRefused:
    """The error for a key that isn't used, and why not."""
    return KeyRefused(f"The key “{clean(key, 200)}” is not used: {why}.")


def missing(store: str, key: str) -> ObjectMissing:
    """The error for an object that isn't there."""
    return ObjectMissing(
        f"The store {clean(store)} has no object “{clean(key, 200)}”.",
        mend=f"List what it has: pgdr backups --store {clean(store)}",
    )


def stopped(key: str) -> FetchStopped:
    """The error for a download that someone stopped."""
    return FetchStopped(f"The download of “{clean(key, 200)}” was stopped; nothing of it was kept.")
