"""A backup in the directory format as it lies in a store: its key is the directory's, its files lie below."""

from __future__ import annotations

from pathlib import Path

from tui.model.backup import StoredObject
from tui.postgres.archive.files import TOC, file_of
from tui.stores.store import ObjectMissing, Store

__all__ = ["TOC", "files_of", "place", "stored_bytes"]


def files_of(store: Store, key: str) -> dict[str, StoredObject]:
    """The files of the directory archive `key`, by their names in it; none where there is no such one."""
    found = (item for page in store.pages(f"{key}/") for item in page)
    named = ((file_of(item.key), item) for item in found)
    return {inside[1]: item for inside, item in named if inside is not None and inside[0] == key}


def place(store: Store, key: str) -> Path | None:
    """Where a backup lies on this machine, a file or a directory; None where it doesn't. Raises ObjectMissing
    where it should and isn't there."""
    try:
        return store.path(key)
    except ObjectMissing:
        toc = store.path(f"{key}/{TOC}")
        return toc.parent if toc is not None else None


def stored_bytes(store: Store, key: str) -> int:
    """How many bytes of a backup lie in a store. Raises ObjectMissing when nothing does."""
    try:
        return store.stat(key).size_bytes
    except ObjectMissing:
        files = files_of(store, key)
        if not files:
            raise
        return sum(file.size_bytes for file in files.values())
