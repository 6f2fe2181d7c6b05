"""One guided recovery: its steps, what was found and decided, and what happened when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from tui.model.backup import Verdict
from tui.model.plan import Finding
from tui.model.verdict import Check


class Step(Enum):
    """The six steps, in order."""

    ASSESS = "assess"
    PICK = "pick"
    NOTIFY = "notify"
    RESTORE = "restore"
    VERIFY = "verify"
    RESUME = "resume"


class StepStatus(Enum):
    """Where a step is. SKIPPED: a person chose to go on without it."""

    PENDING = "pending"
    ACTIVE = "active"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step and its clock; `note` is one sentence on its outcome."""

    step: Step
    status: StepStatus = StepStatus.PENDING
    began_at: datetime | None = None
    ended_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened: kind is fact, decision, command, message, error or confirmation."""

    at: datetime
    operator: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class TableCount:
    """One table now against the last manifest; None: the table isn't there, or couldn't be counted."""

    schema: str
    name: str
    expected: int | None
    found: int | None


@dataclass(frozen=True, slots=True)
class Sent:
    """One message to one channel, and what became of it (`error` is None when it was taken)."""

    at: datetime
    channel: str
    title: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Swap:
    """A swap that was carried out: what was live is now `kept_as` (None: there was nothing live)."""

    database: str
    live_name: str
    restored_name: str
    kept_as: str | None
    at: datetime
    duration_s: float
    operator: str
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One guided recovery, all of it; saved whole after every change."""

    id: str
    database: str
    operator: str
    declared_at: datetime
    steps: tuple[StepRecord, ...] = tuple(StepRecord(step) for step in Step)
    findings: tuple[Finding, ...] = ()
    counts: tuple[TableCount, ...] = ()
    ref: str | None = None
    backup_at: datetime | None = None
    expected_s: float | None = None  # how long the restore was expected to take when the backup was picked
    target: str | None = None
    job: str | None = None
    verdict: Verdict | None = None
    checks: tuple[Check, ...] = ()
    sent: tuple[Sent, ...] = ()
    swap: Swap | None = None
    health: str | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    closed_at: datetime | None = None
    outcome: str | None = None  # recovered, stood down

    def record(self, step: Step) -> StepRecord:
        """The record of `step`."""
        return next(r for r in self.steps if r.step is step)

    @property
    def current(self) -> Step:
        """The first step that is neither done nor skipped; the last one when all are."""
        for record in self.steps:
            if record.status not in (StepStatus.DONE, StepStatus.SKIPPED):
                return record.step
        return Step.RESUME
