"""What all steps of a guided recovery do: they change the incident on disk, and only there.

A change is made to what is on disk at that moment, never to what was read before: two engineers may work
on one incident. Everything here blocks and may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tui.incident.book import Book
from tui.jobs.watch import JobView, view
from tui.model.backup import Verdict
from tui.model.errors import Refused, UsageError
from tui.model.event import JobState
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepRecord, StepStatus, TimelineEntry
from tui.model.progress import Progress
from tui.model.text import clean
from tui.operations.report import Clock


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
        return self._by(lambda now: now)

    def restore_picture(self) -> Progress | None:
        """The restore's job as it stands, or None before it was started."""
        job = self._incident.job
        if job is None:
            return None
        with self._looking:
            if self._view is None or self._view[0] != job:
                self._view = (job, view(self._state, job))
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

    def _by(self, how: Callable[[Incident], Incident]) -> Incident:
        with self._turn:
            self._incident = self._book.change(self._incident.id, how)
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
