"""The guided recovery: six steps that can be left and come back to, by whoever works on the incident."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import ContentSwitcher

from tui.model.errors import PgdrError
from tui.model.incident import Incident, Step, StepStatus
from tui.screens.recovery.assess_pane import AssessPane
from tui.screens.recovery.desk import Desk
from tui.screens.recovery.drive import DriveLine
from tui.screens.recovery.driving import DrivenScreen
from tui.screens.recovery.notify_pane import NotifyPane
from tui.screens.recovery.pane import StepPane
from tui.screens.recovery.pause import PauseScreen
from tui.screens.recovery.pick_pane import PickPane
from tui.screens.recovery.restore_pane import RestorePane
from tui.screens.recovery.resume_pane import ResumePane
from tui.screens.recovery.verify_pane import VerifyPane
from tui.widgets.header import IncidentClock, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.step_strip import StepStrip

_PANES: tuple[type[StepPane], ...] = (AssessPane, PickPane, NotifyPane, RestorePane, VerifyPane, ResumePane)


class RecoveryScreen(DrivenScreen):
    """Given a desk, shows its incident at the step it is at. It keeps nothing: everything is in the
    incident on disk and in the jobs' journals, so leaving it loses nothing and stops nothing."""

    CSS_PATH = "recovery.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("recovery")

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._reminded = False
        self._told = ""  # what the header said last: it is sent again only when it says something else

    def compose(self) -> ComposeResult:
        """Makes header, strip, the six panes and the keys."""
        yield StatusHeader(self.desk.bearings, incident=self._clock())
        yield StepStrip(self.desk.incident, where_to_begin(self.desk.incident), self.desk.now())
        yield DriveLine()
        with ContentSwitcher(initial=where_to_begin(self.desk.incident).value, id="steps"):
            for pane in _PANES:
                yield pane(self.desk)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Opens the step that the incident is at."""
        # While a job runs the times move on every second, else with the header's minute: idle it is quiet.
        self.set_interval(1, lambda: self._tell() if self._job_runs else None)
        self.set_interval(15, self._take_told)
        self._open(where_to_begin(self.desk.incident))

    @property
    def in_earnest(self) -> bool:
        """Whether this is no drill and isn't over: the app wears the colours of an incident."""
        return not self.desk.incident.drill and self.desk.incident.closed_at is None

    @property
    def help_page(self) -> str:
        """The page of the step on the screen."""
        return self.shown.value

    @property
    def name_of_copy(self) -> str:
        """What its exports are called."""
        return f"incident-{self.desk.incident.id}-{self.shown.value}"

    @property
    def shown(self) -> Step:
        """The step on the screen."""
        return Step(self.query_one("#steps", ContentSwitcher).current or Step.ASSESS.value)

    @property
    def _job_runs(self) -> bool:
        incident = self.desk.incident
        return incident.job is not None and incident.record(Step.RESTORE).status is StepStatus.ACTIVE

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leaving is called what it is."""
        if action in ("leave", "leave_running"):
            return self._job_runs is (action == "leave_running")
        return super().check_action(action, parameters)

    def trouble(self) -> tuple[str, str | None]:
        """What went wrong on the step that is shown, to be looked for."""
        return self._pane(self.shown).trouble_text(), self.desk.incident.database

    def changed_elsewhere(self, mine_before: bool) -> None:
        """Another has worked on it, or it was handed over: shows what is so now."""
        self._tell()
        pane = self._pane(self.shown)
        if pane.doing or (mine_before and self.desk.guide.drives):
            pane.draw()
        else:
            pane.opened()  # what a pane begins by itself, such as watching a job that the other has started

    def _clock(self) -> IncidentClock:
        incident, time = self.desk.incident, self.desk.clocks
        name = self.desk.guide.database.name
        return IncidentClock(
            incident.id, name, incident.declared_at, time.rto, time.ended_at, incident.drill, time
        )

    def _pane(self, step: Step) -> StepPane:
        return next(pane for pane in self.query(StepPane) if pane.step is step)

    def _open(self, step: Step) -> None:
        self.query_one("#steps", ContentSwitcher).current = step.value
        self._tell()
        # After the switch: a pane that isn't shown yet has no size to draw for.
        self.call_after_refresh(self._pane(step).opened)

    @on(StatusHeader.Minute)
    def _minute(self, event: StatusHeader.Minute) -> None:
        event.stop()
        self._tell()

    @work(thread=True, exit_on_error=False, exclusive=True, group="told")
    def _take_told(self) -> None:
        """What the restore has told people by itself goes into the incident while someone watches; what it
        tells later is taken at its end."""
        if self._job_runs:
            with suppress(PgdrError):  # another look comes
                self.desk.guide.take_told()

    def _tell(self) -> None:
        self.query_one(StepStrip).show(self.desk.incident, self.shown, self.desk.now())
        header = self.query_one(StatusHeader)
        told = header.render().plain
        header.incident = self._clock()
        if told != self._told:
            self._told = told
            header.refresh()

    @on(StepPane.Changed)
    def _changed(self, event: StepPane.Changed) -> None:
        event.stop()
        self._tell()
        self.refresh_bindings()
        self._remind()

    def _remind(self) -> None:
        """Once it is over: those who were told that it had begun don't know yet."""
        incident = self.desk.incident
        told = {sent.occasion for sent in incident.sent if sent.error is None and not sent.simulated}
        if incident.closed_at is None or self._reminded or "declared" not in told:
            return
        self._reminded = True
        if not told & {"resolved", "stood_down"}:
            self.notify("Those who were told of it don't know that it is over: n tells them.", markup=False)

    @on(StepPane.Go)
    def _go(self, event: StepPane.Go) -> None:
        event.stop()
        self._open(event.step)

    def action_step(self, step: str) -> None:
        """Shows another step."""
        self._open(Step(step))

    def action_tell(self) -> None:
        """Opens the telling, with what fits this moment."""
        pane = self.query_one(NotifyPane)
        pane.tell_from(self.shown)
        self._open(Step.NOTIFY)

    def action_services(self) -> None:
        """Shows what uses the database, to be paused and resumed, and its writes, to be frozen and thawed."""
        self.app.push_screen(PauseScreen(self.desk.bearings, self.desk.guide.pausing, self._clock()))

    def action_leave(self) -> None:
        """Leaves; what has to be finished is waited for."""
        for pane in self.query(StepPane):
            if pane.must_finish:
                self.notify(f"One moment: {pane.doing}. Then you can leave.", markup=False)
                return
        self.app.pop_screen()

    def action_leave_running(self) -> None:
        """Leaves while a restore runs, and says that it goes on."""
        job = self.desk.incident.job or ""
        self.app.notify(f"Incident {self.desk.incident.id} stays open; job {job} goes on.", markup=False)
        self.action_leave()


def where_to_begin(incident: Incident) -> Step:
    """Given an incident, returns the step to show first: the one it is at, and the last once it is over."""
    return Step.RESUME if incident.closed_at is not None else incident.current
