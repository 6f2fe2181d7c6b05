"""Step 1, assess: what is reachable, what is missing, what changed since the last backup."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from tui.model.incident import Incident, Step, StepStatus
from tui.model.plan import Finding
from tui.screens.recovery.pane import StepPane
from tui.widgets.finding_lines import count_lines, finding_lines
from tui.widgets.lines import BLANK, FAINT, STRONG, line
from tui.widgets.text_lines import TextLines


class AssessPane(StepPane):
    """Shows findings worst first as they arrive, then the tables' counts against the last backup."""

    step = Step.ASSESS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "next: pick a backup"),
        Binding("r", "look_again", "look again"),
    ]

    def compose(self) -> ComposeResult:
        """Makes the pane."""
        with Horizontal(id="assess-both"):
            yield TextLines(id="assess-lines")
            yield TextLines(id="assess-counts")

    def opened(self) -> None:
        """Looks by itself the first time, and when a look was cut off: it only reads."""
        self.query_one("#assess-lines").focus()
        status = self.desk.incident.record(self.step).status
        unseen = status in (StepStatus.PENDING, StepStatus.ACTIVE) and self.desk.incident.closed_at is None
        unseen = unseen and self.guide.drives
        if unseen and not self.doing:
            self.action_look_again()
        self.draw()

    def action_look_again(self) -> None:
        """Looks anew. What was found so far goes; the timeline keeps it."""
        arrived: list[Finding] = []
        self._arrived = arrived
        # Appending to a list is safe from a thread; the pane draws what is there twice a second, and
        # the guide's work can't fail because the pane has gone meanwhile.
        self.ask(
            "looking at the server, the backups and the tables",
            lambda: self.guide.assess(arrived.append),
            self._seen,
        )

    _arrived: list[Finding] | None = None

    def _seen(self, incident: Incident) -> None:
        self._arrived = None

    def action_next(self) -> None:
        """On to the backups."""
        self.post_message(self.Go(Step.PICK))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A closed incident is only read."""
        free = self.desk.incident.closed_at is None and self.guide.drives
        return action != "look_again" or (free and not self.doing)

    def draw(self) -> None:
        """Shows findings and counts."""
        incident = self.desk.incident
        told, beside = self.query_one("#assess-lines", TextLines), self.query_one("#assess-counts", TextLines)
        width = max(40, told.size.width - 1)
        findings = incident.findings if self._arrived is None else tuple(self._arrived)
        made = [*self.trouble(), *finding_lines(findings, width, "DAMAGED"), *self.waiting()]
        if not made:
            made = [line(("Nobody has looked yet.", FAINT), " r looks.")]
        counted = incident.counts if self._arrived is None else ()
        title = line(("Rows now against the last backup", STRONG))
        beside.display = bool(counted) and self.has_class("wide")
        if beside.display:
            beside.show([title, *count_lines(counted, max(40, beside.size.width - 1))])
        elif counted:
            made += [BLANK, title, *count_lines(counted, width)]
        told.show(made)
