"""A backup into another store, with everything beside it, its manifest last."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tui.model.amounts import sizes
from tui.model.backup import ArchiveFormat, Manifest, StoredObject
from tui.model.errors import ArchiveError, PgdrError, Refused
from tui.model.text import clean
from tui.operations.catalogue.beside import read_manifest
from tui.operations.catalogue.directory import TOCS
from tui.operations.catalogue.names import MANIFEST, beside
from tui.stores.problems import replaced
from tui.stores.steady import steady
from tui.stores.store import Store, is_inside, missing, refused


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: the backup's size and hash, the objects with those beside it, and how many of them
    were there already, the same."""

    ref: str
    copied_to: str
    size_bytes: int
    sha256: str
    duration_s: float
    objects: int
    already_there: int


@dataclass(slots=True)
class _Found:
    """A backup's objects in one store."""

    archive: list[StoredObject] = field(default_factory=list)  # one, or a directory archive's files
    beside: list[StoredObject] = field(default_factory=list)  # without the manifest
    manifest: StoredObject | None = None

    def all(self) -> dict[str, StoredObject]:
        rest = [self.manifest] if self.manifest else []
        return {found.key: found for found in (*self.archive, *self.beside, *rest)}


def copy_backup(source: Store, key: str, target: Store, advanced: Callable[[int, int], None]) -> Copied:
    """Copies the backup `key` from one store to another, under the same key.

    The bytes go through memory in bounded chunks and never touch a disk here. Their hash must be the
    manifest's, where there is one, before the copy becomes an object; without one the length must be as it
    was listed and the object unchanged. `advanced` is told the bytes moved so far and those in all.

    On any failure what this copy has made in the target is taken away again, the archive first.
    Raises ObjectMissing, ArchiveError (a manifest that isn't of this archive, or a hash that isn't its
    own), Refused (a different object has the key there), Unreachable.
    """
    began = time.monotonic()
    if not is_inside(key):
        raise refused(key, "it leads out of the store")
    found = _look(source, key)
    if not found.archive:
        raise missing(source.name, key)
    manifest = read_manifest(source, key) if found.manifest else None
    hashes = _expected(found, key, manifest)
    there = _look(target, key).all()
    total = sum(one.size_bytes for one in found.all().values())
    copying = _Copying(source, target, there, advanced, total)
    try:
        sums = {one.key: copying.one(one, hashes.get(one.key)) for one in found.archive}
        for one in (*found.beside, *([found.manifest] if found.manifest else ())):
            copying.one(one, None)
    except BaseException:
        copying.take_away()
        raise
    return Copied(
        ref=f"{source.name}:{key}",
        copied_to=f"{target.name}:{key}",
        size_bytes=sum(one.size_bytes for one in found.archive),
        sha256=manifest.sha256 if manifest else _whole(sums, key),
        duration_s=time.monotonic() - began,
        objects=len(found.all()),
        already_there=copying.already_there,
    )


def _look(store: Store, key: str) -> _Found:
    """What lies in a store of one backup, each part in the order in which it is to be copied."""
    made = _Found()
    for page in store.pages(key):
        for one in page:
            belongs = beside(one.key)
            if one.key == key or one.key.startswith(f"{key}/"):
                made.archive.append(one)
            elif belongs is not None and belongs.key == key and belongs.is_manifest:
                made.manifest = one
            elif belongs is not None and belongs.key == key:
                made.beside.append(one)
    tocs = {f"{key}/{toc}" for toc in TOCS}
    made.archive.sort(key=lambda one: (one.key in tocs, one.key))
    return made


def _expected(found: _Found, key: str, manifest: Manifest | None) -> dict[str, str]:
    """The hashes that a manifest tells, by key. Raises ArchiveError where it isn't of what lies there."""
    if manifest is None:
        return {}
    there = {one.key: one.size_bytes for one in found.archive}
    if manifest.format is ArchiveFormat.DIRECTORY and manifest.files:
        told = {f"{key}/{file.name}": file for file in manifest.files}
        for name, file in told.items():
            if there.get(name) != file.size_bytes:
                raise ArchiveError(
                    f"The file “{clean(name, 200)}” of the backup isn't as its manifest says.",
                    why="It is missing, or of another size.",
                    mend="Copy another backup: this one can't be restored.",
                )
        return {name: file.sha256 for name, file in told.items()}
    if there.get(key) != manifest.size_bytes:
        is_there, said = sizes(there.get(key, 0), manifest.size_bytes)
        raise ArchiveError(
            f"The backup “{clean(key, 200)}” has {is_there}; its manifest says {said}.",
            mend="Copy another backup: this one is cut short, or the manifest is another's.",
        )
    return {key: manifest.sha256}


