"""Step 6, resume: the restored database takes the place of the live one."""

from __future__ import annotations

from tui.incident.drill import Rehearsal
from tui.incident.work import acting
from tui.model.errors import Refused
from tui.model.incident import Incident, Step, StepStatus
from tui.model.text import clean
from tui.operations.swap import SwapPlan, plan_swap, swap_in, undo
from tui.services.health import ask


class ResumeStep(Rehearsal):
    """Step 6, resume: the restored database takes the place of the live one."""

    def swap_plan(self) -> SwapPlan:
        """What the swap would do: the live database, its size and sessions, the new names, obstacles."""
        target, _ = self._restored()
        self._begin(Step.RESUME)
        return plan_swap(self.database, target, self._now())

    @acting
    def swap(self, confirmation: str) -> Incident:
        """Puts the restored database in the live one's place. `confirmation` must be the live one's name.

        In a drill it only goes through what that would do. Raises Refused when the name isn't right, or
        before the checks have passed or been gone past with a reason.
        """
        target, _ = self._restored()
        if confirmation != self.database.dbname:
            raise Refused("The name that was typed is not the live database's.", mend="Nothing was changed.")
        if self._incident.record(Step.VERIFY).status not in (StepStatus.DONE, StepStatus.SKIPPED):
            raise Refused(
                "The restored database has not passed its checks.",
                mend="Run step 5, verify; or go past it with a written reason.",
            )
        self._begin(Step.RESUME)
        self._note("confirmation", f"Swap of {clean(self.database.dbname)} confirmed.")
        if self.drill:
            return self._gone_through(plan_swap(self.database, target, self._now()).commands)
        swap = swap_in(self._state, self.database, target, self._operator, self._now)
        kept = f"the old one is kept as {clean(swap.kept_as)}" if swap.kept_as else "there was no old one"
        self._note("fact", f"{clean(target)} is now {clean(swap.live_name)}; {kept}.")
        return self._change(swap=swap)

    @acting
    def undo(self, confirmation: str) -> Incident:
        """Takes the swap back. `confirmation` must be the live database's name."""
        if confirmation != self.database.dbname:
            raise Refused("The name that was typed is not the live database's.", mend="Nothing was changed.")
        if self.drill:
            self._would("take the swap back")
            return self.look_again()
        swap = undo(self._state, self.database, self._operator, self._now)
        self._note("confirmation", f"Swap of {clean(self.database.dbname)} undone.")
        return self._change(swap=swap, target=swap.restored_name)

    def ask_health(self) -> str | None:
        """Asks the application's health address and returns what it answered; None where there is none."""
        if self.database.health_url is None:
            return None
        health = ask(self.database.health_url, timeout_s=10.0)
        answer = ("healthy: " if health.ok else "not healthy: ") + clean(health.what, 200)
        self._note("fact", f"The health address answered {answer}")
        self._change(health=answer)
        return answer
