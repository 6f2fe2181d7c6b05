"""Step 2, pick: the backup that is used."""

from __future__ import annotations

from tui.incident.candidates import Candidate, candidates, look_inside
from tui.incident.work import Work, with_records
from tui.model.backup import StoreProblem
from tui.model.errors import UsageError
from tui.model.incident import Incident, Step, StepRecord
from tui.model.text import clean, rfc3339


class PickStep(Work):
    """Step 2, pick: the backup that is used."""

    def candidates(self) -> tuple[tuple[Candidate, ...], tuple[StoreProblem, ...]]:
        """The backups that could be used, ranked for the scenario and the time of the damage, and the stores
        that couldn't be read."""
        if self.drives:  # who only watches may see them too
            self._begin(Step.PICK)
        return candidates(self._fleet, self._state, self.database, self._now(), self.look_again())

    def look_inside(self, candidate: Candidate) -> Candidate:
        """A candidate that was not looked into at once, looked into."""
        return look_inside(self._fleet, candidate)

    def pick(self, candidate: Candidate, reason: str = "") -> Incident:
        """Decides for a backup; one that something speaks against needs a `reason`, for the report.
        What was planned, restored or checked with another one is left behind: its database stays on the
        server, the steps begin anew.

        Raises UsageError without that reason; Refused while a restore runs: cancel it, or let it finish.
        """
        if not candidate.usable and not reason.strip():
            what = f"This backup is not advised: {candidate.why}"
            raise UsageError(what, mend="Pick another one, or give a reason.")
        self._refuse_while_restoring()
        self._by(lambda now: with_records(now, StepRecord(Step.RESTORE), StepRecord(Step.VERIFY)))
        backup = candidate.backup
        taken = rfc3339(backup.sort_time)
        self._note("decision", f"Backup {clean(backup.ref)} of {taken} is used.")
        if not candidate.usable:
            self._note("decision", f"Against the advice ({candidate.why}): {clean(reason)}")
        return self._end(
            Step.PICK,
            f"{clean(backup.ref)}, taken {taken}",
            ref=backup.ref,
            backup_at=backup.sort_time,
            expected_s=candidate.estimate.high.total_seconds(),
            target=None,
            job=None,
            verdict=None,
            checks=(),
        )
