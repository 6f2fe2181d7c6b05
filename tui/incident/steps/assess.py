"""Step 1, assess: what is reachable, what is missing, what changed."""

from __future__ import annotations

from collections.abc import Callable

from tui.incident.assess import Assessment, assess
from tui.incident.work import Work
from tui.model.incident import Incident, Step
from tui.model.plan import Finding


class AssessStep(Work):
    """Step 1, assess: what is reachable, what is missing, what changed."""

    def assess(self, on_finding: Callable[[Finding], None]) -> Incident:
        """Looks at what is reachable, what is missing and what changed; each finding as it is made."""
        self._begin(Step.ASSESS)
        found: Assessment = assess(self._fleet, self.database, on_finding, self._now)
        for finding in found.findings:
            self._note("fact", finding.what)
        worst = found.findings[0].what if found.findings else "Nothing was found to be wrong."
        return self._end(Step.ASSESS, worst, findings=found.findings, counts=found.counts)