def _whole(sums: dict[str, str], key: str) -> str:
    """One hash for a backup: its object's, or that of `hash  name` lines of a directory's files."""
    if key in sums:
        return sums[key]
    lines = sorted((name.removeprefix(f"{key}/"), sha256) for name, sha256 in sums.items())
    return hashlib.sha256("".join(f"{sha256}  {name}\n" for name, sha256 in lines).encode()).hexdigest()


class _Copying:
    """One copy under way: what it has made so far, and how far it is."""

    def __init__(
        self,
        source: Store,
        target: Store,
        there: dict[str, StoredObject],
        advanced: Callable[[int, int], None],
        total: int,
    ) -> None:
        self.already_there = 0
        self._source = source
        self._target = target
        self._there = there
        self._advanced = advanced
        self._total = total
        self._moved = 0
        self._made: list[str] = []

    def one(self, found: StoredObject, sha256: str | None) -> str:
        """Copies one object, or finds it there already; returns its hash. `sha256` is what it must be."""
        if found.key in self._there:
            return self._same(found, sha256)
        digest = hashlib.sha256()
        self._made.append(found.key)  # before it is made: whatever happens now, it is this copy's
        stored = self._target.write(found.key, self._checked(found, digest.update, digest.hexdigest, sha256))
        if (
            stored.size_bytes != found.size_bytes
            or self._target.stat(found.key).size_bytes != found.size_bytes
        ):
            raise PgdrError(
                f"The copy of “{clean(found.key, 200)}” in {self._target.name} is of another size."
            )
        return digest.hexdigest()

    def take_away(self) -> None:
        """Removes what was made, the archive first: what is left of a copy must not look like a backup."""
        for key in self._made:
            try:
                self._target.delete(key)
            except PgdrError:
                continue  # locked there, or the store is gone: the first error is the one that matters

    def _checked(
        self,
        found: StoredObject,
        update: Callable[[bytes], None],
        so_far: Callable[[], str],
        sha256: str | None,
    ) -> Iterator[bytes]:
        """The object's bytes, and at their end an error, so that nothing is stored, if they are wrong."""
        for piece in steady(self._source, found):
            update(piece)
            self._advance(len(piece))
            yield piece
        if sha256 is not None and so_far() != sha256:
            raise ArchiveError(
                f"The hash of “{clean(found.key, 200)}” in {self._source.name} isn't that of its manifest.",
                why="It is damaged, or isn't what was written.",
                mend="Copy another backup, and don't rely on this one.",
            )
        if self._source.stat(found.key).etag != found.etag:
            raise replaced(self._source.name, found.key)

    def _same(self, found: StoredObject, sha256: str | None) -> str:
        """The hash of an object that is in both stores. Raises Refused where they differ."""
        there = self._there[found.key]
        own = sha256
        if there.size_bytes == found.size_bytes:
            own = own or self._hash(self._source, found)
            if self._hash(self._target, there) == own:
                self._advance(found.size_bytes if sha256 is not None else 0)
                self.already_there += 1
                return own
        raise Refused(
            f"The store {self._target.name} has a different object “{clean(found.key, 200)}”; it stays.",
            why=None if not found.key.endswith(MANIFEST) else "It is the manifest of another backup.",
            mend="Look at both with pgdr show; remove or rename the one that isn't wanted.",
        )

    def _hash(self, store: Store, found: StoredObject) -> str:
        digest = hashlib.sha256()
        for piece in steady(store, found):
            digest.update(piece)
            if store is self._source:
                self._advance(len(piece))
        return digest.hexdigest()

    def _advance(self, number: int) -> None:
        self._moved += number
        self._advanced(self._moved, self._total)
