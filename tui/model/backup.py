"""Backups: where they lie, what is in them, what was true when they were taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Verdict(Enum):
    """Whether a restore can be believed: all well; every difference understood and harmless; not."""

    CLEAN = "clean"
    EXPLAINED = "explained"
    FAILED = "failed"


class ArchiveFormat(Enum):
    """The formats of pg_dump."""

    CUSTOM = "custom"
    DIRECTORY = "directory"
    TAR = "tar"
    PLAIN = "plain"


class Layer(Enum):
    """What may lie around an archive as a whole: an encryption, a compression."""

    AGE = "age"
    GPG = "gpg"
    GZIP = "gzip"
    ZSTD = "zstd"
    LZ4 = "lz4"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object in a store. `key` is relative to the store's root or prefix, with `/` between parts."""

    key: str
    size_bytes: int
    modified_at: datetime
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """When a backup was last restored and checked, and what came of it."""

    at: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup as a listing shows it: of a database, or of a `component` (files, volumes), then with no
    database.

    `database` and `created_at` come from the manifest, else the archive's header, else the key;
    None where none of them tells.
    """

    store: str
    key: str
    size_bytes: int
    modified_at: datetime
    database: str | None = None
    created_at: datetime | None = None
    etag: str | None = None
    has_manifest: bool = False
    manifest_etag: str | None = None
    verification: Verification | None = None
    component: str | None = None
    format: ArchiveFormat | None = None  # as far as a listing tells
    encryption: str | None = None  # age, gpg

    @property
    def ref(self) -> str:
        """`STORE:KEY`, the name a person gives it by."""
        return f"{self.store}:{self.key}"

    @property
    def sort_time(self) -> datetime:
        """When it was taken, as far as known: for ordering only."""
        return self.created_at or self.modified_at

    @property
    def is_proven(self) -> bool:
        """Whether anything tells that it was written to its end: its manifest, or that it was verified."""
        return self.has_manifest or self.verification is not None


def newest_first(backups: Iterable[Backup]) -> list[Backup]:
    """Given backups, returns those that are proven before all others, the newest first, and those of one
    moment by their names, so that whoever asks gets the same one."""
    named = sorted(backups, key=lambda b: b.ref)
    return sorted(named, key=lambda b: (b.is_proven, b.sort_time), reverse=True)


@dataclass(frozen=True, slots=True)
class TocEntry:
    """One entry of an archive's table of contents (pg_backup_archiver.h, struct _tocEntry).

    `offset` is the byte at which its data block begins, None where the archive doesn't say; `file` is what
    holds its data in a directory or tar archive. `has_data` tells whether it has a data block at all.
    """

    dump_id: int
    desc: str
    name: str
    schema: str | None
    owner: str | None
    section: int  # 1 none, 2 pre-data, 3 data, 4 post-data
    definition: str
    copy_statement: str | None
    tablespace: str | None
    access_method: str | None
    dependencies: tuple[int, ...]
    has_data: bool
    offset: int | None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """An archive's header and table of contents, in the archive's order."""

    format: ArchiveFormat
    archive_version: tuple[int, int, int]  # 1.16.0
    compression: str  # none, gzip, lz4, zstd
    created_at: datetime  # the wall clock of the dumping machine, taken as UTC
    database: str | None
    server_version: str | None
    dump_version: str | None
    entries: tuple[TocEntry, ...]
    toc_bytes: int  # where the TOC ends; 0 of plain SQL, which has none
    sizes: dict[int, int] | None = None  # bytes of each entry's data, where no offsets tell it
    layers: tuple[Layer, ...] = ()  # around it, the outermost first: no part of it can be read by itself then
    files: int = 1  # how many it lies in: more than one in the directory format
    is_partial: bool = False  # plain SQL of which only the beginning was read
    head_bytes: int = 0  # where the header ends and the count of entries stands; 0 of plain SQL


@dataclass(frozen=True, slots=True)
class TableContents:
    """One table in a backup: compressed bytes from the archive's offsets, rows from the manifest."""

    schema: str
    name: str
    compressed_bytes: int | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class SequenceState:
    """One sequence in the dump's snapshot."""

    schema: str
    name: str
    last_value: int
    is_called: bool


@dataclass(frozen=True, slots=True)
class TableState:
    """One table in the dump's snapshot: exact rows, size on disk with indexes and TOAST, columns."""

    schema: str
    name: str
    rows: int
    size_bytes: int
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockOffset:
    """Where an entry's data block lies in an archive that couldn't be sought when it was written, and the
    hash of its bytes: a part of an archive can be believed alone."""

    dump_id: int
    offset: int
    size_bytes: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectRights:
    """Whose an object was in the dump's snapshot, and what others were granted on it: "role=arw"."""

    kind: str  # relation, schema, function
    name: str  # public.users, public.add(integer, integer)
    owner: str
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a backup in the directory format."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was true in the dump's own snapshot; written last, so a backup that has one is complete."""

    version: int
    key: str
    database: str  # its name on the server
    created_at: datetime
    duration_s: float
    size_bytes: int
    sha256: str
    format: ArchiveFormat
    server_version: str
    dump_version: str
    system_identifier: str | None
    database_bytes: int
    encoding: str
    collate: str
    ctype: str
    owner: str
    acl: tuple[str, ...]  # GRANTs on the database itself: "role=CTc/owner"
    settings: tuple[str, ...]  # ALTER DATABASE … SET: "name=value"
    tables: tuple[TableState, ...]
    sequences: tuple[SequenceState, ...]
    extensions: dict[str, str]
    roles: tuple[str, ...]
    indexes: int
    constraints: int
    blocks: tuple[BlockOffset, ...] = ()
    toc_sha256: str | None = None  # where blocks are noted: of all before the first one, header and TOC
    selection: str = "full"  # full, schema, data, tables
    # None in a manifest that was written before these were noted.
    rights: tuple[ObjectRights, ...] | None = None
    large_objects: int | None = None
    populated: tuple[str, ...] | None = None  # materialized views with their rows
    disabled_triggers: tuple[str, ...] | None = None  # "public.users quiet"
    # By the version of the library that sorts: the database's own ("" is its name here) and those used.
    collation_versions: dict[str, str] | None = None
    compression: str | None = None  # as it was asked for, "zstd:3"; None: pg_dump's own choice
    encryption: str | None = None  # age, gpg; size and hash are then those of the encrypted bytes
    recipients: tuple[str, ...] = ()  # who can open it
    files: tuple[StoredFile, ...] = ()  # of the directory format; its sha256 is that of their hashes
    role_settings: dict[str, tuple[str, ...]] | None = None  # ALTER ROLE … IN DATABASE … SET, by role
    connection_limit: int | None = None  # of the database; -1: none

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(t.rows for t in self.tables)


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """A store that couldn't be read, or not to its end; with `is_note`, only something to know of it."""

    store: str
    what: str
    why: str | None = None
    mend: str | None = None
    is_note: bool = False
