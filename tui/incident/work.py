"""What all steps of a guided recovery do: they change the incident on disk, and only there.

A change is made to what is on disk at that moment, never to what was read before: two engineers may have
one incident open. Only one of them drives; what the other wants to change is refused, under the book's lock,
until that one takes it over. Everything here blocks and may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from tui.incident.book import Book
from tui.jobs.watch import JobView, view
from tui.model.backup import Verdict
from tui.model.elsewhere import database_at
from tui.model.errors import Refused, UsageError
from tui.model.event import JobState
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepRecord, StepStatus, TimelineEntry
from tui.model.progress import Progress
from tui.model.text import clean, rfc3339
from tui.operations.report import Clock

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound="Work")


def acting(method: Callable[Concatenate[W, P], R]) -> Callable[Concatenate[W, P], R]:
    """For a method that does something outside of the incident: only who drives may begin it. Once it has
    begun, what came of it is written down, though another may have taken over meanwhile: it was done."""

    @wraps(method)
    def begun(self: W, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.must_drive()
        before = getattr(self._act, "begun", False)
        self._act.begun = True
        try:
            return method(self, *args, **kwargs)
        finally:
            self._act.begun = before

    return begun


class Work:
    """One incident being worked on by `operator`: what every step does with it."""

    def __init__(
        self, fleet: Fleet, state: Path, book: Book, incident: Incident, operator: str, now: Clock
    ) -> None:
        if fleet.source is None:
            raise UsageError("A recovery needs a configuration file, which its jobs read too.")
        self._fleet = fleet
        self._config = fleet.source
        self._state = state
        self._book = book
        self._incident = incident
        self._operator = operator
        self._now = now
        self._turn = threading.RLock()
        self._act = threading.local()  # whether this thread is in the middle of something it began
        # Read on from the last look, not anew: a long restore's journal is long. Holds nothing of its own.
        self._looking = threading.Lock()
        self._view: tuple[str, JobView] | None = None
        database = fleet.database(incident.database)
        if database is None:
            raise UsageError(
                f"Incident {incident.id} is about {clean(incident.database)}, which this configuration "
                "does not name.",
                mend="Start pgdr with the configuration that the incident was declared with.",
            )
        self.database: Database = database

    @property
    def incident(self) -> Incident:
        """The incident as it was when it was last read or changed here."""
        return self._incident

    def look_again(self) -> Incident:
        """Reads the incident anew: another engineer may have worked on it."""
        return self._by(lambda now: now, anyone=True)

    # Who drives

    @property
    def operator(self) -> str:
        """Who is at work here."""
        return self._operator

    @property
    def drives(self) -> bool:
        """Whether who is at work here may change the incident, as far as was read last."""
        return self._incident.driving == self._operator

    def must_drive(self) -> None:
        """Raises Refused when another engineer drives the incident now."""
        self._by(lambda now: now)

    def take_over(self) -> Incident:
        """Makes who is at work here the one who drives; from then on the other can change nothing.

        Raises Refused once the incident is closed.
        """
        at = self._now()

        def taken(now: Incident) -> Incident:
            if now.closed_at is not None:
                raise Refused(f"Incident {now.id} is closed.", mend="Nothing is left to be done in it.")
            if now.driving == self._operator:
                return now
            text = f"Took over from {clean(now.driving, 80)}."
            entry = TimelineEntry(at, self._operator, "decision", text)
            timeline = (*now.timeline, entry)
            return replace(now, driver=self._operator, driver_since=at, timeline=timeline)

        return self._by(taken, anyone=True)

    def written_at(self) -> int:
        """When the incident's file was last written, as a number that grows: cheap enough to be asked every
        second. 0 when it can't be told."""
        return self._book.written_at(self._incident.id)

    @property
    def drill(self) -> bool:
        """Whether this is a drill: nothing live is touched, nobody is told, nothing is paused."""
        return self._incident.drill

    @property
    def recovering(self) -> Database:
        """The database as it is reached where it is restored: on the configured server, or on the fresh one
        whose address was given."""
        return database_at(self.database, self._incident.address)

    def restore_picture(self) -> Progress | None:
        """The restore's job as it stands, or None before it was started, and where nothing is left of it."""
        job = self._incident.job
        if job is None:
            return None
        with self._looking:
            if self._view is None or self._view[0] != job:
                try:
                    self._view = (job, view(self._state, job))
                except UsageError:
                    return None  # its directory was removed: it can be restored again
            return self._view[1].picture(self._now())

    def _restored(self) -> tuple[str, str]:
        incident = self.look_again()
        if incident.target is None or incident.ref is None or incident.verdict in (None, Verdict.FAILED):
            raise Refused("There is no restored database yet.", mend="Finish step 4, restore, first.")
        return incident.target, incident.ref

    def _refuse_while_restoring(self) -> None:
        self.look_again()
        picture = self.restore_picture()
        if picture and picture.state is JobState.RUNNING:
            raise Refused(f"Job {picture.job} is still restoring.", mend="Wait for it, or stop it first.")

    def _begin(self, step: Step) -> None:
        def begun(now: Incident) -> Incident:
            record = now.record(step)
            if record.began_at is not None:
                return now
            return with_records(now, replace(record, status=StepStatus.ACTIVE, began_at=self._now()))

        self._by(begun)

    def _end(
        self, step: Step, note: str, status: StepStatus = StepStatus.DONE, **changes: object
    ) -> Incident:
        at = self._now()
        return self._by(lambda now: replace(ended(now, step, at, note, status), **changes))  # type: ignore[arg-type]

    def _note(self, kind: str, text: str) -> None:
        entries = self._entries([(kind, text)])
        self._by(lambda now: replace(now, timeline=(*now.timeline, *entries)))

    def _entries(self, told: Iterable[tuple[str, str]]) -> tuple[TimelineEntry, ...]:
        at = self._now()
        return tuple(TimelineEntry(at, self._operator, kind, text) for kind, text in told)

    def _change(self, **changes: object) -> Incident:
        return self._by(lambda now: replace(now, **changes))  # type: ignore[arg-type]

    def _by(self, how: Callable[[Incident], Incident], *, anyone: bool = False) -> Incident:
        """Changes the incident on disk. Raises Refused, and changes nothing, when another engineer drives it;
        not for what `anyone` may do, nor for what was begun before (see acting)."""
        free = anyone or getattr(self._act, "begun", False)

        def allowed(now: Incident) -> Incident:
            if not free and now.driving != self._operator:
                when = now.driver_since
                since = f" since {rfc3339(when.replace(microsecond=0))}" if when else ""
                raise Refused(
                    f"{clean(now.driving, 80)} drives incident {now.id}{since}.",
                    "Only one engineer drives: nothing was changed.",
                    "Watch it, or take it over.",
                )
            return how(now)

        with self._turn:
            self._incident = self._book.change(self._incident.id, allowed)
            return self._incident


def with_records(incident: Incident, *records: StepRecord) -> Incident:
    """The incident with other records of some steps."""
    new = {record.step: record for record in records}
    return replace(incident, steps=tuple(new.get(old.step, old) for old in incident.steps))


def ended(incident: Incident, step: Step, at: datetime, note: str, status: StepStatus) -> Incident:
    """The incident with one step at its end."""
    old = incident.record(step)
    return with_records(
        incident, replace(old, status=status, began_at=old.began_at or at, ended_at=at, note=note)
    )
