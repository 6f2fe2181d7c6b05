"""The guided recovery: six steps that a screen, a script or a test can drive.

Each method does one thing, writes the incident down, and returns it as it is now. All of them block
and may be called from any thread; nothing is kept here that isn't in the incident on disk.
"""

from __future__ import annotations

from pathlib import Path

from tui.incident import report
from tui.incident.steps.assess import AssessStep
from tui.incident.steps.notify import NotifyStep
from tui.incident.steps.pick import PickStep
from tui.incident.steps.restore import RestoreStep
from tui.incident.steps.resume import ResumeStep
from tui.incident.steps.verify import VerifyStep
from tui.model.errors import Refused, UsageError
from tui.model.incident import Incident, Step, StepStatus
from tui.model.text import clean


class Guide(AssessStep, PickStep, NotifyStep, RestoreStep, VerifyStep, ResumeStep):
    """One incident being worked on by one engineer, all of its steps."""

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
