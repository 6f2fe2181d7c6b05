"""What is inside one backup, and what is wrong with it, read by ranges from where it lies."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tui.model.amounts import sizes
from tui.model.backup import (
    ArchiveFormat,
    Backup,
    Contents,
    Manifest,
    StoredObject,
    TableContents,
    Verification,
)
from tui.model.errors import ArchiveError, ConfigError
from tui.model.fleet import Fleet
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.operations.catalogue.beside import manifest_of
from tui.operations.catalogue.directory import TOC, file_of
from tui.operations.catalogue.inside import as_it_lies, encryption_of, in_files, in_stream
from tui.operations.catalogue.listing import taken_at
from tui.operations.catalogue.names import MANIFEST, beside, told
from tui.operations.layers.encryption import KINDS, NoKey
from tui.operations.layers.layers import Layer, in_words, is_encrypted, layers_of, named_layers
from tui.postgres.archive.archive import table_contents
from tui.postgres.archive.plain import is_sql
from tui.postgres.archive.reader import FIRST_READ
from tui.stores.store import Store, missing

_ZERO = bytes(5)  # the integer 0 in an archive: a sign byte and four of digits
_ALIKE = 64  # bytes of a table of contents that tell it: the count and most of the first entry
_ZONES = timedelta(hours=38)  # a day for a date alone, 14 hours for the farthest zone
_NAMED = re.compile(r"(\.sql|\.tar|\.dump|\.dmp|\.pgdump|\.custom)(?:\.(?:gz|zst|lz4|age|gpg))*\Z")
_KEY_AT_HAND = "The key has to be at hand: pgdr check tries it."
_OTHER = "Use another backup, or another store's copy of this one."


@dataclass(frozen=True, slots=True)
class Description:
    """One backup, looked into. `contents` is None when it can't be read as an archive; `tables` are
    biggest first; `fetched_bytes` is what it cost to look; `problems` are worst first."""

    backup: Backup
    contents: Contents | None
    manifest: Manifest | None
    tables: tuple[TableContents, ...]
    fetched_bytes: int
    problems: tuple[Finding, ...]


def describe(
    store: Store, backup: Backup | str, fleet: Fleet | None = None, *, to_restore: bool = False
) -> Description:
    """Given a backup or its key, looks into it: one listing of what is beside it, its manifest, the
    archive's header and table of contents, and where needed its last bytes.

    An encrypted one that has a manifest is opened, with a key of `fleet`, only `to_restore`.

    Raises ObjectMissing when it isn't there, Unreachable when the store can't be asked; to restore also
    NoKey and ConfigError when no key opens it. What is wrong with the archive is no error but a problem of
    the answer.
    """
    key = backup if isinstance(backup, str) else backup.key
    looked = _Look(store, key)
    manifest = looked.manifest()
    contents = looked.contents(manifest, fleet, to_restore)
    if contents is not None:
        looked.compare(contents, manifest)
    looked.compare_size(contents, manifest)
    looked.problems.sort(key=lambda finding: finding.level is not Level.STOP)
    size = looked.found.size_bytes
    return Description(
        backup=looked.backup(contents, manifest),
        contents=contents,
        manifest=manifest,
        tables=table_contents(contents, size, manifest)
        if contents and not (contents.is_partial and manifest)
        else looked.by_manifest(manifest),
        fetched_bytes=looked.fetched_bytes,
        problems=tuple(looked.problems),
    )


class _Look:
    """One look into one backup: what was read so far and what was found wrong."""

    def __init__(self, store: Store, key: str) -> None:
        self.fetched_bytes = 0
        self.problems: list[Finding] = []
        self._store = store
        self._key = key
        self._manifest_bytes: int | None = None
        self._verification: Verification | None = None
        self._layers: tuple[Layer, ...] = ()
        self._files: dict[str, StoredObject] = {}  # of a directory archive
        found = None
        for page in store.pages(key):  # the archive and everything beside it, in one request
            for item in page:
                if item.key == key:
                    found = item
                elif (inside := file_of(item.key)) is not None and inside[0] == key:
                    self._files[inside[1]] = item
                elif (belongs := beside(item.key)) is not None and belongs.key == key:
                    self._note(item, belongs.is_manifest, belongs.verification)
        if found is not None:
            self._files.clear()
        elif self._files:
            toc = self._files.get(TOC) or max(self._files.values(), key=lambda file: file.modified_at)
            found = replace(toc, key=key, size_bytes=sum(f.size_bytes for f in self._files.values()))
        if found is None:
            raise missing(store.name, key)
        self.found = found

    def _note(self, item: StoredObject, is_manifest: bool, verification: Verification | None) -> None:
        if is_manifest:
            self._manifest_bytes = item.size_bytes
        if verification and (self._verification is None or verification.at >= self._verification.at):
            self._verification = verification

    def manifest(self) -> Manifest | None:
        """The manifest, where there is one that can be understood."""
        if self._manifest_bytes is None:
            self._warn(
                "manifest",
                "It has no manifest, so whether it is complete can't be told from its size.",
                "Verify it before you rely on it: pgdr verify.",
            )
            return None
        try:
            return manifest_of(self._read(self._key + MANIFEST, 0, self._manifest_bytes), self._key)
        except ArchiveError as error:
            self._warn("manifest", f"Its manifest can't be understood: {error.why}", error.mend)
            return None

    def contents(self, manifest: Manifest | None, fleet: Fleet | None, to_restore: bool) -> Contents | None:
        """The header and table of contents, where it is an archive and, encrypted, may be opened."""
        try:
            if self._files:
                return self._contents_of_files(manifest, fleet, to_restore)
            size = self.found.size_bytes
            head = self._read(self._key, 0, min(FIRST_READ, size))
            self._layers = layers_of(self._key, head)
            named = named_layers(self._key)
            if self._layers != named:
                said, is_so = (
                    in_words(layers) or "not packed in anything" for layers in (named, self._layers)
                )
                self._warn("name", f"By its name it is {said}; by its bytes it is {is_so}.", None)
            here = self._store.path(self._key) is not None
            if not self._layers and not is_sql(head):
                contents = as_it_lies(self._read, self._key, size, head, here=here)
            else:
                encrypted = is_encrypted(self._layers)
                if encrypted:
                    self._tell_cost()
                if encrypted and not to_restore and (manifest is not None or fleet is None):
                    return None
                looked = in_stream(self._read, self._key, size, head, fleet, self._taken_at(), here=here)
                contents, self._layers = looked.contents, looked.contents.layers
                if self._layers and not encrypted and contents.format is not ArchiveFormat.PLAIN:
                    self._tell_cost()  # plain SQL can't be read in parts as it lies either
                self.problems += looked.findings
            self._compare_name(contents)
            return contents
        except ArchiveError as error:
            self._stop("archive", f"{error.what} {error.why or ''}".strip(), error.mend)
        except (NoKey, ConfigError) as error:
            if to_restore:
                raise
            self._warn("encryption", f"{error.what} {error.why or ''}".strip(), error.mend)
        return None

    def _contents_of_files(
        self, manifest: Manifest | None, fleet: Fleet | None, to_restore: bool
    ) -> Contents | None:
        cipher = encryption_of(self._files)
        if cipher is not None:
            self._layers = (cipher,)
            self._warn(
                "encryption",
                f"Its files are {in_words(self._layers)}, each by itself: a restore of single tables fetches"
                " theirs alone; what is in it is told by its manifest where there is one.",
                _KEY_AT_HAND,
            )
            if not to_restore and (manifest is not None or fleet is None):
                return None
        contents, wrong = in_files(self._read, self._files, fleet)
        if wrong is not None:
            self._stop("files", wrong, _OTHER)
        return contents

    def _taken_at(self) -> datetime:
        says = told(self._key)
        return taken_at(self.found, says) if says else self.found.modified_at

    def _compare_name(self, contents: Contents) -> None:
        """A file that is called another format than it has is restored as what it is."""
        found = _NAMED.search(self._key)
        named = {".sql": ArchiveFormat.PLAIN, ".tar": ArchiveFormat.TAR}.get(found[1] if found else "")
        is_plain = contents.format is ArchiveFormat.PLAIN
        if found and (contents.format is not named if named else is_plain):
            said = {".sql": "plain SQL", ".tar": "a tar"}.get(found[1], "an archive")
            is_so = f"in the {contents.format.value} format" if not is_plain else "plain SQL"
            self._warn(
                "name", f"By its name it is {said}; by its bytes it is {is_so}, and taken for that.", None
            )

    def _tell_cost(self) -> None:
        packed = in_words(self._layers)
        if is_encrypted(self._layers):
            self._warn(
                "encryption",
                f"It is {packed}: no part can be read by itself, so a restore fetches all of it, single"
                " tables too, and opens it first; what is in it is told by its manifest where there"
                " is one.",
                _KEY_AT_HAND,
            )
        else:
            self._warn(
                "compression",
                f"It is {packed} as a whole: no part can be read by itself, so a restore fetches all of it,"
                " single tables too, and unpacks it first.",
                "pg_dump compresses by itself, and then parts can be read: let it (--compress).",
            )

    def by_manifest(self, manifest: Manifest | None) -> tuple[TableContents, ...]:
        """The tables of a backup that can't be looked into, as its manifest has them: rows, and no sizes."""
        if manifest is None or any(p.level is Level.STOP for p in self.problems):
            return ()
        tables = [TableContents(t.schema, t.name, None, t.rows) for t in manifest.tables]
        return tuple(sorted(tables, key=lambda t: (-(t.rows or 0), t.schema, t.name)))

    def compare(self, contents: Contents, manifest: Manifest | None) -> None:
        """Looks whether archive, manifest and key speak of the same thing."""
        if manifest is None:
            says = told(self._key)
            if says and contents.database and says.database not in contents.database:
                self._warn(
                    "name",
                    f"Its name says “{clean(says.database)}”; inside is “{clean(contents.database)}”.",
                    None,
                )
            if says and abs(says.at - contents.created_at) > _ZONES:
                self._warn(
                    "name",
                    f"Its name says {says.at:%Y-%m-%d}; it was made on {contents.created_at:%Y-%m-%d}.",
                    "Go by the day it was made.",
                )
            return
        for about, of_manifest, of_archive in (
            ("database", manifest.database, contents.database),
            ("format", manifest.format.value, contents.format.value),
        ):
            if of_archive is not None and of_manifest != of_archive:
                self._stop(
                    "manifest",
                    f"Its manifest is of another archive: the {about} there is “{clean(of_manifest)}”, "
                    f"here “{clean(of_archive)}”.",
                    _OTHER,
                )
        if manifest.selection != "full":
            self._warn("selection", f"It isn't a full backup: {clean(manifest.selection)} only.", None)

    def compare_size(self, contents: Contents | None, manifest: Manifest | None) -> None:
        """Looks whether all of it is there: by the manifest, else by what the archive itself tells."""
        size = self.found.size_bytes
        if manifest is not None:
            self._compare_files(manifest)
            if size < manifest.size_bytes:
                whole, there = sizes(manifest.size_bytes, size)
                self._stop("size", f"It is cut short: {there} of {whole} are there.", _OTHER)
            elif size > manifest.size_bytes:
                there, said = sizes(size, manifest.size_bytes)
                self._stop(
                    "size",
                    f"It has {there}; its manifest says {said}.",
                    "It isn't what was written. " + _OTHER,
                )
            return
        if contents is None or contents.format is not ArchiveFormat.CUSTOM or contents.layers:
            return
        data = [entry for entry in contents.entries if entry.has_data]
        if not data:
            return
        # pg_dump writes the blocks in the order of the table of contents.
        last = max(data, key=lambda entry: entry.offset or 0) if data[-1].offset else data[-1]
        end = 2 * _ZERO if last.desc == "BLOBS" else _ZERO
        if (last.offset or 0) >= size:
            gone = sum(1 for entry in data if entry.offset is not None and entry.offset >= size)
            self._stop(
                "size",
                f"It is cut short: the data of {gone} of {len(data)} tables begins behind its end.",
                _OTHER,
            )
        elif not self._ends_with(end, size) and not self._ends_with_the_toc_again(contents, end, size):
            # A block ends with a chunk of length 0, one of large objects with an id of 0 after that, and
            # nothing follows the last block (pg_backup_custom.c: _EndData, _EndLOs, _CloseArchive).
            self._stop("size", "It is cut short: it ends in the middle of a table's data.", _OTHER)

    def _ends_with(self, end: bytes, size: int) -> bool:
        return self._read(self._key, max(0, size - len(end)), len(end)) == end

    def _ends_with_the_toc_again(self, contents: Contents, end: bytes, size: int) -> bool:
        """Whether the data is followed by the table of contents a second time.

        `pg_dump -Fc > FILE` leaves it so from 16 on: _CloseArchive of pg_backup_custom.c seeks back to write
        it again, with offsets, but stdout is in append mode by then (_allocAH of pg_backup_archiver.c). It
        begins as the first one does, since entries without data come first; without the definitions of
        statistics it is shorter. Nobody reads it, so its own end doesn't matter.
        """
        length = contents.toc_bytes - contents.head_bytes
        first = self._read(self._key, contents.head_bytes, min(_ALIKE, length))
        start = max(contents.toc_bytes, size - length - len(end))
        return end + first in self._read(self._key, start, size - start)

    def _compare_files(self, manifest: Manifest) -> None:
        # By the names under which they lie, which tell that they are encrypted
        there = {file.key.removeprefix(f"{self._key}/"): file.size_bytes for file in self._files.values()}
        wrong = [file.name for file in manifest.files if there.get(file.name) != file.size_bytes]
        if wrong:
            name = wrong[0]
            how = "has another size than its manifest says" if name in there else "is missing"
            more = f", and {len(wrong) - 1} more aren't as they were" if len(wrong) > 1 else ""
            self._stop("files", f"Its file “{clean(name, 80)}” {how}{more}.", _OTHER)

    def backup(self, contents: Contents | None, manifest: Manifest | None) -> Backup:
        """The backup as a listing would show it, with what was found inside."""
        says = told(self._key)
        made = Backup(
            store=self._store.name,
            key=self._key,
            size_bytes=self.found.size_bytes,
            modified_at=self.found.modified_at,
            database=says.database if says else None,
            created_at=taken_at(self.found, says) if says else None,
            etag=self.found.etag,
            has_manifest=self._manifest_bytes is not None,
            verification=self._verification,
            format=contents.format if contents else manifest.format if manifest else None,
            encryption=next((layer.value for layer in self._layers if layer.value in KINDS), None),
        )
        if manifest is not None:
            return replace(made, database=manifest.database, created_at=manifest.created_at)
        if contents is not None:
            # An archive's own time is its machine's wall clock, of which nobody knows the zone. A key
            # that agrees with it, but for zones, is the better source.
            agrees = says is not None and abs(says.at - contents.created_at) <= _ZONES
            at = made.created_at if says and says.to_the_second and agrees else contents.created_at
            return replace(made, database=contents.database or made.database, created_at=at)
        return made

    def _read(self, key: str, start: int, length: int) -> bytes:
        data = self._store.read(key, start, length)
        self.fetched_bytes += len(data)
        return data

    def _stop(self, about: str, what: str, mend: str | None) -> None:
        self.problems.append(Finding(Level.STOP, about, what, mend))

    def _warn(self, about: str, what: str, mend: str | None) -> None:
        self.problems.append(Finding(Level.WARNING, about, what, mend))
