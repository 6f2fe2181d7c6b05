"""A backup in the directory format as it lies in a store: its key is the directory's, its files lie below.

Of an encrypted one each file is encrypted by itself, and says so in its name: toc.dat.age, 3021.dat.gz.age.
So one table can be read without the others.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tui.model.backup import StoredObject
from tui.operations.catalogue.names import cipher_of
from tui.postgres.archive import files
from tui.postgres.archive.files import TOC
from tui.stores.store import ObjectMissing, Store

__all__ = ["TOC", "TOCS", "file_of", "files_of", "place", "stored_bytes"]

TOCS = (TOC, f"{TOC}.age", f"{TOC}.gpg")  # what it may be called: written last, so that what has one is whole


def file_of(key: str) -> tuple[str, str] | None:
    """Given an object's key, returns the directory archive that it may be of, and its name in it, without
    what an encryption adds to that."""
    kind = cipher_of(key)
    return files.file_of(key.removesuffix(f".{kind}") if kind else key)


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
        for toc in TOCS[1:]:
            with suppress(ObjectMissing):
                return _above(store.path(f"{key}/{toc}"))
        return _above(store.path(f"{key}/{TOC}"))


def _above(toc: Path | None) -> Path | None:
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
