"""What the last step asks before it merges, hands an address over, or takes a merge back."""

from __future__ import annotations

from functools import partial

from textual.worker import Worker, WorkerState

from tui.incident.scenarios import Way
from tui.model import amounts as show
from tui.model.difference import MergeBlocked
from tui.model.incident import Incident, Step
from tui.model.scenario import Scenario
from tui.model.text import clean
from tui.operations.restore.tables import MergePlan
from tui.postgres.merge.merge import MergeOptions
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.pane import StepPane


class Endings(StepPane):
    """The ends of a recovery that are no swap."""

    step = Step.RESUME

    _fire = True  # whether the tables' own triggers fire
    _overwrite: bool | None = (
        None  # whether changed rows get the backup's values; None: as the scenario has it
    )
    _merging: MergePlan | None = None
    _address: str = ""  # what the application would be given, once it was looked up
    _command: str | None = None

    @property
    def _ways(self) -> tuple[Way, ...]:
        return self.guide.ways

    @property
    def _how(self) -> MergeOptions:
        overwrite = self._overwrite
        if overwrite is None:  # what differs in a table that is corrupt is what is wrong with it
            overwrite = self.desk.incident.scenario is Scenario.TABLE_CORRUPTION
        return MergeOptions(triggers=self._fire, update_changed=overwrite)

    # Merging

    def action_compare(self) -> None:
        """Compares the restored tables with the live ones."""
        self.ask("comparing the restored tables with the live ones", self.guide.compare)

    def action_triggers(self) -> None:
        """Whether the tables' own triggers fire."""
        self._fire = not self._fire
        self.draw()

    def action_update(self) -> None:
        """Whether changed rows get the backup's values too."""
        self._overwrite = not self._how.update_changed
        self.draw()

    def action_merge(self) -> None:
        """Looks at what merging would do, asks, and does it."""
        self.ask("planning the merge", self.guide.merge_plan, self._ask_to_merge)

    def _ask_to_merge(self, plan: MergePlan) -> None:
        self._merging = plan
        how = self._how
        facts = [
            ("live", f"{clean(plan.live)} on {plan.host or 'local'}:{plan.port or ''}"),
            ("from", clean(plan.restored)),
        ]
        for table in plan.tables:
            changed = table.difference.changed or 0
            said = f"{table.before:,} rows now, {table.after:,} after"
            if changed:
                said += f", {show.plural(changed, 'row')} {'OVERWRITTEN' if how.update_changed else 'stay'}"
            facts.append((clean(".".join(table.difference.table), 30), said))
        fired = sorted({t for table in plan.tables for t in table.triggers})
        if fired:
            word = "FIRE" if how.triggers else "are switched off meanwhile"
            facts.append(("triggers", f"{word}: {', '.join(clean(t, 40) for t in fired[:6])}"))
        facts += [(f.level.value, f.what) for f in plan.findings if "will fire" not in f.what]
        if plan.stops or not plan.tables:
            facts.append(("so", "there is nothing to merge" if not plan.stops else "it can't be merged"))
            self.app.push_screen(ConfirmScreen("Merge", facts, action="back"))
            return
        facts.append(("how", "one transaction: all of it or nothing; writers wait meanwhile, readers go on"))
        facts.append(("then", "undo removes what was put in and gives overwritten rows their values back"))
        self._confirm_merge(plan, how, facts)

    def _confirm_merge(self, plan: MergePlan, how: MergeOptions, facts: list[tuple[str, str]]) -> None:
        name = self.guide.database.dbname

        def answered(yes: bool | None) -> None:
            if yes:
                call = partial(self.guide.merge, name, plan, how)
                self.ask("merging", call, self._was_ended, must_finish=True)

        drill = self.desk.incident.drill
        self.app.push_screen(
            ConfirmScreen(
                "DRILL: go through the merge; nothing is put back" if drill else "Merge into the live tables",
                facts,
                action="rehearse" if drill else "merge",
                name=name,
                prompt="Type the name of the live database",
            ),
            answered,
        )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """As every pane; rows that can't go in are offered to be left out."""
        event.prevent_default()  # Textual would call the method of the class above by itself, once more
        error = event.worker.error
        super().on_worker_state_changed(event)
        plan = self._merging
        if event.state is WorkerState.ERROR and isinstance(error, MergeBlocked) and plan is not None:
            facts = [("nothing", "was changed")]
            facts += [("can't go in", str(blocked)) for blocked in error.blocked[:6]]
            how = self._how
            self._confirm_merge(
                plan, MergeOptions(how.triggers, how.update_changed, skip_blocked=True), facts
            )

    def _was_ended(self, incident: Incident) -> None:
        """The database is in use again: asks the application and the fleet's smokes."""
        if not incident.drill:
            self.call_after_refresh(self.action_health)

    def action_health(self) -> None:
        """Asks the application, and the smokes of the live database."""

        def asked() -> None:
            self.guide.ask_live()
            self.guide.ask_health()

        self.ask("asking the application and the smokes of the live database", asked)

    def ask_to_undo_merge(self) -> None:
        """Asks, then takes the merge back."""
        merge = self.desk.incident.merge
        if merge is None:
            return
        name = self.guide.database.dbname
        put, over = sum(t.inserted for t in merge.tables), sum(t.updated for t in merge.tables)
        asked = ConfirmScreen(
            "Take the merge back",
            (
                ("live", f"{name}: {show.plural(put, 'row')} that were put in are removed"),
                ("and", f"{show.plural(over, 'row')} that were overwritten get their former values"),
                ("stays", "what was written to since the merge, or is referred to by now; it is counted"),
                ("then", "compare again; it can be merged again"),
            ),
            action="undo",
            name=name,
            prompt="Type the name of the live database",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.ask("taking it back", partial(self.guide.undo_merge, name), must_finish=True)

        self.app.push_screen(asked, answered)

    # The new address

    def look_up_address(self) -> None:
        """Finds out what the application would be given."""
        self._address = self.guide.new_address().url
        self._command = self.guide.address_command()

    def action_hand_over(self) -> None:
        """Asks whether the application is to get its new address, and by whom."""
        by_hand = ("I have set it", "You have given the application this address yourself.")
        by_command = ("run the command", clean(self._command or "")) if self._command else None
        choices = [("not yet", "The application keeps the address that it has.")]
        choices += [by_command] if by_command else []
        choices.append(by_hand)

        def chosen(choice: int | None) -> None:
            if choice:
                self._confirm_hand_over(run=by_command is not None and choice == 1)

        self.app.push_screen(
            ChooseScreen("Give the application its new address", clean(self._address), choices), chosen
        )

    def _confirm_hand_over(self, *, run: bool) -> None:
        name = self.guide.database.dbname
        facts = [
            ("address", clean(self._address)),
            ("password", "none is in it: the application has its own"),
        ]
        if run:
            facts.append(("runs", clean(self._command or "")))

        def answered(yes: bool | None) -> None:
            if yes:
                call = partial(self.guide.hand_over, name, run=run)
                self.ask("handing the address over", call, self._was_ended, must_finish=True)

        self.app.push_screen(
            ConfirmScreen(
                "The application uses this address from now on",
                facts,
                action="run it" if run else "it does",
                name=name,
                prompt=f"Type {clean(name)}",
            ),
            answered,
        )

    # Services

    def action_resume_services(self) -> None:
        """Lets writes in again where they are frozen, starts what was paused, in reverse order, and asks each
        whether it is well: a service that starts on a frozen database is of no use."""

        def resume() -> None:
            if self._frozen:
                self.guide.thaw()
            self.guide.resume_all(lambda event: None)

        self.ask("letting go what was held back", resume, must_finish=True)

    @property
    def _frozen(self) -> bool:
        """Whether the live database is: one that a swap has put aside stays so on purpose."""
        return any(not frozen.aside for frozen in self.guide.paused().databases)

    @property
    def _paused(self) -> bool:
        return self._frozen or bool(self.guide.paused().services)

    @property
    def _let_go(self) -> str:
        """What action_resume_services would do, in words; nothing when it would do nothing."""
        held = (
            (self._frozen, "lets writes in again"),
            (bool(self.guide.paused().services), "starts the services again"),
        )
        return " and ".join(words for is_so, words in held if is_so)
