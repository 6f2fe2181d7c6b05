"""One guided recovery: its steps, what was found and decided, and what happened when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from tui.model.backup import Verdict
from tui.model.difference import MergedTable, TableDifference
from tui.model.plan import Finding
from tui.model.scenario import Scenario
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
    estimated: bool = False  # `found` is the planner's: counting it took too long
    reason: str | None = None  # why a table that is there could not be counted
    before: int | None = None  # what an older backup had, where the newest one had lost it already


@dataclass(frozen=True, slots=True)
class Sent:
    """One message to one channel, and what became of it (`error` is None when it was taken). `id` is the
    message's, `occasion` what it was about (see wording.Occasion); `simulated`: a drill, nothing went out."""

    at: datetime
    channel: str
    title: str
    error: str | None = None
    id: str = ""
    occasion: str = ""
    tries: int = 1
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Where a fresh server listens that takes the place of a lost one."""

    host: str
    port: int


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
    address: Address | None = None  # of the fresh server that it was done on; None: the configured one


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge that was carried out: rows of `restored_name` were put into the live tables. What is needed to
    take it back lies in the schema `aside` of the restored database. `left`: rows that could not be taken
    back, since they were written to afterwards."""

    live_name: str
    restored_name: str
    aside: str
    tables: tuple[MergedTable, ...]
    triggers: bool
    at: datetime
    operator: str
    undone_at: datetime | None = None
    left: int = 0


@dataclass(frozen=True, slots=True)
class HandOver:
    """The connection address that the application was given; it never holds a password. `by` is the command
    that set it, as shown, or None when a person does."""

    url: str
    at: datetime
    operator: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an assessment says has happened; `scenario` is None where nothing is to be recovered.

    The damage was done between `good_at`, when all was seen to be well last, and `damaged_at`, when it was
    there for certain; either may be unknown. `how` says how that is known.
    """

    scenario: Scenario | None
    why: str
    tables: tuple[str, ...] = ()  # "schema.table": those concerned
    good_at: datetime | None = None
    damaged_at: datetime | None = None
    how: str = ""


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
    scenario: Scenario | None = None  # what the engineer decided on; None before that
    scenario_why: str = ""
    proposal: Proposal | None = None  # what the assessment proposes
    good_at: datetime | None = None  # when all was seen to be well last; the damage came after it
    newest_at: datetime | None = None  # when the newest good backup was taken that the assessment has found
    waiting_since: datetime | None = None  # a restart is waited for
    returned_at: datetime | None = None  # when it was seen to be back by itself
    damaged_at: datetime | None = None  # since when, as far as known
    damaged_how: str = ""  # how that is known, in words
    tables: tuple[str, ...] = ()  # "schema.table": only these are restored; none: all of the database
    address: Address | None = None  # the fresh server, where the old one is lost
    driver: str | None = None  # who works on it now; None: the operator who declared it
    driver_since: datetime | None = None  # when that one took it over
    drill: bool = False  # rehearsed in a scratch database: nothing live is touched, nobody is told
    rehearsed_at: datetime | None = None  # of a drill: when its cutover was gone through; its clock ends
    scratch: tuple[str, ...] = ()  # of a drill: the databases that it made, all dropped at its end
    found: tuple[str, ...] = ()  # of a drill: what it found to be wrong, in sentences
    updates: bool = False  # whether the job tells the channels by itself when the expected end moves
    restored_tables: tuple[str, ...] = ()  # "schema.table": all that the job restored; none: everything
    differences: tuple[TableDifference, ...] = ()  # how restored tables differ from the live ones
    compared_at: datetime | None = None
    merge: Merge | None = None
    handed: HandOver | None = None
    live_checks: tuple[Check, ...] = ()  # asked once it was in place
    remove_at: datetime | None = None  # when to think of dropping what was kept

    def record(self, step: Step) -> StepRecord:
        """The record of `step`."""
        return next(r for r in self.steps if r.step is step)

    @property
    def driving(self) -> str:
        """Who drives it: only that one may change it."""
        return self.driver or self.operator

    @property
    def current(self) -> Step:
        """The first step that is neither done nor skipped; the last one when all are."""
        for record in self.steps:
            if record.status not in (StepStatus.DONE, StepStatus.SKIPPED):
                return record.step
        return Step.RESUME

    @property
    def reached(self) -> Step:
        """The step after the last that is over: one before it may have been left open on purpose."""
        over = [n for n, r in enumerate(self.steps) if r.status in (StepStatus.DONE, StepStatus.SKIPPED)]
        after = max(over, default=-1) + 1
        return self.steps[after].step if after < len(self.steps) else Step.RESUME
