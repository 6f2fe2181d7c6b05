"""Step 6, resume: the restored database takes the live one's place, the application is asked, the
incident is closed. The swap can be taken back."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from tui.model import amounts as show
from tui.model.incident import Incident, Step, StepStatus, Swap
from tui.model.text import clean
from tui.operations.swap import SwapPlan
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.drill_end import DrillEnd, DrillEndScreen, measured, rehearsed_lines
from tui.screens.recovery.pane import StepPane
from tui.screens.text import TextScreen
from tui.widgets.check_lines import check_count
from tui.widgets.finding_lines import finding_lines
from tui.widgets.keys import bound
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, line, wrapped
from tui.widgets.paused_line import paused_words
from tui.widgets.server_line import server_line
from tui.widgets.text_lines import TextLines


class ResumePane(StepPane):
    """Shows what the swap would do, then that it was done, what the application says, and the end."""

    step = Step.RESUME
    BINDINGS: ClassVar[list[BindingType]] = bound("resume")

    _plan: SwapPlan | None = None

    def compose(self) -> ComposeResult:
        """Makes the pane."""
        yield TextLines(id="resume-lines")

    def opened(self) -> None:
        """Plans the swap anew each time: sizes and sessions are those of now."""
        self.query_one(TextLines).focus()
        if self._ready and not self.doing and self.desk.may_write:
            self.action_look_again()
        self.draw()

    @property
    def _swapped(self) -> bool:
        swap = self.desk.incident.swap
        return swap is not None and swap.undone_at is None

    @property
    def _ready(self) -> bool:
        passed = self.desk.incident.record(Step.VERIFY).status in (StepStatus.DONE, StepStatus.SKIPPED)
        return passed and not self._swapped and self.desk.incident.rehearsed_at is None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done depends on whether it was swapped and closed."""
        if self.desk.incident.drill and action in ("health", "undo"):
            return False
        incident, write = self.desk.incident, self.desk.may_write and not self.doing
        if action == "swap":
            return write and self._ready and self._plan is not None
        if action in ("report", "copy"):
            return incident.closed_at is not None
        if action == "copy_commands":
            return incident.closed_at is None and self._ready and self._plan is not None
        if action == "health":
            return write and self._swapped and self.guide.database.health_url is not None
        if action == "undo":
            return write and self._swapped
        if action == "close":
            return write
        return action != "look_again" or (write and self._ready)

    def action_look_again(self) -> None:
        """Looks at what the swap would do now."""
        self.ask("looking at the live database and its sessions", self.guide.swap_plan, self._planned)

    def _planned(self, plan: SwapPlan) -> None:
        self._plan = plan

    # The swap

    def action_swap(self) -> None:
        """The one question that may hurt."""
        plan = self._plan
        if plan is None:
            return
        name = self.guide.database.dbname
        asked = ConfirmScreen(
            self._title(),
            self._facts(plan),
            action="rehearse" if self.desk.incident.drill else "swap",
            name=name,
            prompt="Type the name of the live database",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.ask("swapping", partial(self.guide.swap, name), self._was_swapped, must_finish=True)

        self.app.push_screen(asked, answered)

    def _title(self) -> str:
        if self.desk.incident.drill:
            return "DRILL: go through the cutover; nothing is renamed"
        return "Put the restored database in place of the live one"

    def _facts(self, plan: SwapPlan) -> list[tuple[str, str]]:
        if plan.live_bytes is None:
            live, becomes = f"{plan.live_name}  does not exist", "nothing has to be put aside"
        else:
            sessions = show.plural(plan.live_sessions or 0, "session")
            live = f"{plan.live_name}  {show.size(plan.live_bytes)}, {sessions} will be ended"
            becomes = f"{plan.becomes}, kept until you drop it"
        return [
            ("server", server_line(plan, self.guide.database.service)),
            ("live", live),
            ("becomes", becomes),
            ("restored", f"{plan.restored_name}, {check_count(self.desk.incident.checks).plain}"),
            *self._gone_past(),
            ("then", "undo puts it back, at any time, in the same way"),
        ]

    def _gone_past(self) -> list[tuple[str, str]]:
        """The reason for which checks that didn't pass were gone past: it is said once more."""
        record = self.desk.incident.record(Step.VERIFY)
        return (
            [("ALTHOUGH", f"checks have not passed: {record.note}")]
            if record.status is StepStatus.SKIPPED
            else []
        )

    def _was_swapped(self, incident: Incident) -> None:
        self._plan = None
        if self.guide.database.health_url is not None:
            self.call_after_refresh(self.action_health)

    def action_undo(self) -> None:
        """Asks, then takes the swap back."""
        swap = self.desk.incident.swap
        if swap is None:
            return
        back = (
            f"{swap.kept_as} becomes {swap.live_name} again"
            if swap.kept_as
            else "there was no live one before"
        )
        name = self.guide.database.dbname
        asked = ConfirmScreen(
            "Take the swap back",
            (
                ("live", f"{swap.live_name} becomes {swap.restored_name} again; its sessions will be ended"),
                ("before", back),
                (
                    "lost",
                    "nothing is dropped, but what was written since the swap is in the restored one only",
                ),
                ("then", "it can be swapped in again"),
            ),
            action="undo",
            name=name,
            prompt="Type the name of the live database",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.ask("taking it back", partial(self.guide.undo, name), self._undone, must_finish=True)

        self.app.push_screen(asked, answered)

    def _undone(self, incident: Incident) -> None:
        self.call_after_refresh(self.action_look_again)

    # After it

    def action_health(self) -> None:
        """Asks the application's address whether it is well."""
        self.ask("asking the application", self.guide.ask_health)

    def action_close(self) -> None:
        """Asks how it ended, and closes the incident."""
        if self.desk.incident.drill:
            self._close_drill()
            return
        outcomes = ("recovered", "stood down")
        choices = (
            ("not yet", "The incident stays open."),
            ("recovered", "The database is back. The report is written."),
            ("stood down", "It was no incident, or it was solved in another way. The report is written."),
        )

        def answered(choice: int | None) -> None:
            if choice in (1, 2):
                outcome = outcomes[choice - 1]
                self.ask("writing the report", partial(self.guide.close, outcome), must_finish=True)

        about = "" if self._swapped else "No restored database is in the live one's place. "
        if self.desk.incident.record(Step.RESTORE).status is StepStatus.ACTIVE and self.desk.incident.job:
            about += "The restore still runs; closing doesn't stop it. "
        if still := paused_words(self.guide.paused()):
            about += f"{still}. Closing resumes nothing (p does)."
        self.app.push_screen(
            ChooseScreen(f"Close incident {self.desk.incident.id}", about, choices), answered
        )

    def _close_drill(self) -> None:
        incident = self.desk.incident

        def answered(end: DrillEnd | None) -> None:
            if end is not None:
                close = partial(self.guide.close, end.outcome, keep=end.keep, found=end.found)
                self.ask("writing the drill down", close, must_finish=True)

        self.app.push_screen(DrillEndScreen(incident.id, measured(incident, self.desk.now())), answered)

    def action_report(self) -> None:
        """Shows the report."""
        number, path = self.desk.incident.id, self.guide.report_path
        try:
            text = f"{path}\n\n{path.read_text(encoding='utf-8')}"
        except OSError as error:
            text = f"{path} can't be read: {error.strerror}"
        self.app.push_screen(
            TextScreen(self.desk.bearings, f"incidents › {number}", f"incident-{number}", text)
        )

    def action_copy(self) -> None:
        """Copies where the report lies."""
        self.notify(self.desk.copy("report-path", f"{self.guide.report_path}\n"), markup=False)

    def action_copy_commands(self) -> None:
        """Copies what the swap would run, to be run by hand."""
        if self._plan is not None:
            commands = "\n".join(clean(command) for command in self._plan.commands)
            self.notify(self.desk.copy("swap-commands", f"{commands}\n"), markup=False)

    # Showing

    def draw(self) -> None:
        """Shows where things are."""
        incident, width = self.desk.incident, self.room()
        made = [*self.trouble(), *self.waiting()]
        if incident.closed_at is not None:
            made += self._end_lines(incident, width)
        if incident.swap is not None:
            made += self._swap_lines(incident.swap, width)
        if incident.drill and incident.rehearsed_at is not None:
            made += rehearsed_lines(incident, width)
        elif not self._swapped and incident.closed_at is None:
            made += self._before(width)
        if incident.health is not None:
            style, shape = (GOOD, "✔ ") if incident.health.startswith("healthy") else (BAD, "✘ ")
            made += [BLANK, line(("The application says", STRONG))]
            made += wrapped(clean(incident.health), width, line((shape, style)))
        elif self._swapped and self.guide.database.health_url is None:
            made += [BLANK, line(("No health address is configured: ask the application yourself.", FAINT))]
        if self._swapped and incident.closed_at is None:
            made += [
                BLANK,
                *wrapped("c closes the incident and writes its report; u puts the old one back.", width),
            ]
        self.query_one(TextLines).show(made)

    def _end_lines(self, incident: Incident, width: int) -> list[Content]:
        style = GOOD if incident.outcome in ("recovered", "rehearsed") else ""
        took = incident.closed_at - incident.declared_at if incident.closed_at else None
        late = took is not None and took > self.guide.database.rto
        said = f"{clean(incident.outcome or 'closed')} after {show.duration(took)}"
        said += f", RTO {show.limit(self.guide.database.rto)} {'MISSED' if late else 'kept'}"
        made = [line(("✔ closed  ", style), (said, STRONG))]
        made += wrapped(clean(str(self.guide.report_path)), width, line(("report    ", FAINT)))
        return [*made, BLANK]

    def _swap_lines(self, swap: Swap, width: int) -> list[Content]:
        if swap.undone_at is not None:
            said = f"The swap of {show.clock(swap.at)} was undone at {show.clock(swap.undone_at)}."
            return [*wrapped(clean(said), width, "– "), BLANK]
        said = f"{swap.restored_name} is now {swap.live_name}, since {show.clock(swap.at)} UTC."
        made = wrapped(clean(said), width, line(("✔ swapped   ", GOOD)), style=STRONG)
        kept = f"{swap.kept_as}, kept until you drop it" if swap.kept_as else "there was none before"
        made += wrapped(clean(kept), width, line(("  the old   ", FAINT)))
        made.append(
            line(("  took      ", FAINT), f"{swap.duration_s * 1000:.0f} ms, by {clean(swap.operator)}")
        )
        return made

    def _before(self, width: int) -> list[Content]:
        if not self._ready:
            text = "The restored database has not passed its checks: step 5 (key 5)."
            return [*wrapped(text, width), BLANK, *wrapped("c closes the incident without a swap.", width)]
        plan = self._plan
        if plan is None:
            return []
        made: list[Content] = []
        for label, what in self._facts(plan):
            made += wrapped(clean(what), width, line((f"{label:<10}", FAINT)))
        made += [BLANK, *finding_lines(plan.findings, width)] if plan.findings else []
        made += [BLANK, line(("What it will run; you could type the same", STRONG))]
        for command in plan.commands:
            made += wrapped(clean(command), width, "  ")
        return made
