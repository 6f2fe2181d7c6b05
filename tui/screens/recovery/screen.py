"""The guided recovery: six steps that can be left and come back to, by whoever works on the incident."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from tui.model.incident import Incident, Step, StepStatus
from tui.screens.recovery.assess_pane import AssessPane
from tui.screens.recovery.desk import Desk
from tui.screens.recovery.notify_pane import NotifyPane
from tui.screens.recovery.pane import StepPane
from tui.screens.recovery.pick_pane import PickPane
from tui.screens.recovery.restore_pane import RestorePane
from tui.screens.recovery.resume_pane import ResumePane
from tui.screens.recovery.verify_pane import VerifyPane
from tui.widgets.header import IncidentClock, StatusHeader
from tui.widgets.keys import KeyFooter
from tui.widgets.step_strip import StepStrip

_PANES: tuple[type[StepPane], ...] = (AssessPane, PickPane, NotifyPane, RestorePane, VerifyPane, ResumePane)


class RecoveryScreen(Screen[None]):
    """Given a desk, shows its incident at the step it is at. It keeps nothing: everything is in the
    incident on disk and in the jobs' journals, so leaving it loses nothing and stops nothing."""

    CSS_PATH = "recovery.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "leave", "leave, it goes on", key_display="q"),
        *(
            Binding(str(number), f"step('{step.value}')", step.value, show=False)
            for number, step in enumerate(Step, start=1)
        ),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        """Makes header, strip, the six panes and the keys."""
        yield StatusHeader(self.desk.bearings, incident=self._clock())
        yield StepStrip(self.desk.incident, where_to_begin(self.desk.incident), self.desk.now())
        with ContentSwitcher(initial=where_to_begin(self.desk.incident).value, id="steps"):
            for pane in _PANES:
                yield pane(self.desk)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Opens the step that the incident is at; its times move on once a minute, no more."""
        self.set_interval(60, self._tell)
        self._open(where_to_begin(self.desk.incident))

    @property
    def shown(self) -> Step:
        """The step on the screen."""
        return Step(self.query_one("#steps", ContentSwitcher).current or Step.ASSESS.value)

    def _clock(self) -> IncidentClock:
        incident, database = self.desk.incident, self.desk.guide.database
        return IncidentClock(
            incident.id, database.name, incident.declared_at, database.rto, incident.closed_at
        )

    def _pane(self, step: Step) -> StepPane:
        return next(pane for pane in self.query(StepPane) if pane.step is step)

    def _open(self, step: Step) -> None:
        self.query_one("#steps", ContentSwitcher).current = step.value
        self._tell()
        # After the switch: a pane that isn't shown yet has no size to draw for.
        self.call_after_refresh(self._pane(step).opened)

    def _tell(self) -> None:
        self.query_one(StepStrip).show(self.desk.incident, self.shown, self.desk.now())
        self.query_one(StatusHeader).incident = self._clock()

    @on(StepPane.Changed)
    def _changed(self, event: StepPane.Changed) -> None:
        event.stop()
        self._tell()
        self.refresh_bindings()

    @on(StepPane.Go)
    def _go(self, event: StepPane.Go) -> None:
        event.stop()
        self._open(event.step)

    def action_step(self, step: str) -> None:
        """Shows another step."""
        self._open(Step(step))

    def action_leave(self) -> None:
        """Leaves. A restore that runs goes on, and says so; what has to be finished is waited for."""
        for pane in self.query(StepPane):
            if pane.must_finish:
                self.notify(f"One moment: {pane.doing}. Then you can leave.", markup=False)
                return
        record = self.desk.incident.record(Step.RESTORE)
        if record.status is StepStatus.ACTIVE and self.desk.incident.job is not None:
            self.app.notify(
                f"Incident {self.desk.incident.id} stays open; job {self.desk.incident.job} goes on.",
                markup=False,
            )
        self.app.pop_screen()


def where_to_begin(incident: Incident) -> Step:
    """Given an incident, returns the step to show first: the one it is at, and the last once it is over."""
    return Step.RESUME if incident.closed_at is not None else incident.current
