"""Step 6, resume: what was restored comes into use, by a swap, a merge or a new address; the application is
asked, the incident is closed. Swap and merge can be taken back until then."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from tui.incident.scenarios import Way
from tui.model import amounts as show
from tui.model.incident import Incident, Step, StepStatus, Swap
from tui.model.smoke import LIVE
from tui.model.text import clean
from tui.operations.swap.swap import SwapPlan
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.drill_end import DrillEnd, DrillEndScreen, measured, rehearsed_lines
from tui.screens.recovery.endings import Endings
from tui.screens.text import TextScreen
from tui.widgets.check_lines import check_count, check_lines
from tui.widgets.ending_lines import (
    difference_lines,
    handed_lines,
    merge_lines,
    reminder_lines,
    ways_lines,
)
from tui.widgets.finding_lines import finding_lines
from tui.widgets.keys import bound
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, line, wrapped
from tui.widgets.paused_line import paused_words
from tui.widgets.scenario_lines import advice_below
from tui.widgets.server_line import server_line
from tui.widgets.text_lines import TextLines
from tui.widgets.tour_line import with_keys


class ResumePane(Endings):
    """Shows how it can end, then that it has, what the application says, and the end of the incident."""

    BINDINGS: ClassVar[list[BindingType]] = bound("resume")

    _plan: SwapPlan | None = None

    def compose(self) -> ComposeResult:
        """Makes the pane."""
        yield TextLines(id="resume-lines")

    def opened(self) -> None:
        """Plans the swap anew each time: sizes and sessions are those of now."""
        self.query_one(TextLines).focus()
        looks = self._ready or (self._hands_over and not self._address)
        if looks and not self.doing and self.desk.may_write:
            self.action_look_again()
        self.draw()

    @property
    def _verified(self) -> bool:
        incident = self.desk.incident
        passed = incident.record(Step.VERIFY).status in (StepStatus.DONE, StepStatus.SKIPPED)
        return passed and incident.target is not None

    @property
    def _ended(self) -> bool:
        """Whether it was put in place, and that stands."""
        return self.guide.swapped or self.guide.merged or self.desk.incident.rehearsed_at is not None

    @property
    def _ready(self) -> bool:
        return self._verified and not self._ended

    @property
    def _hands_over(self) -> bool:
        """Whether the application still waits for its new address."""
        incident = self.desk.incident
        waits = incident.handed is None and incident.rehearsed_at is None
        return self._verified and waits and Way.ADDRESS in self._ways

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done depends on whether it was swapped and closed."""
        if self.desk.incident.drill and action in ("health", "undo"):
            return False
        incident, write = self.desk.incident, self.desk.may_write and not self.doing
        if action == "swap":
            return write and self._ready and self._plan is not None and Way.SWAP in self._ways
        if action in ("merge", "compare", "triggers", "update"):
            compared = action == "compare" or incident.compared_at is not None
            return write and self._ready and compared and Way.MERGE in self._ways
        if action in ("hand_over", "copy_address"):
            return write and self._hands_over and bool(self._address)
        if action == "resume_services":
            return write and not incident.drill and self.guide.in_use and self._paused
        if action in ("report", "copy"):
            return incident.closed_at is not None
        if action == "copy_commands":
            hidden = self._hands_over and bool(self._address)  # y copies the address then
            return incident.closed_at is None and self._ready and self._plan is not None and not hidden
        if action == "health":
            return write and self.guide.in_use and self._can_ask
        if action == "undo":
            return write and (self.guide.swapped or self.guide.merged)
        if action == "close":
            return write
        return action != "look_again" or (write and (self._ready or self._hands_over))

    @property
    def _can_ask(self) -> bool:
        database = self.guide.database
        return database.health_url is not None or any(s.when == LIVE for s in database.smokes)

    def action_look_again(self) -> None:
        """Looks at what the swap would do now, and at the address that the application would get."""

        def look() -> SwapPlan | None:
            if self._hands_over:
                self.look_up_address()
            return self.guide.swap_plan() if self._ready and Way.SWAP in self._ways else None

        self.ask("looking at the server and its sessions", look, self._planned)

    def _planned(self, plan: SwapPlan | None) -> None:
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
        self._address = ""  # it has another name now
        if Way.ADDRESS in self._ways:
            self.call_after_refresh(self.action_look_again)
        else:
            self._was_ended(incident)

    def action_undo(self) -> None:
        """Asks, then takes the swap back, or the merge."""
        if self.guide.merged:
            self.ask_to_undo_merge()
            return
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
                close = partial(self.guide.close, outcome)
                self.ask("writing the report", close, self._was_closed, must_finish=True)

        about = "" if self.guide.in_use else "No restored database is in the live one's place. "
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

    def _was_closed(self, incident: Incident) -> None:
        self.query_one(TextLines).scroll_home(animate=False)  # that it is closed stands at the top

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

    def action_copy_address(self) -> None:
        """Copies the address that the application is to get; no password is in it."""
        self.notify(self.desk.copy("database-url", f"{self._address}\n"), markup=False)

    # Showing

    def draw(self) -> None:
        """Shows where things are."""
        incident, width = self.desk.incident, self.room()
        made = [*self.trouble(), *self.waiting()]
        if incident.closed_at is not None:
            made += self._end_lines(incident, width)
        if incident.swap is not None:
            made += self._swap_lines(incident.swap, width)
        if incident.merge is not None:
            made += merge_lines(incident.merge, width)
        if incident.handed is not None:
            made += handed_lines(incident.handed, width)
        made += reminder_lines(incident, width)
        if incident.drill and incident.rehearsed_at is not None:
            made += rehearsed_lines(incident, width)
        elif incident.closed_at is None:
            made += self._before(width) if not self._ended else []
            made += self._address_lines(width) if self._hands_over else []
        made += self._after_lines(incident, width)
        self.query_one(TextLines).show([*made, *advice_below(incident, self.step, width)])

    def _after_lines(self, incident: Incident, width: int) -> list[Content]:
        made: list[Content] = []
        if incident.live_checks:
            made += [BLANK, line(("Asked in place  ", STRONG), check_count(incident.live_checks))]
            made += check_lines(incident.live_checks, width)
        in_use = self.guide.in_use
        if incident.health is not None:
            style, shape = (GOOD, "✔ ") if incident.health.startswith("healthy") else (BAD, "✘ ")
            made += [BLANK, line(("The application says", STRONG))]
            made += wrapped(clean(incident.health), width, line((shape, style)))
        elif in_use and self.guide.database.health_url is None:
            made += [BLANK, line(("No health address is configured: ask the application yourself.", FAINT))]
        if in_use and incident.closed_at is None:
            still = paused_words(self.guide.paused())
            does = f"{{resume.resume_services}} {self._let_go}, " if self._let_go else ""
            keys = f"{does}{{recovery.services}} shows all. " if still else ""
            keys += "{resume.close} closes the incident and writes its report"
            keys += "; {resume.undo} takes it back." if self.guide.swapped or self.guide.merged else "."
            made += [BLANK, *wrapped((f"{still}: " if still else "") + self._named(keys), width)]
        return made

    def _named(self, text: str) -> str:
        """A text with the keys that it names, as they are here."""
        return with_keys(text, dict(getattr(self.app, "keymap_of_fleet", ())))

    def _address_lines(self, width: int) -> list[Content]:
        if not self._address:
            return []
        made = [BLANK, line(("The application's new address, without a password", STRONG))]
        made += wrapped(clean(self._address), width, "  ")
        if self._command:
            made += wrapped(clean(self._command), width, line(("  set by  ", FAINT)))
        how = (
            "a hands it over"
            if self._ended
            else "a hands it over as it is; a swap first gives it its own name"
        )
        return [*made, *wrapped(f"{how}; y copies it.", width, "  ")]

    def _end_lines(self, incident: Incident, width: int) -> list[Content]:
        style = GOOD if incident.outcome in ("recovered", "rehearsed") else ""
        took = incident.closed_at - incident.declared_at if incident.closed_at else None
        rto = self.desk.clocks.rto
        late = took is not None and took > rto
        said = f"{clean(incident.outcome or 'closed')} after {show.duration(took)}"
        said += f", RTO {show.limit(rto)} {'MISSED' if late else 'kept'}"
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
        if self.guide.restores_nothing and self.desk.incident.job is None:
            said = (
                "Nothing was restored: it came back by itself."
                if self.guide.in_use
                else "It is not back yet."
            )
            keys = "{resume.health} asks the application; {recovery.services} shows the services."
            return wrapped(f"{said} {self._named(keys)}", width)
        if not self._verified:
            text = "The restored database has not passed its checks: step 5."
            return [
                *wrapped(text, width),
                BLANK,
                *wrapped(self._named("{resume.close} closes the incident without a swap."), width),
            ]
        made = ways_lines(self._ways, width)
        if Way.MERGE in self._ways:
            made += [*([BLANK] if made else []), *self._merge_lines(width), BLANK]
        if self._plan is not None and Way.SWAP in self._ways:
            made += self._swap_plan_lines(self._plan, width)
        return made

    def _merge_lines(self, width: int) -> list[Content]:
        incident = self.desk.incident
        if incident.compared_at is None:
            return wrapped(
                "Not compared with the live tables yet: d compares, row by row. It only reads.", width
            )
        made = [line((f"Compared with the live tables at {show.clock(incident.compared_at)} UTC", STRONG))]
        made += difference_lines(incident.differences, width, can_cut_over=not incident.restored_tables)
        fire = "fire" if self._how.triggers else "are off"
        changed = "OVERWRITTEN" if self._how.update_changed else "left as they are"
        return [*made, *wrapped(f"m merges: triggers {fire} (f), changed rows are {changed} (o).", width)]

    def _swap_plan_lines(self, plan: SwapPlan, width: int) -> list[Content]:
        drill = self.desk.incident.drill
        will = "would" if drill else "will"
        said = "DRILL: nothing of this is done here. It is what a recovery would do."
        made: list[Content] = wrapped(said, width, style=STRONG) if drill else []
        for label, what in self._facts(plan):
            made += wrapped(clean(what), width, line((f"{label:<10}", FAINT)))
        made += [BLANK, *finding_lines(plan.findings, width)] if plan.findings else []
        made += [
            BLANK,
            line((f"What it {will} run; you could type the same", STRONG)),
        ]
        for command in plan.commands:
            made += wrapped(clean(command), width, "  ")
        return made
