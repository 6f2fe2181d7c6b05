"""What a pane shows of a job: one frozen picture, made by folding its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tui.model.backup import Verdict
from tui.model.event import JobKind, JobState, Phase
from tui.model.incident import Sent
from tui.model.verdict import Check, RestoreError


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """What one worker is at. `activity` is loading, indexing, constraint, foreign key, or another kind."""

    slot: int
    activity: str
    what: str
    detail: str  # "7.9M of 12.0M rows", "sorting 64 %"
    fraction: float | None
    rows_per_s: float | None
    bytes_per_s: float | None
    left_s: float | None
    running_s: float


@dataclass(frozen=True, slots=True)
class TableLine:
    """One table's data: waiting, loading, done or failed."""

    schema: str
    name: str
    state: str
    rows_done: int | None
    rows_expected: int | None
    weight_bytes: int | None


@dataclass(frozen=True, slots=True)
class IndexLine:
    """One index or constraint: waiting, building, done or failed, and the stage of its build."""

    schema: str
    name: str
    table: str | None
    state: str
    stage: str
    fraction: float | None


@dataclass(frozen=True, slots=True)
class PhaseLine:
    """How far a phase is: items done of total, and its fraction by weight."""

    phase: Phase
    state: str  # waiting, running, done
    done: int
    total: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Progress:
    """A job at a moment."""

    job: str
    kind: JobKind
    state: JobState
    database: str
    ref: str | None
    target: str | None
    operator: str
    host: str
    started_at: datetime | None
    updated_at: datetime | None
    ended_at: datetime | None
    rto_s: float | None
    fraction: float
    ready_low: datetime | None
    ready_high: datetime | None
    basis: str
    bytes_per_s: float | None
    phases: tuple[PhaseLine, ...]
    workers: tuple[WorkerLine, ...]
    tables: tuple[TableLine, ...]
    indexes: tuple[IndexLine, ...]
    foreign_keys_done: int
    foreign_keys_total: int
    items_done: int
    items_total: int
    errors: tuple[RestoreError, ...]
    checks: tuple[Check, ...]
    log: tuple[str, ...]  # the last lines, each with its time
    verdict: Verdict | None
    message: str | None
    mend: str | None
    duration_s: float | None
    rows: int | None
    fetched_bytes: int | None
    made_ref: str | None
    unreachable: bool = False  # it failed because a server or store didn't answer
    told: tuple[Sent, ...] = ()  # what it told the channels by itself
    refused: bool = False  # it was refused for safety: another one works on the target
