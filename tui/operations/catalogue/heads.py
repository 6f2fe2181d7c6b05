"""Headers of archives and what manifests tell in short, each read once: kept in the state directory by store,
key, etag and size.

A listing then reads one again only when its object has changed. A cache that can't be used (a full
disk, a file that is damaged or another user's) is none: the headers are read from the store as ever.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from tui.files import PRIVATE_FILE
from tui.model import codec
from tui.model.backup import Contents, StoredObject
from tui.operations.catalogue.names import called_archive

K = TypeVar("K")
V = TypeVar("V")

FILE = "headers.sqlite"
# Of objects whose names tell nothing, so many are looked into in one listing: a bucket may hold half a
# million of other programs' objects, each of which would cost a request.
MOST_LOOKED_AT = 2_000
_MOST_KEPT = 100_000  # some 30 MB
_WAIT_S = 1.0  # for another process that writes
_TABLE = """
CREATE TABLE IF NOT EXISTS headers (
    store TEXT, key TEXT, etag TEXT, size INTEGER, header TEXT, PRIMARY KEY (store, key)
)
"""


@dataclass(frozen=True, slots=True)
class Header:
    """An archive's header without its entries; `contents` is None where it can't be read."""

    contents: Contents | None


class Recent(dict[K, V]):
    """A dictionary that forgets what was put in first when it holds more than `most`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > self._most:
            del self[next(iter(self))]


class Heads:
    """The headers that one listing of a store asks for. May be asked from several threads at once.

    `unread` counts the objects that weren't looked into because there were too many of them.
    """

    def __init__(self, store: str, state: Path | None, most: int | None = None) -> None:
        """Given the store's name and the state directory, None where nothing is to be kept,
        and how many objects it looks into at most (None: MOST_LOOKED_AT)."""
        self.unread = 0
        self._store = store
        self._left = MOST_LOOKED_AT if most is None else most
        self._lock = threading.Lock()
        self._kept: sqlite3.Connection | None = None
        self._changed = False
        if state is not None:
            with suppress(sqlite3.Error, OSError):
                self._kept = _opened(state / FILE)

    def of(self, found: StoredObject, look: Callable[[StoredObject], Header | None]) -> Header | None:
        """Returns the header of an object, None of one that is no archive: as it is known, else as `look`
        tells. Past the bound it is not looked into: then only its name decides whether it is listed.

        Raises what `look` raises; that is not kept.
        """
        with self._lock:
            known = self._known(found, Header)
            if known:
                return known[0]
            if self._left <= 0:
                self.unread += 1
                return Header(None) if called_archive(found.key) else None
            self._left -= 1
        header = look(found)
        bare = Header(replace(header.contents, entries=())) if header and header.contents else header
        with self._lock:
            self._keep(found, bare)
        return header

    def beside(self, found: StoredObject, kind: type[V], look: Callable[[], V | None]) -> V | None:
        """Returns what an object beside an archive tells, None where it can't be understood: as it is known,
        else as `look` tells.

        Raises what `look` raises; that is not kept.
        """
        with self._lock:
            known = self._known(found, kind)
        if known:
            return known[0]
        told = look()
        with self._lock:
            self._keep(found, told)
        return told

    def close(self) -> None:
        """Writes down what was learned; without it, it is read again next time."""
        with self._lock:
            kept, self._kept = self._kept, None
            if kept is None:
                return
            with suppress(sqlite3.Error, OSError), closing(kept):
                if self._changed:
                    kept.execute(
                        "DELETE FROM headers WHERE rowid <= (SELECT max(rowid) FROM headers) - ?",
                        (_MOST_KEPT,),
                    )
                    kept.commit()

    def _known(self, found: StoredObject, kind: type[V]) -> tuple[V | None] | None:
        if self._kept is None or not found.etag:
            return None
        with suppress(sqlite3.Error, ValueError):
            row = self._kept.execute(
                "SELECT header FROM headers WHERE store = ? AND key = ? AND etag = ? AND size = ?",
                self._name(found),
            ).fetchone()
            if row is not None:
                said = json.loads(row[0])
                return (None if said is None else codec.build(said, kind),)
        return None

    def _keep(self, found: StoredObject, told: object | None) -> None:
        if self._kept is None or not found.etag:
            return
        said = None if told is None else codec.plain(told)
        with suppress(sqlite3.Error):
            self._kept.execute(
                "INSERT OR REPLACE INTO headers (store, key, etag, size, header) VALUES (?, ?, ?, ?, ?)",
                (*self._name(found), json.dumps(said)),
            )
            self._changed = True

    def _name(self, found: StoredObject) -> tuple[str, str, str, int]:
        # Local names that are no UTF-8 hold half surrogates, which SQLite doesn't take.
        key = found.key.encode("utf-8", "backslashreplace").decode()
        return self._store, key, found.etag or "", found.size_bytes


def _opened(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
    made = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False)
    try:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = OFF")  # what a crash takes is read again
        made.execute(_TABLE)
    except BaseException:
        made.close()
        raise
    return made
