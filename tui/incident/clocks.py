"""The clocks of a recovery: since when, how long, until when, against what may be taken and lost. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tui.incident.scenarios import targets as scenario_targets
from tui.model.event import JobState
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepStatus
from tui.model.progress import Progress
from tui.model.scenario import Scenario

# With these nothing was written any more from the damage on: the server itself was gone.
_SILENT = (Scenario.INSTANCE_LOST, Scenario.SITE_LOST)


@dataclass(frozen=True, slots=True)
class StepClock:
    """When a step first began and last ended; None is not yet."""

    step: Step
    status: StepStatus
    began_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Clocks:
    """All clocks at one moment, `now`. `damaged_at` is since when, as far as known, `damaged_how` how that is
    known. `used` runs from the declaration until it was over (`ended_at`) or now. `ready_low` and
    `ready_high` are when it should be ready, by the running restore or by the backup that was picked
    (`ready_from`: restore, pick, or nothing). `lost` is the most that is lost by using the picked backup,
    None before one is picked; `put_in_place` whether that has happened already."""

    now: datetime
    declared_at: datetime
    damaged_at: datetime | None
    damaged_how: str
    ended_at: datetime | None
    rto: timedelta
    rpo: timedelta
    used: timedelta
    ready_low: datetime | None
    ready_high: datetime | None
    ready_from: str
    lost: timedelta | None
    put_in_place: bool
    steps: tuple[StepClock, ...]

    @property
    def deadline(self) -> datetime:
        """When the RTO is over: it counts from the declaration."""
        return self.declared_at + self.rto

    @property
    def over(self) -> bool:
        """Whether more time was used than the RTO gives."""
        return self.used > self.rto

    @property
    def will_be_late(self) -> bool:
        """Whether it should be ready only after the deadline."""
        return self.ready_high is not None and self.ready_high > self.deadline

    @property
    def beyond_rpo(self) -> bool:
        """Whether more is lost than may be."""
        return self.lost is not None and self.lost > self.rpo


def clocks(
    fleet: Fleet, incident: Incident, database: Database, picture: Progress | None, now: datetime
) -> Clocks:
    """Given an incident of `database`, its restore's job as it stands, and the time, returns its clocks."""
    rto, rpo = targets(fleet, incident, database)
    ended = back_at(incident) or incident.closed_at
    low, high, basis = _ready(incident, picture, now)
    return Clocks(
        now=now,
        declared_at=incident.declared_at,
        damaged_at=incident.damaged_at,
        damaged_how=incident.damaged_how,
        ended_at=ended,
        rto=rto,
        rpo=rpo,
        used=(ended or now) - incident.declared_at,
        ready_low=None if ended else low,
        ready_high=None if ended else high,
        ready_from="" if ended else basis,
        lost=data_lost(incident),
        put_in_place=back_at(incident) is not None,
        steps=tuple(StepClock(r.step, r.status, r.began_at, r.ended_at) for r in incident.steps),
    )


def targets(fleet: Fleet, incident: Incident, database: Database) -> tuple[timedelta, timedelta]:
    """The RTO and the RPO of an incident: those of its scenario where one was decided on and has them, else
    the database's own."""
    rto, rpo = scenario_targets(fleet, incident.scenario) if incident.scenario else (None, None)
    return (database.rto if rto is None else rto), (database.rpo if rpo is None else rpo)


def back_at(incident: Incident) -> datetime | None:
    """When the database was in use again: put in place or merged, and not taken back; handed over; or the
    recovery was closed as one that succeeded in another way. None before that. Of a drill, when that was
    gone through."""
    if incident.drill:
        return incident.rehearsed_at
    for done in (incident.swap, incident.merge):
        if done is not None and done.undone_at is None:
            return done.at
    if incident.handed is not None:
        return incident.handed.at
    if incident.closed_at is not None and incident.outcome == "recovered":
        return incident.closed_at
    return None


def unavailable(incident: Incident, now: datetime) -> timedelta:
    """How long the database was not to be used: from the damage, where its time is known, else from the
    declaration, until it was back; until now while it isn't."""
    since = min(incident.damaged_at or incident.declared_at, incident.declared_at)
    return (back_at(incident) or incident.closed_at or now) - since


def data_lost(incident: Incident) -> timedelta | None:
    """From the backup that is used until nothing more was written: the most that can have been lost. None
    where no backup was picked."""
    if incident.scenario is Scenario.RESTART and incident.ref is None:
        return timedelta(0)
    if incident.backup_at is None:
        return None
    return max(writes_ended(incident) - incident.backup_at, timedelta(0))


def writes_ended(incident: Incident) -> datetime:
    """Until when something can have been written that the backup doesn't have: the damage where the server
    itself was lost, else the declaration."""
    if incident.scenario in _SILENT and incident.damaged_at is not None:
        return min(incident.damaged_at, incident.declared_at)
    return incident.declared_at


def _ready(
    incident: Incident, picture: Progress | None, now: datetime
) -> tuple[datetime | None, datetime | None, str]:
    if picture is not None and picture.state is JobState.RUNNING:
        return picture.ready_low, picture.ready_high, "restore" if picture.ready_high else ""
    if incident.job is None and incident.expected_s is not None:
        high = now + timedelta(seconds=incident.expected_s)
        return high, high, "pick"
    return None, None, ""
