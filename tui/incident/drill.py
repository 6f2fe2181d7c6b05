"""What is different in a drill: a scratch database, a cutover that is only gone through, a record of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from tui.incident.clocks import targets
from tui.incident.work import Work
from tui.model.amounts import duration, limit
from tui.model.backup import Verdict
from tui.model.errors import Refused
from tui.model.incident import Incident, Step, StepStatus
from tui.model.progress import Progress
from tui.model.scenario import Scenario
from tui.model.text import clean
from tui.operations.records import Drill, add_drill, drills
from tui.places.open import open_place
from tui.postgres.databases.databases import Purpose, drop, target_lock
from tui.postgres.databases.kept import made_from

Promised = tuple[timedelta, timedelta]  # RTO, RPO

DONE = "rehearsed"
BROKEN_OFF = "broken off"


class Rehearsal(Work):
    """What the steps do instead in a drill."""

    def _would(self, *what: str, kind: str = "fact") -> None:
        """Writes down what would have been done, were this no drill; nothing is."""
        for said in what:
            self._note(kind, f"DRILL: would {said}")

    def _gone_through(self, commands: Iterable[str]) -> Incident:
        """The cutover as far as a drill goes: what it would run is written down, and its clock stops."""
        self._would(*(f"run {command}" for command in commands), kind="command")
        at = self._now()
        took = duration(at - self.incident.declared_at)
        self._note("fact", f"DRILL: the cutover was gone through, {took} after the beginning.")
        return self._by(lambda now: now if now.rehearsed_at else replace(now, rehearsed_at=at))

    def _end_drill(self, outcome: str, keep: bool, found: str) -> None:
        """Drops the scratch databases, unless they are kept, and remembers the drill, unless it was broken
        off. Done twice it changes nothing more: it may be cut off anywhere."""
        self._refuse_while_restoring()
        if not keep:
            self._drop_scratch()
        incident = self.incident
        if outcome == BROKEN_OFF:
            return
        promised = targets(self._fleet, incident, self.database)
        problems = what_it_found(incident, self.restore_picture(), promised, self._now(), found)
        self._change(found=problems)
        if any(known.incident == incident.id and known.at >= incident.declared_at for known in self._known()):
            return
        add_drill(self._state, self.database.name, self._measured(incident, promised, problems))

    def _known(self) -> tuple[Drill, ...]:
        return drills(self._state, self.database.name)

    def _measured(self, incident: Incident, promised: Promised, problems: tuple[str, ...]) -> Drill:
        over = incident.rehearsed_at or self._now()
        lost = incident.declared_at - incident.backup_at if incident.backup_at else None
        return Drill(
            at=over,
            rto_s=(over - incident.declared_at).total_seconds(),
            rpo_s=lost.total_seconds() if lost is not None else None,
            verdict=how_it_went(incident),
            kind=kind_of(incident),
            ref=incident.ref,
            operator=self._operator,
            job=incident.job,
            found=problems,
            incident=incident.id,
            rto_target_s=promised[0].total_seconds(),
            rpo_target_s=promised[1].total_seconds(),
        )

    def _drop_scratch(self) -> None:
        for name in self.incident.scratch:
            # Never anything else: what is dropped here was made by this drill, and its name says so.
            if made_from(name, self.database.dbname)[0] != "drill":
                raise Refused(f"{clean(name)} is no scratch database of a drill; it is not dropped.")
            endpoint = open_place(self.recovering)
            with target_lock(endpoint, name):
                drop(endpoint, name, force=True, restored=True)
            self._note("fact", f"DRILL: the scratch database {clean(name)} was dropped.")
        self._change(scratch=())


def purpose(incident: Incident) -> Purpose:
    """What the database that an incident restores into is for: its name tells it (see fresh_name)."""
    return "drill" if incident.drill else "restore"


def with_target(incident: Incident, fresh: str) -> Incident:
    """The incident with the name of the database that it restores into; one that has a name keeps it."""
    if incident.target:
        return incident
    scratch = (*incident.scratch, fresh) if incident.drill else incident.scratch
    return replace(incident, target=fresh, scratch=scratch)


def kind_of(incident: Incident) -> str:
    """What was rehearsed, as records.Drill has it: single tables, the loss of all, or a recovery."""
    if incident.tables:
        return "table"
    return "full" if incident.scenario is Scenario.SITE_LOST else "recovery"


def how_it_went(incident: Incident) -> Verdict:
    """Failed when the way to the cutover wasn't gone to its end, or its checks weren't passed."""
    checked = incident.record(Step.VERIFY).status is StepStatus.DONE
    if incident.rehearsed_at is None or not checked or incident.verdict is None:
        return Verdict.FAILED
    return incident.verdict


def what_it_found(
    incident: Incident, picture: Progress | None, promised: Promised, now: datetime, said: str = ""
) -> tuple[str, ...]:
    """What a drill found to be wrong, in sentences, the engineer's own first: checks that failed, errors that
    lost something, steps gone past, objectives missed. `promised` are the RTO and the RPO."""
    found = [clean(said.strip(), 500)] if said.strip() else []
    if incident.rehearsed_at is None:
        found.append(f"The cutover was not reached; it ended at step {incident.current.value}.")
    found += [
        f"{clean(check.name, 200)}: expected {clean(check.expected, 100)}, found {clean(check.found, 200)}"
        for check in incident.checks
        if check.passed is False
    ]
    if picture is not None:
        found += [
            f"{clean(error.entry or 'pg_restore', 200)}: {error.meaning}"
            for error in picture.errors
            if not error.harmless
        ]
    found += [
        f"Step {record.step.value} was gone past: {clean(record.note, 300)}"
        for record in incident.steps
        if record.status is StepStatus.SKIPPED and record.step is not Step.NOTIFY
    ]
    took = (incident.rehearsed_at or now) - incident.declared_at
    rto, rpo = promised
    if took > rto:
        found.append(f"It took {duration(took)}; the RTO is {limit(rto)}.")
    if incident.backup_at is not None and incident.declared_at - incident.backup_at > rpo:
        lost = duration(incident.declared_at - incident.backup_at)
        found.append(f"{lost} of data would have been lost; the RPO is {limit(rpo)}.")
    return tuple(dict.fromkeys(found))
