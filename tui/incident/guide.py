"""The guided recovery: six steps that a screen, a script or a test can drive.

Each method does one thing, writes the incident down, and returns it as it is now. All of them block
and may be called from any thread; nothing is kept here that isn't in the incident on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from tui.incident import report
from tui.incident.steps.assess import AssessStep
from tui.incident.steps.notify import NotifyStep
from tui.incident.steps.pause import PauseStep
from tui.incident.steps.pick import PickStep
from tui.incident.steps.resume import ResumeStep
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.incident import Incident, Sent, Step, StepStatus
from tui.model.plan import RestorePlan
from tui.model.text import clean
from tui.model.wording import Occasion
from tui.notify.message import Message


class Guide(AssessStep, PickStep, NotifyStep, PauseStep, ResumeStep):
    """One incident being worked on by one engineer, all of its steps."""

    def skip(self, step: Step, reason: str) -> Incident:
        """Goes past a step, with a reason that lands in the report. A restore can't be gone past."""
        if step is Step.RESTORE:
            raise Refused("A recovery without a restore is no recovery.", mend="Close the incident instead.")
        if not reason.strip():
            raise UsageError("Going past a step needs a reason.", mend="One sentence is enough.")
        self._note("decision", f"Went past {step.value}: {clean(reason)}")
        return self._end(step, clean(reason), StepStatus.SKIPPED)

    def start_restore(self, confirmation: str, plan: RestorePlan) -> str:
        """As the step does; the job is told whether to send messages by itself."""
        job = super().start_restore(confirmation, plan)
        self._hand_updates_over(job)
        return job

    def resume_restore(self) -> str:
        """As the step does; the job is told whether to send messages by itself."""
        job = super().resume_restore()
        self._hand_updates_over(job)
        return job

    def _hand_updates_over(self, job: str) -> None:
        try:
            self.hand_updates_over(job)
        except PgdrError as error:  # the restore runs, and goes on without
            self._note("error", f"The job sends no messages by itself: {clean(str(error), 300)}")

    def finish_restore(self) -> Incident:
        """As the step does, with what the job has told by itself."""
        if not self.drives:
            return self.look_again()
        self.take_told()
        return super().finish_restore()

    def notify(
        self,
        message: Message,
        on_sent: Callable[[Sent], None] = lambda sent: None,
        occasion: Occasion | None = None,
        only: Collection[str] | None = None,
    ) -> tuple[Sent, ...]:
        """As the step does; told after the end, it goes into the report too."""
        outcomes = super().notify(message, on_sent, occasion, only)
        if self._incident.closed_at is not None:
            report.write(self._book, self._state, self._incident, self._fleet)
        return outcomes

    def close(self, outcome: str, *, keep: bool = False, found: str = "") -> Incident:
        """Ends the incident (`recovered` or `stood down`) and writes its report beside it.

        A drill is `rehearsed` or `broken off`; its scratch database is dropped unless it is to be kept, and
        what the engineer `found` is remembered with what was measured. Raises Refused while it restores.
        """
        self.must_drive()
        if self.drill:
            self._end_drill(outcome, keep, found)
        if self.look_again().record(Step.RESUME).status is StepStatus.ACTIVE:
            self._end(Step.RESUME, outcome)
        self._note("decision", f"{'DRILL' if self.drill else 'Incident'} closed: {clean(outcome)}.")
        self._change(closed_at=self._now(), outcome=outcome)
        report.write(self._book, self._state, self._incident, self._fleet)
        return self._incident

    @property
    def report_path(self) -> Path:
        """Where the report is written when the incident is closed."""
        return self._book.report_path(self._incident.id)
