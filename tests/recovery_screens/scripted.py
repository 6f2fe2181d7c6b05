"""A guide that answers from a script: for what a real server can't be brought to say in a test's time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import cast

from textual.app import App

from tests.recovery_screens.answers import (
    CANDIDATES,
    CHECKS,
    COUNTS,
    DATABASE,
    DECLARED,
    DIFFERENCES,
    FINDINGS,
    FLEET,
    PLAN,
    PROBLEM,
    SWAP_PLAN,
)
from tests.recovery_screens.pictures import DONE, HALFWAY, NOW
from tui.incident.candidates import Candidate
from tui.incident.guide import Guide
from tui.incident.scenarios import Scope, known
from tui.incident.steps.server import NotFresh
from tui.model.backup import StoreProblem, Verdict
from tui.model.channels import ChannelSpec
from tui.model.difference import MergedTable
from tui.model.elsewhere import address_in, database_at
from tui.model.errors import PgdrError
from tui.model.facts import DatabaseFacts, Status
from tui.model.fleet import Database, Fleet
from tui.model.incident import (
    HandOver,
    Incident,
    Merge,
    Proposal,
    Sent,
    Step,
    StepRecord,
    StepStatus,
    Swap,
)
from tui.model.paused import Paused
from tui.model.plan import Finding, RestorePlan
from tui.model.progress import Progress
from tui.model.scenario import Scenario
from tui.model.verdict import Check
from tui.model.wording import Occasion
from tui.notify.message import Message
from tui.notify.send import shown
from tui.operations.restore.tables import MergePlan, PlannedTable
from tui.operations.swap.hand_over import ConnectionAddress, address_of
from tui.operations.swap.swap import SwapPlan
from tui.postgres.merge.merge import MergeOptions
from tui.screens.recovery.desk import Desk
from tui.screens.recovery.screen import RecoveryScreen
from tui.widgets.header import Bearings


class ScriptedGuide:
    """Answers as `Guide` does, from the values above; `failing` names the calls that fail."""

    def __init__(self, incident: Incident, checks: tuple[Check, ...] = CHECKS, failing: str = "") -> None:
        self.incident = incident
        self.database = DATABASE
        self.checks = checks
        self.failing = failing
        self.picture: Progress = HALFWAY
        self.cancelled: bool | None = None
        self.roles: tuple[str, ...] = ()
        self.report_path = Path("/var/lib/pgdr/incidents/7.md")
        self.calls: list[str] = []
        self.proposal: Proposal | None = None
        self.watched = Status.DOWN  # what a look at the server finds while a restart is waited for

    operator = "anna"

    @property
    def drives(self) -> bool:
        return self.incident.driving == self.operator

    @property
    def drill(self) -> bool:
        return self.incident.drill

    def written_at(self) -> int:
        return 0

    def look_again(self) -> Incident:
        return self.incident

    def take_over(self) -> Incident:
        self._called("take_over")
        self.incident = replace(self.incident, driver=self.operator, driver_since=NOW)
        return self.incident

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.failing == name:
            raise PgdrError(f"The {name} failed.", "Nothing answers at 127.0.0.1:5433.", "Start the server.")

    def _set(self, step: Step, status: StepStatus, note: str = "", **changes: object) -> Incident:
        record = StepRecord(step, status, NOW - timedelta(minutes=2), NOW, note)
        steps = tuple(record if r.step is step else r for r in self.incident.steps)
        self.incident = replace(self.incident, steps=steps, **changes)  # type: ignore[arg-type]
        return self.incident

    def assess(self, on_finding: Callable[[Finding], None]) -> Incident:
        self._called("assess")
        for finding in FINDINGS:
            on_finding(finding)
        return self._set(
            Step.ASSESS, StepStatus.DONE, findings=FINDINGS, counts=COUNTS, proposal=self.proposal
        )

    def decide(
        self,
        scenario: Scenario,
        why: str,
        damaged_at: datetime | None = None,
        damaged_how: str = "",
        tables: Sequence[str] = (),
    ) -> Incident:
        self._called("decide")
        self.incident = replace(
            self.incident,
            scenario=scenario,
            scenario_why=why,
            damaged_at=damaged_at,
            damaged_how=damaged_how,
            tables=tuple(tables) if known(scenario).scope is Scope.TABLES else (),
            waiting_since=NOW if scenario is Scenario.RESTART else None,
        )
        return self.incident

    @property
    def waits_until(self) -> datetime | None:
        since = self.incident.waiting_since
        return since + timedelta(minutes=10) if since else None

    def watch(self, on_look: Callable[[DatabaseFacts], None], stop: Callable[[], bool]) -> None:
        self._called("watch")
        on_look(DatabaseFacts("crypto_exchange", self.watched, NOW, why="Connection refused."))
        while self.watched is not Status.UP and not stop():
            time.sleep(0.02)
        if self.watched is Status.UP:
            self.incident = replace(self.incident, returned_at=NOW)

    def look_inside(self, candidate: Candidate) -> Candidate:
        self._called("look_inside")
        return candidate

    def candidates(self) -> tuple[tuple[Candidate, ...], tuple[StoreProblem, ...]]:
        self._called("candidates")
        return CANDIDATES, (PROBLEM,)

    def pick(self, candidate: Candidate, reason: str = "") -> Incident:
        self._called("pick")
        assert candidate.usable or reason
        backup = candidate.backup
        return self._set(Step.PICK, StepStatus.DONE, ref=backup.ref, backup_at=backup.created_at)

    def occasion(self) -> Occasion:
        return Occasion.PROGRESS if self.incident.sent else Occasion.DECLARED

    def message(self, occasion: Occasion | None = None) -> Message:
        self._called("message")
        occasion = occasion or self.occasion()
        return Message(
            f"DR {'INITIATED' if occasion is Occasion.DECLARED else occasion.name}: KrystalineX",
            "Recovery of crypto_exchange in progress.\nETA: 18m. Last backup: 2026-11-21 01:02 UTC.",
            id=f"7-{occasion.value}-{len(self.incident.sent)}",
        )

    def previews(self, message: Message) -> tuple[tuple[ChannelSpec, str], ...]:
        return tuple((channel, shown(channel, message)) for channel in FLEET.channels)

    def notify(
        self,
        message: Message,
        on_sent: Callable[[Sent], None] = lambda sent: None,
        occasion: Occasion | None = None,
        only: Collection[str] | None = None,
    ) -> tuple[Sent, ...]:
        self._called("notify")
        sent = tuple(
            Sent(NOW, name, message.title, why, message.id)
            for name, why in (("on-call", None), ("status", None if only else "No answer in 10 s."))
            if only is None or name in only
        )
        before = self.incident.sent
        self._set(Step.NOTIFY, StepStatus.DONE, "1 of 2 channels told", sent=(*before, *sent))
        for one in sent:
            on_sent(one)
        return sent

    def set_updates(self, wanted: bool) -> Incident:
        self._called("set_updates")
        self.incident = replace(self.incident, updates=wanted)
        return self.incident

    def take_told(self) -> Incident:
        return self.incident

    def skip(self, step: Step, reason: str) -> Incident:
        self._called("skip")
        return self._set(step, StepStatus.SKIPPED, reason)

    def plan(self) -> RestorePlan:
        self._called("plan")
        self._set(Step.RESTORE, StepStatus.ACTIVE, target=PLAN.target)
        return replace(PLAN, roles=self.roles)

    def start_restore(self, confirmation: str, plan: RestorePlan) -> str:
        self._called("start_restore")
        self._set(Step.RESTORE, StepStatus.ACTIVE, job=HALFWAY.job)
        return HALFWAY.job

    def restore_picture(self) -> Progress | None:
        return self.picture if self.incident.job else None

    def finish_restore(self) -> Incident:
        good = self.picture.verdict is not Verdict.FAILED
        status = StepStatus.DONE if good else StepStatus.FAILED
        return self._set(Step.RESTORE, status, verdict=self.picture.verdict)

    def cancel_restore(self, keep: bool) -> None:
        self.cancelled = keep

    def resume_restore(self) -> str:
        self._called("resume_restore")
        self.picture = HALFWAY
        self._set(Step.RESTORE, StepStatus.ACTIVE, job=HALFWAY.job, verdict=None)
        return HALFWAY.job

    def restore_again(self) -> Incident:
        self._called("restore_again")
        return self._set(Step.RESTORE, StepStatus.PENDING, job=None, target=None, verdict=None)

    def verify(self, on_check: Callable[[Check], None]) -> Incident:
        self._called("verify")
        for check in self.checks:
            on_check(check)
        failed = any(check.passed is False for check in self.checks)
        return self._set(Step.VERIFY, StepStatus.FAILED if failed else StepStatus.DONE, checks=self.checks)

    def swap_plan(self) -> SwapPlan:
        self._called("swap_plan")
        return SWAP_PLAN

    def swap(self, confirmation: str) -> Incident:
        self._called("swap")
        plan = SWAP_PLAN
        done = Swap("crypto_exchange", plan.live_name, plan.restored_name, plan.becomes, NOW, 0.002, "anna")
        return self._set(Step.RESUME, StepStatus.ACTIVE, swap=done)

    def undo(self, confirmation: str) -> Incident:
        self._called("undo")
        assert self.incident.swap is not None
        return self._set(Step.RESUME, StepStatus.ACTIVE, swap=replace(self.incident.swap, undone_at=NOW))

    def paused(self) -> Paused:
        return Paused()

    # How it can end, as the guide reads it from the incident

    ways = Guide.ways
    merged = Guide.merged
    in_use = Guide.in_use
    restores_nothing = Guide.restores_nothing
    server_lost = Guide.server_lost
    wants_address = Guide.wants_address

    @property
    def swapped(self) -> bool:
        return self.incident.swap is not None and self.incident.swap.undone_at is None

    @property
    def _incident(self) -> Incident:
        return self.incident

    @property
    def recovering(self) -> Database:
        return database_at(self.database, self.incident.address)

    def compare(self) -> Incident:
        self._called("compare")
        self.incident = replace(self.incident, differences=DIFFERENCES, compared_at=NOW)
        return self.incident

    def merge_plan(self) -> MergePlan:
        self._called("merge_plan")
        planned = tuple(
            PlannedTable(d, d.live_rows or 0, (d.live_rows or 0) + (d.missing or 0), ("tell",))
            for d in self.incident.differences
            if d.missing
        )
        live = "crypto_exchange"
        return MergePlan("127.0.0.1", 5433, "16.4", live, PLAN.target, planned, ())

    def merge(self, confirmation: str, plan: MergePlan, how: MergeOptions) -> Incident:
        self._called("merge")
        done = tuple(
            MergedTable(*t.difference.table, t.before, t.after, t.after - t.before,
                        (t.difference.changed or 0) if how.update_changed else 0, 0)
            for t in plan.tables
        )  # fmt: skip
        made = Merge(plan.live, plan.restored, "pgdr_undo_1", done, how.triggers, NOW, "anna")
        at = NOW + timedelta(days=7)
        return self._set(Step.RESUME, StepStatus.ACTIVE, merge=made, remove_at=at)

    def undo_merge(self, confirmation: str) -> Incident:
        self._called("undo_merge")
        assert self.incident.merge is not None
        undone = replace(self.incident.merge, undone_at=NOW, left=2)
        return self._set(Step.RESUME, StepStatus.ACTIVE, merge=undone, compared_at=None, differences=())

    def new_address(self) -> ConnectionAddress:
        self._called("new_address")
        name = self.database.dbname if self.swapped else PLAN.target
        return address_of(replace(self.recovering, app_role="exchange"), name)

    def address_command(self) -> str | None:
        return "./set-database-url.sh 10.0.0.7"

    def hand_over(self, confirmation: str, *, run: bool) -> Incident:
        self._called("hand_over")
        by = self.address_command() if run else None
        handed = HandOver(self.new_address().url, NOW, "anna", by)
        return self._set(Step.RESUME, StepStatus.ACTIVE, handed=handed)

    def ask_live(self) -> tuple[Check, ...]:
        self._called("ask_live")
        self.incident = replace(self.incident, live_checks=CHECKS[12:])
        return CHECKS[12:]

    def set_address(self, typed: str, *, although_old: bool = False) -> Incident:
        self._called("set_address")
        if typed.startswith("old") and not although_old:
            raise NotFresh("old:5432 is not a fresh server.", "It is the one the backup was taken of.")
        self.incident = replace(self.incident, address=address_in(typed))
        return self.incident

    def make_roles(self, confirmation: str, statements: tuple[str, ...]) -> Incident:
        self._called("make_roles")
        self.roles = ()
        return self.incident

    def ask_health(self) -> str | None:
        self._called("ask_health")
        self.incident = replace(self.incident, health='healthy: 200 {"status":"ok"}')
        return self.incident.health

    def close(self, outcome: str) -> Incident:
        self._called("close")
        return self._set(Step.RESUME, StepStatus.DONE, closed_at=NOW, outcome=outcome)


def incident_at(step: Step, **changes: object) -> Incident:
    """Given a step, returns an incident at which all before it are done as the script has it."""
    guide = ScriptedGuide(Incident("7", "crypto_exchange", "anna", DECLARED))
    guide.checks = CHECKS[:12]
    before = list(Step)[: list(Step).index(step)]
    if Step.ASSESS in before:
        guide.assess(lambda _: None)
    if Step.PICK in before:
        guide.pick(CANDIDATES[0])
    if Step.NOTIFY in before:
        guide.notify(guide.message())
    if Step.RESTORE in before:
        guide.start_restore("crypto_exchange", PLAN)
        guide.picture = DONE
        guide.finish_restore()
        guide.incident = replace(guide.incident, target=PLAN.target)
    if Step.VERIFY in before:
        guide.verify(lambda _: None)
    return replace(guide.incident, **changes)  # type: ignore[arg-type]


def copied(name: str, text: str) -> str:
    """Stands for the app's copying."""
    return f"{name}: {text.strip()}"


class RecoveryApp(App[None]):
    """An app around one recovery."""

    def __init__(self, guide: Guide | ScriptedGuide, fleet: Fleet = FLEET, read_only: bool = False) -> None:
        super().__init__()
        self.desk = Desk(cast(Guide, guide), fleet, Bearings(fleet.name, read_only, lambda: NOW), copied)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"foreground-muted": "#808080", "rule": "#505050"}

    def on_mount(self) -> None:
        self.push_screen(RecoveryScreen(self.desk))


def utc(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[misc,arg-type]
