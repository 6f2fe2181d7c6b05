"""Step 5, verify: is the restored database right? Checks with what was expected and what was found."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.incident.scenarios import Way
from tui.model import amounts as show
from tui.model.backup import Verdict
from tui.model.incident import Incident, Step, StepStatus
from tui.model.text import clean
from tui.model.verdict import Check
from tui.screens.recovery.pane import StepPane
from tui.screens.recovery.reason import ReasonScreen
from tui.widgets.check_lines import check_count, check_lines
from tui.widgets.ending_lines import difference_lines
from tui.widgets.keys import bound
from tui.widgets.lines import BLANK, FAINT, STRONG, WARN, line, wrapped
from tui.widgets.scenario_lines import advice_below
from tui.widgets.text_lines import TextLines


class VerifyPane(StepPane):
    """Shows checks as they arrive, failed ones first. Going on with a failed one needs a reason."""

    step = Step.VERIFY
    BINDINGS: ClassVar[list[BindingType]] = bound("verify")

    _arrived: list[Check] | None = None

    def compose(self) -> ComposeResult:
        """Makes the pane."""
        yield TextLines(id="verify-lines")

    @property
    def _restored(self) -> bool:
        incident = self.desk.incident
        if self._by_itself:
            return True
        return incident.target is not None and incident.verdict in (Verdict.CLEAN, Verdict.EXPLAINED)

    @property
    def _by_itself(self) -> bool:
        """Whether nothing was restored: the live database is looked at."""
        return self.guide.restores_nothing and self.desk.incident.job is None

    def opened(self) -> None:
        """Checks by itself the first time, and when that was cut off: it only reads."""
        self.query_one(TextLines).focus()
        status = self.desk.incident.record(self.step).status
        unasked = status in (StepStatus.PENDING, StepStatus.ACTIVE) and self.desk.may_write
        if self._restored and unasked and not self.doing:
            self.action_check_again()
        self.draw()

    def action_check_again(self) -> None:
        """Asks everything anew."""
        arrived: list[Check] = []
        self._arrived = arrived
        self.ask(
            "comparing with the backup's own counts and asking the checks",
            lambda: self.guide.verify(arrived.append),
            self._checked,
        )

    def _checked(self, incident: Incident) -> None:
        self._arrived = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On only when it passed or was gone past; past only when it didn't pass."""
        status = self.desk.incident.record(self.step).status
        if action == "next":
            return status in (StepStatus.DONE, StepStatus.SKIPPED)
        if action == "check_again":
            return (
                self._restored and self.desk.may_write and not self.doing and self.desk.incident.swap is None
            )
        if action == "compare":
            offered = not self._by_itself and Way.MERGE in self.guide.ways
            return offered and self._restored and self.desk.may_write and not self.doing
        if action == "go_past":
            return (
                self._restored
                and self.desk.may_write
                and not self.doing
                and status not in (StepStatus.DONE, StepStatus.SKIPPED)
            )
        return True

    def action_compare(self) -> None:
        """Compares with the live tables, row by row; it only reads."""
        self.ask("comparing with the live tables, row by row", self.guide.compare)

    def action_go_past(self) -> None:
        """Goes on although not all is well; the reason lands in the report."""

        def given(reason: str | None) -> None:
            if reason:
                skip = partial(self.guide.skip, Step.VERIFY, reason)
                self.ask("writing it down", skip, self._gone_past, must_finish=True)

        failed = sum(check.passed is False for check in self.desk.incident.checks)
        meaning = f"{show.plural(failed, 'check')} failed." if failed else "The checks have not been asked."
        meaning += (
            " The restored database may be wrong; it could be put in the live one's place all the same."
        )
        self.app.push_screen(
            ReasonScreen("Go on although the checks have not passed", meaning, "go on"), given
        )

    def _gone_past(self, incident: Incident) -> None:
        self.post_message(self.Go(Step.RESUME))

    def action_next(self) -> None:
        """On to the swap."""
        self.post_message(self.Go(Step.RESUME))

    def draw(self) -> None:
        """Shows the checks."""
        incident, width = self.desk.incident, self.room()
        checks = incident.checks if self._arrived is None else tuple(self._arrived)
        record = incident.record(self.step)
        made = [*self.trouble()]
        if not self._restored and not checks:
            made += wrapped("There is no restored database to check yet: step 4 (key 4).", width)
        else:
            what = (
                "nothing: the live database is looked at, read-only" if self._by_itself else incident.target
            )
            made += wrapped(clean(what or ""), width, line(("restored  ", FAINT)))
        if checks:
            made += [check_count(checks), BLANK, *check_lines(checks, width)]
        if incident.compared_at is not None and self._arrived is None:
            made += [BLANK, line(("Compared with the live tables", STRONG))]
            whole = not incident.restored_tables
            made += difference_lines(incident.differences, width, can_cut_over=whole)
        made += self.waiting()
        if record.status is StepStatus.SKIPPED:
            made += [BLANK, *wrapped(clean(record.note), width, line(("– gone past: ", WARN)))]
        self.query_one(TextLines).show([*made, *advice_below(incident, self.step, width)])
