"""The guided recovery: six steps that a screen, a script or a test can drive.

Each method does one thing, writes the incident down, and returns it as it is now. All of them block
and may be called from any thread; nothing is kept here that isn't in the incident on disk. Two engineers may
work on one incident: a change is made to what is on disk at that moment, never to what was read before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from tui.incident import report
from tui.incident.assess import Assessment, assess
from tui.incident.book import Book
from tui.incident.candidates import Candidate, candidates
from tui.jobs.job import JobSpec, new_id
from tui.jobs.resume import forget, resuming
from tui.jobs.start import start_job
from tui.jobs.watch import JobView, ask_cancel, view
from tui.model.amounts import duration
from tui.model.backup import StoreProblem, Verdict
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.event import JobKind, JobState
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Sent, Step, StepRecord, StepStatus, TimelineEntry
from tui.model.plan import Finding, RestorePlan
from tui.model.progress import Progress
from tui.model.text import clean, rfc3339
from tui.model.verdict import Check
from tui.notify.message import Message
from tui.notify.send import send_all
from tui.notify.templates import declared
from tui.operations.plan import plan_restore
from tui.operations.report import Clock
from tui.operations.swap import SwapPlan, plan_swap, swap_in, undo
from tui.operations.verify import check_restored
from tui.postgres.databases import fresh_name
from tui.services.health import ask


class Guide:
    """One incident being worked on by `operator`."""

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

    # assess ---------------------------------------------------------------------------------------

    def assess(self, on_finding: Callable[[Finding], None]) -> Incident:
        """Looks at what is reachable, what is missing and what changed; each finding as it is made."""
        self._begin(Step.ASSESS)
        found: Assessment = assess(self._fleet, self.database, on_finding, self._now)
        for finding in found.findings:
            self._note("fact", finding.what)
        worst = found.findings[0].what if found.findings else "Nothing was found to be wrong."
        return self._end(Step.ASSESS, worst, findings=found.findings, counts=found.counts)

    # pick -----------------------------------------------------------------------------------------

    def candidates(self) -> tuple[tuple[Candidate, ...], tuple[StoreProblem, ...]]:
        """The backups that could be used, newest first, and the stores that couldn't be read."""
        self._begin(Step.PICK)
        return candidates(self._fleet, self._state, self.database, self._now())

    def pick(self, candidate: Candidate) -> Incident:
        """Decides for a backup. What was planned, restored or checked with another one is left behind:
        its database stays on the server, the steps begin anew.

        Raises Refused while a restore runs: cancel it, or let it finish, first.
        """
        self._refuse_while_restoring()
        self._by(lambda now: _with(now, StepRecord(Step.RESTORE), StepRecord(Step.VERIFY)))
        backup = candidate.backup
        taken = rfc3339(backup.sort_time)
        self._note("decision", f"Backup {clean(backup.ref)} of {taken} is used.")
        return self._end(
            Step.PICK,
            f"{clean(backup.ref)}, taken {taken}",
            ref=backup.ref,
            backup_at=backup.sort_time,
            expected_s=candidate.estimate.high.total_seconds(),
            target=None,
            job=None,
            verdict=None,
            checks=(),
        )

    # notify ---------------------------------------------------------------------------------------

    def message(self) -> Message:
        """What the stakeholders would be told now; a person may change it before it is sent."""
        self._begin(Step.NOTIFY)
        expected = self._incident.expected_s
        return declared(
            fleet=self._fleet.name,
            database=self.database.name,
            operator=self._operator,
            eta=self.database.rto if expected is None else timedelta(seconds=expected),
            last_backup=self._incident.backup_at,
        )

    def notify(self, message: Message) -> tuple[Sent, ...]:
        """Sends the message to every channel and returns what became of each. A failure is told, it
        doesn't block: the step is done in any case."""
        outcomes = send_all(self._fleet.channels, message, self._now)
        for sent in outcomes:
            text = f"Message '{clean(sent.title)}' to {clean(sent.channel)}: "
            self._note("message", text + (f"failed, {clean(sent.error)}" if sent.error else "taken"))
        failed = [s for s in outcomes if s.error]
        note = f"{len(outcomes) - len(failed)} of {len(outcomes)} channels told"
        self._by(lambda now: replace(now, sent=(*now.sent, *outcomes)))
        self._end(Step.NOTIFY, note)
        return outcomes

    # restore --------------------------------------------------------------------------------------

    def plan(self) -> RestorePlan:
        """The restore, before anything happens. The fresh database's name is settled here, once."""
        self._begin(Step.RESTORE)
        ref = self._incident.ref
        if ref is None:
            raise Refused("No backup has been picked.", mend="Go back to step 2, pick.")
        fresh = fresh_name(self.database.dbname, "restore", self._now())
        target = self._by(lambda now: now if now.target else replace(now, target=fresh)).target or fresh
        return plan_restore(self._fleet, self._state, self.database, ref, target=target, now=self._now())

    def start_restore(self, confirmation: str, plan: RestorePlan) -> str:
        """Starts the job and returns its id. `confirmation` must be the database's name, typed.

        Raises Refused when it isn't, when the plan has a stop, or while another job of this incident runs.
        """
        if confirmation != self.database.dbname:
            raise Refused("The name that was typed is not the database's.", mend="Nothing was started.")
        if plan.stops:
            raise Refused(plan.stops[0].what, mend=plan.stops[0].mend)
        self._refuse_while_restoring()
        seen = self._incident
        spec = JobSpec(
            id=new_id(JobKind.RESTORE, self._now()),
            kind=JobKind.RESTORE,
            config=self._config.resolve(),
            database=self.database.name,
            operator=self._operator,
            ref=plan.ref,
            target=plan.target,
            workers=plan.jobs,
            rto_s=self.database.rto.total_seconds(),
        )
        told = [("confirmation", f"Restore into {clean(plan.target)} confirmed.")]
        told += [("command", command) for command in plan.commands]

        def ordered(now: Incident) -> Incident:
            if (now.job, now.ref, now.target, now.closed_at) != (seen.job, plan.ref, plan.target, None):
                raise Refused(
                    "Another engineer has changed this incident since the plan was made.",
                    mend="Nothing was started. Look at the incident again, and plan anew.",
                )
            return replace(now, job=spec.id, timeline=(*now.timeline, *self._entries(told)))

        return self._start(spec, ordered, None)

    def resume_restore(self) -> str:
        """After a failed, cancelled or lost restore: starts a job that goes on with it, returns its id.

        Raises Refused when there is nothing to go on with.
        """
        job = self._incident.job
        if job is None:
            raise Refused("No restore has been started.")
        spec = resuming(self._state, job, self._operator, self._now())

        def ordered(now: Incident) -> Incident:
            if (now.job, now.ref, now.closed_at) != (job, spec.ref, None):
                raise Refused(
                    "Another engineer has changed this incident.",
                    mend="Nothing was started. Look at the incident again.",
                )
            record = replace(now.record(Step.RESTORE), status=StepStatus.ACTIVE, ended_at=None, note="")
            told = self._entries([("decision", f"Go on with {job}, from what it has done.")])
            now = replace(_with(now, record), timeline=(*now.timeline, *told))
            return replace(now, job=spec.id, target=spec.target, verdict=None)

        return self._start(spec, ordered, job)

    def _start(self, spec: JobSpec, ordered: Callable[[Incident], Incident], before: str | None) -> str:
        # Written down before it is started: whatever happens in between, no restore runs that nobody knows of
        self._by(ordered)
        try:
            start_job(self._state, spec)
        except PgdrError:
            self._change(job=before)
            raise
        self._note("fact", f"Job {spec.id} started.")
        return spec.id

    def restore_picture(self) -> Progress | None:
        """The restore's job as it stands, or None before it was started."""
        job = self._incident.job
        if job is None:
            return None
        with self._looking:
            if self._view is None or self._view[0] != job:
                self._view = (job, view(self._state, job))
            return self._view[1].picture(self._now())

    def cancel_restore(self, keep: bool) -> None:
        """Asks the job to stop; its unfinished database is kept or dropped."""
        job = self.look_again().job
        if job is None:
            raise Refused("No restore has been started.")
        ask_cancel(self._state, job, self._operator, keep)
        self._note("decision", f"The restore was told to stop, its database {'kept' if keep else 'dropped'}.")

    def finish_restore(self) -> Incident:
        """Writes down how the job ended; does nothing while it runs or when that was done already."""
        picture = self.restore_picture()
        if picture is None or picture.state is JobState.RUNNING:
            return self._incident
        told = [
            (
                "fact" if e.harmless else "error",
                f"{e.entry or 'pg_restore'}: {clean(e.message, 300)} {e.meaning}",
            )
            for e in picture.errors
        ]
        word = picture.verdict.value if picture.verdict else picture.state.value
        good = picture.state is JobState.DONE and picture.verdict is not Verdict.FAILED
        why = clean(picture.message or "", 300)
        told.append(
            ("fact", f"The restore ended {word}.") if good else ("error", f"The restore ended {word}. {why}")
        )
        note = f"{word} in {duration(picture.duration_s)}" if good else f"{word}: {why}"
        entries, at = self._entries(told), self._now()

        def finished(now: Incident) -> Incident:
            over = now.record(Step.RESTORE).status in (StepStatus.DONE, StepStatus.FAILED)
            if over or now.job != picture.job:
                return now  # another engineer's app has written it down
            now = replace(now, verdict=picture.verdict, timeline=(*now.timeline, *entries))
            if good:
                return _ended(now, Step.RESTORE, at, note, StepStatus.DONE)
            return replace(_ended(now, Step.RESTORE, at, note, StepStatus.FAILED), target=None)

        return self._by(finished)

    def restore_again(self) -> Incident:
        """After a failed, cancelled or lost restore: forgets it, so that a new one can be planned."""
        self._refuse_while_restoring()
        if self._incident.job is not None:
            forget(self._state, self._incident.job)
        self._note("decision", "Restore again.")
        again = StepRecord(Step.RESTORE)
        return self._by(lambda now: replace(_with(now, again), job=None, target=None, verdict=None))

    # verify ---------------------------------------------------------------------------------------

    def verify(self, on_check: Callable[[Check], None]) -> Incident:
        """Checks the restored database against the manifest and the fleet's own questions."""
        target, ref = self._restored()
        self._begin(Step.VERIFY)
        checks = check_restored(self._fleet, self.database, target, ref, on_check)
        failed = [c for c in checks if c.passed is False]
        for check in failed:
            self._note("error", f"{check.name}: expected {check.expected}, found {check.found}")
        note = f"{sum(c.passed is True for c in checks)} of {len(checks)} checks passed"
        self._note("fact", note)
        status = StepStatus.FAILED if failed else StepStatus.DONE
        return self._end(Step.VERIFY, note, status, checks=checks)

    # resume ---------------------------------------------------------------------------------------

    def swap_plan(self) -> SwapPlan:
        """What the swap would do: the live database, its size and sessions, the new names, obstacles."""
        target, _ = self._restored()
        self._begin(Step.RESUME)
        return plan_swap(self.database, target, self._now())

    def swap(self, confirmation: str) -> Incident:
        """Puts the restored database in the live one's place. `confirmation` must be the live one's name.

        Raises Refused when it isn't, or before the checks have passed or been gone past with a reason.
        """
        target, _ = self._restored()
        if confirmation != self.database.dbname:
            raise Refused("The name that was typed is not the live database's.", mend="Nothing was changed.")
        if self._incident.record(Step.VERIFY).status not in (StepStatus.DONE, StepStatus.SKIPPED):
            raise Refused(
                "The restored database has not passed its checks.",
                mend="Run step 5, verify; or go past it with a written reason.",
            )
        self._begin(Step.RESUME)
        self._note("confirmation", f"Swap of {clean(self.database.dbname)} confirmed.")
        swap = swap_in(self._state, self.database, target, self._operator, self._now)
        kept = f"the old one is kept as {clean(swap.kept_as)}" if swap.kept_as else "there was no old one"
        self._note("fact", f"{clean(target)} is now {clean(swap.live_name)}; {kept}.")
        return self._change(swap=swap)

    def undo(self, confirmation: str) -> Incident:
        """Takes the swap back. `confirmation` must be the live database's name."""
        if confirmation != self.database.dbname:
            raise Refused("The name that was typed is not the live database's.", mend="Nothing was changed.")
        swap = undo(self._state, self.database, self._operator, self._now)
        self._note("confirmation", f"Swap of {clean(self.database.dbname)} undone.")
        return self._change(swap=swap, target=swap.restored_name)

    def ask_health(self) -> str | None:
        """Asks the application's health address and returns what it answered; None where there is none."""
        if self.database.health_url is None:
            return None
        health = ask(self.database.health_url, timeout_s=10.0)
        answer = ("healthy: " if health.ok else "not healthy: ") + clean(health.what, 200)
        self._note("fact", f"The health address answered {answer}")
        self._change(health=answer)
        return answer

    # any step -------------------------------------------------------------------------------------

    def skip(self, step: Step, reason: str) -> Incident:
        """Goes past a step, with a reason that lands in the report. A restore can't be gone past."""
        if step is Step.RESTORE:
            raise Refused("A recovery without a restore is no recovery.", mend="Close the incident instead.")
        if not reason.strip():
            raise UsageError("Going past a step needs a reason.", mend="One sentence is enough.")
        self._note("decision", f"Went past {step.value}: {clean(reason)}")
        return self._end(step, clean(reason), StepStatus.SKIPPED)

    def close(self, outcome: str) -> Incident:
        """Ends the incident (`recovered` or `stood down`) and writes its report beside it."""
        if self.look_again().record(Step.RESUME).status is StepStatus.ACTIVE:
            self._end(Step.RESUME, outcome)
        self._note("decision", f"Incident closed: {clean(outcome)}.")
        self._change(closed_at=self._now(), outcome=outcome)
        report.write(self._book, self._state, self._incident, self._fleet)
        return self._incident

    @property
    def report_path(self) -> Path:
        """Where the report is written when the incident is closed."""
        return self._book.report_path(self._incident.id)

    # ----------------------------------------------------------------------------------------------

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
            return _with(now, replace(record, status=StepStatus.ACTIVE, began_at=self._now()))

        self._by(begun)

    def _end(
        self, step: Step, note: str, status: StepStatus = StepStatus.DONE, **changes: object
    ) -> Incident:
        at = self._now()
        return self._by(lambda now: replace(_ended(now, step, at, note, status), **changes))  # type: ignore[arg-type]

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


def _with(incident: Incident, *records: StepRecord) -> Incident:
    """The incident with other records of some steps."""
    new = {record.step: record for record in records}
    return replace(incident, steps=tuple(new.get(old.step, old) for old in incident.steps))


def _ended(incident: Incident, step: Step, at: datetime, note: str, status: StepStatus) -> Incident:
    """The incident with one step at its end."""
    old = incident.record(step)
    return _with(incident, replace(old, status=status, began_at=old.began_at or at, ended_at=at, note=note))
