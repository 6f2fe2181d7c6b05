"""Events: facts about a job, in the order in which they became true. A journal is a file of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from tui.model.backup import Verdict
from tui.model.incident import Sent
from tui.model.verdict import Check, RestoreError


class JobKind(Enum):
    """What a job does."""

    RESTORE = "restore"
    VERIFY = "verify"
    DRILL = "drill"
    BACKUP = "backup"
    COPY = "copy"


class JobState(Enum):
    """Where a job is. LOST is never written: it is what a reader sees when the supervisor is gone
    without having said how it ended."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


class Phase(Enum):
    """The phases of a job in their order; a job leaves out those it doesn't need."""

    FETCH = "fetch"  # download a remote archive
    CREATE = "create"  # the fresh database
    SCHEMA = "schema"  # pre-data
    DATA = "data"
    INDEXES = "indexes"  # indexes, primary keys, unique constraints
    FOREIGN_KEYS = "foreign keys"
    FINISH = "finish"  # triggers, views' data, the rest of post-data
    ANALYZE = "analyze"
    CHECK = "check"
    DUMP = "dump"  # backups: pg_dump is writing
    COUNT = "count"  # backups: rows counted in the dump's snapshot
    STORE = "store"  # backups: manifest and globals written


@dataclass(frozen=True, slots=True)
class Item:
    """One TOC entry that a restore will do. For an index or constraint, `table` is the table it is on.

    `weight_bytes` is the table's compressed size where known; `rows` the manifest's count; `expected_s` how
    long it takes by what earlier restores taught.
    """

    dump_id: int
    desc: str
    schema: str | None
    name: str
    phase: Phase
    table: str | None = None
    weight_bytes: int | None = None
    rows: int | None = None
    expected_s: float | None = None


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The supervisor is there and has its lock."""

    job: str
    kind: JobKind
    database: str
    ref: str | None
    target: str | None
    operator: str
    host: str
    pid: int
    workers: int = 1
    rto_s: float | None = None


@dataclass(frozen=True, slots=True)
class PhaseBegan:
    """A phase that isn't told by items has begun."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class ItemsListed:
    """Everything a restore is going to do, and the estimate it starts with; `phase_s` are learned seconds of
    phases that aren't told by items, by their names."""

    items: tuple[Item, ...]
    low_s: float | None = None
    high_s: float | None = None
    basis: str = "estimated"
    phase_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemsDone:
    """Items of which the interrupted restore `job` was found to have left nothing to do."""

    ids: tuple[int, ...]
    job: str


@dataclass(frozen=True, slots=True)
class ItemsLeft:
    """Items that a restore has ended without finishing."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TargetMade:
    """The fresh database is there, empty or as an interrupted restore left it. Its oid on that server
    stays its own whatever it, or another database, is called later."""

    name: str
    oid: int
    system_identifier: str | None


@dataclass(frozen=True, slots=True)
class BytesMoved:
    """Bytes of a download, a dump or an upload."""

    phase: Phase
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class ItemLaunched:
    """pg_restore began an item."""

    dump_id: int


@dataclass(frozen=True, slots=True)
class ItemFinished:
    """pg_restore finished an item (also one that failed: see ErrorSeen)."""

    dump_id: int


@dataclass(frozen=True, slots=True)
class LoadAdvanced:
    """A line of pg_stat_progress_copy: rows and uncompressed bytes loaded into a table so far."""

    schema: str
    table: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ArchivePosition:
    """How many compressed bytes of an item's data the worker that restores it has read."""

    dump_id: int
    bytes: int


@dataclass(frozen=True, slots=True)
class IndexAdvanced:
    """A line of pg_stat_progress_create_index."""

    schema: str
    table: str
    index: str
    stage: str
    blocks_done: int
    blocks_total: int
    tuples_done: int
    tuples_total: int


@dataclass(frozen=True, slots=True)
class StatementSeen:
    """A backend of the job that no progress view describes (foreign keys, ANALYZE): what it is at."""

    schema: str | None
    table: str | None
    name: str | None
    running_s: float
    wait: str | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One cleaned line of what a program printed, or of what the job has to say."""

    text: str


@dataclass(frozen=True, slots=True)
class ErrorSeen:
    """One error, judged."""

    error: RestoreError


@dataclass(frozen=True, slots=True)
class CheckDone:
    """One check's answer."""

    check: Check


@dataclass(frozen=True, slots=True)
class Told:
    """The job told a channel by itself how things stand, or could not."""

    sent: Sent


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Someone asked the job to stop."""

    operator: str
    keep: bool


@dataclass(frozen=True, slots=True)
class JobEnded:
    """The last event: how it ended. `message` says why when it didn't end well, `mend` what to do next.

    `ref` is the backup that was made, for a backup job.
    """

    state: JobState
    verdict: Verdict | None
    duration_s: float
    message: str | None = None
    mend: str | None = None
    ref: str | None = None
    rows: int | None = None
    items: int | None = None
    fetched_bytes: int | None = None
    unreachable: bool = False  # a server or store didn't answer, or refused the credentials
    refused: bool = False  # for safety: another one works on the target


Event = (
    JobStarted
    | PhaseBegan
    | ItemsListed
    | ItemsDone
    | ItemsLeft
    | TargetMade
    | BytesMoved
    | ItemLaunched
    | ItemFinished
    | LoadAdvanced
    | ArchivePosition
    | IndexAdvanced
    | StatementSeen
    | LogLine
    | ErrorSeen
    | CheckDone
    | Told
    | CancelAsked
    | JobEnded
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and when it was written down."""

    at: datetime
    event: Event
