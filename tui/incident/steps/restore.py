"""Step 4, restore: a job, planned, ordered, watched, stopped and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tui.incident.clocks import data_lost, targets
from tui.incident.drill import purpose, with_target
from tui.incident.scenarios import NOTHING, Scope, known
from tui.incident.steps.server import FreshServer, where
from tui.incident.work import acting, ended, with_records
from tui.jobs.job import JobSpec, new_id, write_spec
from tui.jobs.resume import forget, resuming
from tui.jobs.start import start_job
from tui.jobs.watch import ask_cancel
from tui.model.amounts import duration
from tui.model.backup import Verdict
from tui.model.errors import PgdrError, Refused
from tui.model.event import JobKind, JobState
from tui.model.incident import Incident, Step, StepRecord, StepStatus
from tui.model.plan import Finding, Level, RestorePlan
from tui.model.text import clean
from tui.operations.pause.paused import paused
from tui.operations.plan.plan import plan_restore
from tui.postgres.databases.databases import fresh_name


class RestoreStep(FreshServer):
    """Step 4, restore: a job, planned, ordered, watched, stopped and gone on with."""

    @property
    def restores_nothing(self) -> bool:
        """Whether the scenario has nothing to restore: the server itself comes back."""
        scenario = self._incident.scenario
        return scenario is not None and known(scenario).scope is Scope.NOTHING

    def plan(self) -> RestorePlan:
        """The restore, before anything happens. The fresh database's name is settled here, once.

        What is restored and where to is the scenario's: all of it or only the tables concerned, beside the
        live database or on a fresh server. Raises Refused while that isn't known.
        """
        self._begin(Step.RESTORE)
        incident = self._incident
        if self.restores_nothing:
            raise Refused(NOTHING, mend="If it doesn't come back, decide for another scenario at step 1.")
        if incident.ref is None:
            raise Refused("No backup has been picked.", mend="Go back to step 2, pick.")
        if self.wants_address:
            raise Refused("The fresh server's address has not been given.", mend="Type it: a, on step 4.")
        tables = self._tables_to_restore()
        fresh = fresh_name(self.database.dbname, purpose(self.incident), self._now())
        target = self._by(lambda now: with_target(now, fresh)).target or fresh
        plan = plan_restore(
            self._fleet,
            self._state,
            self.recovering,
            incident.ref,
            target=target,
            tables=tables,
            now=self._now(),
        )
        # Counted as everywhere in the recovery, not up to now: since the damage nothing more can be lost.
        lost = data_lost(incident)
        age = plan.age if lost is None else lost
        return replace(plan, age=age, findings=(*self._about_scenario(plan, tables), *plan.findings))

    def _tables_to_restore(self) -> tuple[str, ...]:
        scenario = self._incident.scenario
        if scenario is None or known(scenario).scope is not Scope.TABLES:
            return ()
        if not self._incident.tables:
            raise Refused(
                "The tables that are concerned have not been named.",
                mend="Name them at step 1 (key 1), where the scenario is decided on.",
            )
        return self._incident.tables

    def _about_scenario(self, plan: RestorePlan, tables: tuple[str, ...]) -> list[Finding]:
        found = []
        address = self._incident.address
        if address is not None:
            system = f", system {plan.system_identifier}" if plan.system_identifier else ""
            there, usual = clean(where(address, self.database)), clean(where(None, self.database))
            what = f"It is restored onto {there} (PostgreSQL {clean(plan.server_version)}{system}), "
            what += "where the lost one was." if there == usual else f"not onto the configured {usual}."
            found.append(Finding(Level.OK, "server", what))
        if tables:
            named = ", ".join(clean(t, 60) for t in tables[:6]) + (", …" if len(tables) > 6 else "")
            what = f"Only {named}: restored beside the live database, compared with it, and merged into it."
            found.append(Finding(Level.OK, "tables", what))
        if plan.live_bytes is not None and self._writes_go_on():
            what = "Nothing keeps writes out of the live database: what is written from now on must be "
            what += "merged, or is lost at the cutover."
            found.append(Finding(Level.WARNING, "writes", what, "Freeze it, or pause its services."))
        return found

    def _writes_go_on(self) -> bool:
        """Whether the scenario wants writes to be stopped, and they are not."""
        incident, scenario = self._incident, self._incident.scenario
        if scenario is None or not known(scenario).freeze or incident.drill or incident.address is not None:
            return False
        held = paused(self._state)
        names = {record.service for record in held.services}
        stopped = bool(self.database.services) and names.issuperset(self.database.services)
        return not stopped and not any(d.database == self.database.name for d in held.databases)

    @acting
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
            rto_s=targets(self._fleet, seen, self.database)[0].total_seconds(),
            tables=plan.tables,
            address=seen.address,
        )
        told = [("confirmation", f"Restore into {clean(plan.target)} confirmed.")]
        told += [("command", command) for command in plan.commands]

        def ordered(now: Incident) -> Incident:
            is_now = (now.job, now.ref, now.target, now.closed_at, now.address)
            if is_now != (seen.job, plan.ref, plan.target, None, seen.address):
                raise Refused(
                    "Another engineer has changed this incident since the plan was made.",
                    mend="Nothing was started. Look at the incident again, and plan anew.",
                )
            timeline = (*now.timeline, *self._entries(told))
            return replace(
                now,
                job=spec.id,
                restored_tables=plan.tables,
                differences=(),
                compared_at=None,
                timeline=timeline,
            )

        return self._start(spec, ordered, None)

    @acting
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
            now = replace(with_records(now, record), timeline=(*now.timeline, *told))
            return replace(now, job=spec.id, target=spec.target, verdict=None)

        return self._start(spec, ordered, job)

    def _start(self, spec: JobSpec, ordered: Callable[[Incident], Incident], before: str | None) -> str:
        # The order, then the incident that names it, then the job: killed in between, the incident names a
        # job that is seen to be lost, and can be started again; no restore runs that nobody knows of.
        files = write_spec(self._state, spec)
        try:
            self._by(ordered)
        except PgdrError:
            files.spec.unlink(missing_ok=True)
            raise
        try:
            start_job(self._state, spec)
        except PgdrError:
            self._change(job=before)
            raise
        self._note("fact", f"Job {spec.id} started.")
        return spec.id

    @acting
    def cancel_restore(self, keep: bool) -> None:
        """Asks the job to stop; its unfinished database is kept or dropped."""
        job = self.look_again().job
        if job is None:
            raise Refused("No restore has been started.")
        ask_cancel(self._state, job, self._operator, keep)
        self._note("decision", f"The restore was told to stop, its database {'kept' if keep else 'dropped'}.")

    def finish_restore(self) -> Incident:
        """Writes down how the job ended; does nothing while it runs, when that was done already, or when
        another engineer drives: then it is theirs to do."""
        if not self.drives:
            return self.look_again()
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
                return ended(now, Step.RESTORE, at, note, StepStatus.DONE)
            return replace(ended(now, Step.RESTORE, at, note, StepStatus.FAILED), target=None)

        return self._by(finished)

    @acting
    def restore_again(self) -> Incident:
        """After a failed, cancelled or lost restore: forgets it, so that a new one can be planned."""
        self._refuse_while_restoring()
        if self._incident.job is not None:
            forget(self._state, self._incident.job)
        self._note("decision", "Restore again.")
        again = StepRecord(Step.RESTORE)
        gone = {"job": None, "target": None, "verdict": None, "restored_tables": (), "differences": ()}
        return self._by(lambda now: replace(with_records(now, again), compared_at=None, **gone))  # type: ignore[arg-type]
