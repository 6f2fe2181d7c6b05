"""Step 6, resume: what was restored comes into use, by a swap, a merge or a new address."""

from __future__ import annotations

from tui.incident.steps.verify import VerifyStep
from tui.incident.swapped import UNDONE, unwritten_swap
from tui.incident.work import acting
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.incident import HandOver, Incident, Step
from tui.model.text import clean
from tui.operations.swap.hand_over import ConnectionAddress, address_of, run_setting, setting
from tui.operations.swap.swap import SwapPlan, plan_swap, swap_in, undo
from tui.postgres.databases.swap import statements
from tui.services.health import ask


class ResumeStep(VerifyStep):
    """Step 6, resume: what was restored comes into use, and the way back from that."""

    @property
    def swapped(self) -> bool:
        """Whether a swap stands."""
        swap = self._incident.swap
        return swap is not None and swap.undone_at is None

    @property
    def in_use(self) -> bool:
        """Whether the database can be used again: put in place, merged, handed over, or back by itself."""
        came_back = self.restores_nothing and self._incident.job is None
        return self.swapped or self.merged or self._incident.handed is not None or came_back

    def swap_plan(self) -> SwapPlan:
        """What the swap would do: the live database, its size and sessions, the new names, obstacles.

        Raises Refused when only single tables were restored.
        """
        target, _ = self._restored()
        self._require_whole()
        self._begin(Step.RESUME)
        self._know_what_was_done()
        return plan_swap(self.recovering, target, self._now(), state=self._state)

    @acting
    def swap(self, confirmation: str) -> Incident:
        """Puts the restored database in the live one's place, on a fresh server under its own name.
        `confirmation` must be the live one's name.

        In a drill it only goes through what that would do. Raises Refused when the name isn't right, only
        single tables were restored, or before the checks have passed or been gone past with a reason.
        """
        target, _ = self._restored()
        self._confirmed(confirmation)
        self._require_whole()
        self._require_checked()
        self._begin(Step.RESUME)
        self._know_what_was_done()
        self._note("confirmation", f"Swap of {clean(self.database.dbname)} confirmed.")
        if self.drill:
            return self._gone_through(plan_swap(self.recovering, target, self._now()).commands)
        swap = swap_in(self._state, self.database, target, self._operator, self._now, self._incident.address)
        self._note("command", " ".join(statements(swap.live_name, target, swap.kept_as)))
        kept = f"the old one is kept as {clean(swap.kept_as)}" if swap.kept_as else "there was no old one"
        self._note("fact", f"{clean(target)} is now {clean(swap.live_name)}; {kept}.")
        remove_at = swap.at + self.database.remove_old_after if swap.kept_as else None
        return self._change(swap=swap, remove_at=remove_at)

    @acting
    def undo(self, confirmation: str) -> Incident:
        """Takes the swap back. `confirmation` must be the live database's name."""
        self._confirmed(confirmation)
        if self.drill:
            self._would("take the swap back")
            return self.look_again()
        self._know_what_was_done()
        self._note("confirmation", f"Taking back the swap of {clean(self.database.dbname)} confirmed.")
        swap = undo(self._state, self.database, self._operator, self._now)
        self._note("command", " ".join(statements(swap.live_name, swap.kept_as, swap.restored_name)))
        back = f"{clean(swap.kept_as)} is {clean(swap.live_name)} again, " if swap.kept_as else ""
        self._note("fact", f"{UNDONE}: {back}what was restored is {clean(swap.restored_name)}.")
        return self._change(swap=swap, target=swap.restored_name, remove_at=None, live_checks=())

    def _know_what_was_done(self) -> None:
        """Writes down a swap, or the taking back of one, that was carried out and not written down: the app
        was killed in between. Raises Refused then: what was wanted is done, or is to be looked at anew."""
        found = unwritten_swap(self._state, self.recovering, self.look_again())
        if found is None:
            return
        if found.undone_at is not None:
            self._change(swap=found, target=found.restored_name, remove_at=None, live_checks=())
            what = UNDONE
        else:
            remove_at = found.at + self.database.remove_old_after if found.kept_as else None
            self._change(swap=found, remove_at=remove_at)
            what = f"{clean(found.restored_name)} was put in place of {clean(found.live_name)}"
        self._note("fact", f"{what} by {clean(found.operator, 80)}; pgdr ended before it was written down.")
        raise Refused(f"{what} before: pgdr ended then.", mend="It is written down now; go on from here.")

    def new_address(self) -> ConnectionAddress:
        """Where the application finds the recovered database: by the name that it has now. No password."""
        target, _ = self._restored()
        self._require_whole()
        return address_of(self.recovering, self.database.dbname if self.swapped else target)

    def address_command(self) -> str | None:
        """The command that would give the application that address, as a person would type it; None where
        none is configured."""
        command = setting(self.database, self.new_address())
        return command.shown if command else None

    @acting
    def hand_over(self, confirmation: str, *, run: bool) -> Incident:
        """Hands the application the address: with `run` by the configured command, else a person does it and
        says so by this. `confirmation` must be the database's name.

        In a drill nothing is run. Raises Refused as `swap` does, UsageError when there is no command,
        PgdrError when it fails.
        """
        self._confirmed(confirmation)
        self._require_checked()
        address = self.new_address()
        command = setting(self.database, address) if run else None
        if run and command is None:
            raise UsageError(
                "No command gives the application another address.",
                mend=f"Set it by hand, or configure databases.{clean(self.database.name)}.set_address.",
            )
        self._begin(Step.RESUME)
        self._note("confirmation", f"The application gets {clean(address.url, 300)}.")
        if self.drill:
            return self._gone_through((command.shown if command else f"set DATABASE_URL={address.url}",))
        if command is not None:
            self._note("command", command.shown)
            try:
                said = run_setting(command)
            except PgdrError as error:
                self._note("error", clean(str(error), 300))
                raise
            self._note("fact", f"It was set. {said}".strip())
        by = command.shown if command else None
        return self._change(handed=HandOver(address.url, self._now(), self._operator, by))

    def ask_health(self) -> str | None:
        """Asks the application's health address and returns what it answered; None where there is none."""
        if self.database.health_url is None:
            return None
        health = ask(self.database.health_url, timeout_s=10.0)
        answer = ("healthy: " if health.ok else "not healthy: ") + clean(health.what, 200)
        self._note("fact", f"The health address answered {answer}")
        self._change(health=answer)
        return answer

    def _require_whole(self) -> None:
        if self._incident.restored_tables:
            raise Refused(
                "Only single tables were restored: they can't take the whole database's place.",
                mend="Merge them: m. Or decide for another scenario at step 1, and restore all of it.",
            )
