"""Step 5, verify: whether the restored database is right."""

from __future__ import annotations

from collections.abc import Callable

from tui.incident.work import Work
from tui.model.incident import Incident, Step, StepStatus
from tui.model.verdict import Check
from tui.operations.verify import check_restored


class VerifyStep(Work):
    """Step 5, verify: whether the restored database is right."""

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
