"""Step 1, assess: what is reachable, what is missing, what changed; and the decision on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from tui.incident.scenarios import Scope, known
from tui.model.incident import Incident, Step, StepStatus
from tui.model.plan import Finding
from tui.model.scenario import Scenario
from tui.screens.recovery.moment import MomentScreen
from tui.screens.recovery.pane import StepPane
from tui.screens.recovery.scenario import ScenarioScreen
from tui.screens.recovery.watching import Watching
from tui.screens.recovery.which_tables import WhichTablesScreen
from tui.widgets.finding_lines import count_lines, finding_lines
from tui.widgets.keys import bound
from tui.widgets.lines import BLANK, FAINT, STRONG, line
from tui.widgets.scenario_lines import (
    advice_lines,
    between,
    proposal_lines,
    scenario_lines,
    waiting_lines,
)
from tui.widgets.text_lines import TextLines


class AssessPane(StepPane):
    """Shows what is proposed or was decided, then findings worst first as they arrive, then the tables'
    counts against the last backup. A restart that is waited for is watched from here, and may be left."""

    step = Step.ASSESS
    BINDINGS: ClassVar[list[BindingType]] = bound("assess")

    _arrived: list[Finding] | None = None
    _watching: Watching | None = None
    _glance: Timer | None = None

    def compose(self) -> ComposeResult:
        """Makes the pane."""
        with Horizontal(id="assess-both"):
            yield TextLines(id="assess-lines")
            yield TextLines(id="assess-counts")

    def opened(self) -> None:
        """Looks by itself the first time, and when a look was cut off: it only reads. Watches where a
        restart is waited for."""
        self.query_one("#assess-lines").focus()
        status = self.desk.incident.record(self.step).status
        unseen = status in (StepStatus.PENDING, StepStatus.ACTIVE) and self.desk.incident.closed_at is None
        unseen = unseen and self.guide.drives
        if unseen and not self.doing:
            self.action_look_again()
        self._watch()
        self.draw()

    # Looking

    def action_look_again(self) -> None:
        """Looks anew. What was found so far goes; the timeline keeps it."""
        if self.doing:
            return
        arrived: list[Finding] = []
        self._arrived = arrived
        # Appending to a list is safe from a thread; the pane draws what is there twice a second, and
        # the guide's work can't fail because the pane has gone meanwhile.
        self.ask(
            "looking at the server, the backups and the tables",
            lambda: self.guide.assess(arrived.append),
            self._seen,
        )

    def _seen(self, incident: Incident) -> None:
        self._arrived = None

    # Deciding

    @property
    def _acceptable(self) -> Scenario | None:
        """What enter would decide for: what is proposed, where nothing was decided, or where a restart was
        waited for long enough, or what came back is damaged."""
        incident = self.desk.incident
        if incident.proposal is None or self.doing or not self.desk.may_write:
            return None
        proposed = incident.proposal.scenario
        over = self._is_overdue or incident.returned_at is not None
        open_ = incident.scenario is None or (incident.scenario is Scenario.RESTART and over)
        return proposed if proposed is not incident.scenario and open_ else None

    @property
    def _is_overdue(self) -> bool:
        until = self.guide.waits_until
        back = self.desk.incident.returned_at is not None
        return until is not None and not back and self.desk.now() >= until

    def action_accept(self) -> None:
        """Decides for what is proposed, and goes on."""
        scenario, proposal = self._acceptable, self.desk.incident.proposal
        if scenario is not None and proposal is not None:
            self._decide(scenario, proposal.why, tables=proposal.tables)

    def action_scenario(self) -> None:
        """Chooses another one."""

        def chosen(scenario: Scenario | None) -> None:
            if scenario is None:
                return
            proposal = self.desk.incident.proposal
            why = "Decided so by the engineer."
            if proposal is not None and proposal.scenario is scenario:
                why = proposal.why
            elif proposal is not None and proposal.scenario is not None:
                why += f" Proposed was: {known(proposal.scenario).title.lower()}."
            if known(scenario).scope is Scope.TABLES:
                self._ask_tables(scenario, why)
            else:
                self._decide(scenario, why)

        self.app.push_screen(ScenarioScreen(self.desk.fleet, self.desk.incident), chosen)

    def _ask_tables(self, scenario: Scenario, why: str) -> None:
        def chosen(tables: tuple[str, ...] | None) -> None:
            if tables:
                self._decide(scenario, why, tables=tables)

        self.app.push_screen(WhichTablesScreen(self.desk.incident), chosen)

    def action_since(self) -> None:
        """States since when it is damaged. Before any decision, what is proposed is decided with it."""
        incident = self.desk.incident
        proposal = incident.proposal
        scenario = incident.scenario or (proposal.scenario if proposal else None)
        if scenario is None:
            return
        good, damaged = incident.good_at, incident.damaged_at
        if incident.scenario is None and proposal is not None:
            good, damaged = proposal.good_at, proposal.damaged_at
        about = f"Known so far: {between(good, damaged)}. Only a backup from before it will be advised."
        if incident.scenario is None:
            about += f" The scenario is then: {known(scenario).title.lower()}."
        why = incident.scenario_why or (proposal.why if proposal else "")
        tables = incident.tables or (proposal.tables if proposal else ())

        def stated(at: datetime | None) -> None:
            if at is not None:
                self._decide(scenario, why, at, "As the engineer states.", tables)

        self.app.push_screen(MomentScreen(about, self.desk.now), stated)

    def _decide(
        self,
        scenario: Scenario,
        why: str,
        at: datetime | None = None,
        how: str = "",
        tables: Sequence[str] = (),
    ) -> None:
        if self._watching is not None:
            self._watching.stop()
            self._watching = None
        decide = partial(self.guide.decide, scenario, why, at, how, tuple(tables))
        self.ask("writing it down", decide, self._decided, must_finish=True)

    def _decided(self, incident: Incident) -> None:
        if incident.scenario is Scenario.RESTART:
            self._watch()
        elif incident.current is not Step.ASSESS:
            self.post_message(self.Go(incident.current))

    def action_next(self) -> None:
        """On to what comes next."""
        incident = self.desk.incident
        skipped = incident.record(Step.PICK).status is StepStatus.SKIPPED
        self.post_message(self.Go(Step.NOTIFY if skipped else Step.PICK))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A closed incident is only read; nothing is decided by who doesn't drive."""
        if action == "look_again":
            return self.desk.may_write and not self.doing
        if action == "accept":
            return self._acceptable is not None
        if action == "next":  # not past a proposal that is about to be made
            return self._acceptable is None and not self.doing
        if action in ("scenario", "since"):
            incident = self.desk.incident
            if not self.desk.may_write or self.doing:
                return False
            proposed = incident.proposal is not None and incident.proposal.scenario is not None
            return action == "scenario" or incident.scenario is not None or proposed
        return True

    # Waiting for a restart

    def _watch(self) -> None:
        """Begins to watch, where a restart is waited for and hasn't come."""
        incident = self.desk.incident
        waits = incident.waiting_since is not None and incident.returned_at is None
        if waits and self.desk.may_write and not self._is_overdue and self._watching is None:
            self._watching = Watching(self.guide)
            self._glance = self.set_interval(1, self._look_at_watching)

    def _look_at_watching(self) -> None:
        watching = self._watching
        if watching is None:
            if self._glance is not None:
                self._glance.stop()
            return
        if self.screen.is_current:
            self.draw()
        if watching.ended and not self.doing:
            # Back: what is in it? Not back in time: what is proposed now?
            self._watching = None
            self.action_look_again()

    def on_unmount(self) -> None:
        """Leaving stops the watching, not the waiting."""
        if self._watching is not None:
            self._watching.stop()

    # Showing

    def draw(self) -> None:
        """Shows the scenario, findings and counts."""
        incident = self.desk.incident
        told, beside = self.query_one("#assess-lines", TextLines), self.query_one("#assess-counts", TextLines)
        width = max(40, told.size.width - 1)
        looking = self._arrived is not None
        findings = tuple(self._arrived or ()) if looking else incident.findings
        head = (
            [] if looking and incident.scenario is None else scenario_lines(self.desk.fleet, incident, width)
        )
        until = self.guide.waits_until
        if until is not None:
            last = self._watching.last if self._watching else "not watched at the moment"
            head += waiting_lines(incident, until, last, self.desk.now(), width)
        if incident.scenario is not None and incident.proposal is not None and self._acceptable is not None:
            head += proposal_lines(self.desk.fleet, incident.proposal, width)
        head += advice_lines(incident, self.step, width)
        made = [*self.trouble(), *head, *([BLANK] if head else [])]
        made += [*finding_lines(findings, width, "DAMAGED"), *self.waiting()]
        if not made:
            made = [line(("Nobody has looked yet: look again.", FAINT))]
        counted = () if looking else incident.counts
        title = line(("Rows now against the last backup", STRONG))
        beside.display = bool(counted) and self.has_class("wide")
        if beside.display:
            beside.show([title, *count_lines(counted, max(40, beside.size.width - 1))])
        elif counted:
            made += [BLANK, title, *count_lines(counted, width)]
        told.show(made)
