"""Step 1, assess: what is reachable, what is missing, what changed; and the decision on what happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from tui.incident.assess import Assessment, assess
from tui.incident.scenarios import NOTHING, Scope, known, targets
from tui.incident.work import Work, with_records
from tui.model.errors import Refused, UsageError
from tui.model.facts import DatabaseFacts, Status
from tui.model.incident import Incident, Proposal, Step, StepRecord, StepStatus
from tui.model.plan import Finding
from tui.model.scenario import Scenario
from tui.model.text import clean, rfc3339
from tui.operations.report import Stop, never
from tui.postgres.facts.facts import look

CONTAINER = timedelta(minutes=5)  # within which the runbook has a container back; a node takes longer
_EVERY_S = 3.0


class Waited(Enum):
    """How a wait for a restart ended."""

    BACK = "back"
    OVERDUE = "overdue"
    LEFT = "left"


class AssessStep(Work):
    """Step 1, assess: what is reachable, what is missing, what changed; and the decision on the scenario."""

    def assess(self, on_finding: Callable[[Finding], None]) -> Incident:
        """Looks at what is reachable, what is missing and what changed, within half a minute; each finding as
        it is made, from several threads. What has probably happened is in the incident's `proposal`."""
        self._begin(Step.ASSESS)
        incident = self._incident
        away_since = incident.waiting_since or min(
            incident.declared_at, incident.damaged_at or incident.declared_at
        )
        found: Assessment = assess(
            self._fleet,
            self.database,
            on_finding,
            self._now,
            state=self._state,
            waited=self._now() - away_since,
            patience=self.patience,
        )
        proposal = found.proposal
        told = [("fact", finding.what) for finding in found.findings]
        title = known(proposal.scenario).title if proposal.scenario else "Nothing is to be recovered"
        told.append(("fact", f"Proposed: {title}. {proposal.why} {proposal.how}".strip()))
        entries = self._entries(told)
        self._by(lambda now: replace(now, timeline=(*now.timeline, *entries)))
        worst = found.findings[0].what if found.findings else "Nothing was found to be wrong."
        return self._end(
            Step.ASSESS,
            worst,
            findings=found.findings,
            counts=found.counts,
            proposal=proposal,
            newest_at=found.evidence.backup_at,
        )

    def decide(
        self,
        scenario: Scenario,
        why: str,
        damaged_at: datetime | None = None,
        damaged_how: str = "",
        tables: Sequence[str] = (),
    ) -> Incident:
        """Decides what has happened, in spite of any proposal. `damaged_at` is since when, as far as known,
        and `damaged_how` how that is known; without them what the proposal knows holds. `tables`
        ("schema.table") are those to be restored where the scenario is about single tables, else those of the
        proposal.

        A backup that was picked and was taken after the damage is given up, as is what was begun with it.
        Raises UsageError on a moment to come or without tables where they are needed, Refused while a
        restore runs, once the restored database is in place, and once the incident is closed.
        """
        about, at = known(scenario), self._now()
        if damaged_at is not None and damaged_at > at:
            raise UsageError("The damage can't be of a time to come.", mend="Times are UTC here.")
        self._refuse_while_restoring()
        before = self._incident
        if before.closed_at is not None:
            raise Refused(f"Incident {before.id} is closed.")
        if before.swap is not None and before.swap.undone_at is None:
            raise Refused("The restored database is in place already.", mend="Undo that first.")
        proposal = before.proposal or Proposal(None, "")
        chosen: tuple[str, ...] = ()
        if about.scope is Scope.TABLES:
            chosen = tuple(dict.fromkeys(tables or before.tables or proposal.tables))
            if not chosen:
                raise UsageError(f"“{about.title}” needs to know which tables.", mend="Name at least one.")
        since = damaged_at or proposal.damaged_at
        how = damaged_how if damaged_at is not None else damaged_how or proposal.how
        good = proposal.good_at if since is None or (proposal.good_at or since) <= since else None
        picked_late = (
            about.before_damage
            and since is not None
            and before.backup_at is not None
            and before.backup_at >= since
        )
        told = [("decision", f"Scenario: {about.title}. {clean(why)}".strip())]
        if since is not None:
            told.append(
                (
                    "decision",
                    f"Damaged since {rfc3339(since.replace(microsecond=0))}: {clean(how) or 'as stated'}",
                )
            )
        if chosen:
            told.append(("decision", f"Tables: {', '.join(clean(table) for table in chosen)}."))
        if picked_late:
            told.append(
                ("decision", "The backup that was picked is given up: it was taken after the damage.")
            )
        entries = self._entries(told)

        def decided(now: Incident) -> Incident:
            if (now.job, now.closed_at) != (before.job, None):
                raise Refused("Another engineer has changed this incident.", mend="Look at it again.")
            if picked_late:
                now = replace(_unpicked(now), ref=None, backup_at=None, expected_s=None)
            return replace(
                _restoring(now, about.scope is not Scope.NOTHING, at),
                scenario=scenario,
                scenario_why=clean(why),
                damaged_at=since,
                damaged_how=clean(how),
                good_at=good,
                tables=chosen,
                waiting_since=at if scenario is Scenario.RESTART else None,
                returned_at=None,
                timeline=(*now.timeline, *entries),
            )

        return self._by(decided)

    # Waiting for a restart

    @property
    def patience(self) -> timedelta:
        """How long a restart is waited for."""
        return targets(self._fleet, Scenario.RESTART)[0] or timedelta(minutes=10)

    @property
    def waits_until(self) -> datetime | None:
        """When to stop waiting for a restart; None where none is waited for."""
        since = self._incident.waiting_since
        return since + self.patience if since is not None else None

    def watch(
        self,
        on_look: Callable[[DatabaseFacts], None],
        stop: Stop = never,
        *,
        every_s: float = _EVERY_S,
    ) -> Waited:
        """Looks every few seconds whether the database is back, until it is, or until it is time to stop
        waiting, or `stop` says so: leaving it loses nothing, the end is written down in the incident.
        `on_look` gets each look, in this thread.

        Raises Refused where no restart is waited for.
        """
        until = self.waits_until
        if until is None:
            raise Refused("No restart is waited for.", mend="Decide for it at step 1 first.")
        while not stop():
            facts = look(self.database, self._now())
            on_look(facts)
            if facts.status is Status.UP and not facts.in_recovery:
                self._tell_once("It is back", f"It is back: {clean(self.database.dbname)} answers again.")
                return Waited.BACK
            if self._now() >= until:
                said = "It is not back in time: waiting is over, count on its loss."
                self._tell_once("It is not back", said)
                return Waited.OVERDUE
            ends = time.monotonic() + every_s
            while not stop() and (left := ends - time.monotonic()) > 0:
                time.sleep(min(0.1, left))
        return Waited.LEFT

    def _tell_once(self, beginning: str, text: str) -> None:
        """Notes how the wait ended, once for each wait, and only from who drives."""
        if not self.drives:
            return
        since = self._incident.waiting_since
        entries = self._entries([("fact", text)])

        def told(now: Incident) -> Incident:
            if any(e.text.startswith(beginning) and since and e.at >= since for e in now.timeline):
                return now
            back = entries[0].at if beginning == "It is back" else None
            return replace(now, timeline=(*now.timeline, *entries), returned_at=back)

        self._by(told)


def _unpicked(incident: Incident) -> Incident:
    """The incident with its backup not picked, and nothing restored from it."""
    anew = (StepRecord(step) for step in (Step.PICK, Step.RESTORE, Step.VERIFY))
    return replace(with_records(incident, *anew), target=None, job=None, verdict=None, checks=())


def _restoring(incident: Incident, wanted: bool, at: datetime) -> Incident:
    """The incident with picking and restoring gone past where nothing is to be restored, and to be done again
    where something is after all."""
    changed = []
    for step in (Step.PICK, Step.RESTORE):
        record = incident.record(step)
        if not wanted and record.status is not StepStatus.DONE:
            changed.append(StepRecord(step, StepStatus.SKIPPED, record.began_at, at, NOTHING))
        elif wanted and record.status is StepStatus.SKIPPED and record.note == NOTHING:
            changed.append(StepRecord(step))
    return with_records(incident, *changed)
