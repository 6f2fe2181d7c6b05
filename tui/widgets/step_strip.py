"""The six steps of a recovery in one line: what is done and how long it took, what is on, what is to come."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tui.model import amounts as show
from tui.model.incident import Incident, Step, StepRecord, StepStatus
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, WARN, line

_SHAPES = {
    StepStatus.PENDING: ("·", FAINT),
    StepStatus.ACTIVE: ("▶", STRONG),
    StepStatus.DONE: ("✔", GOOD),
    StepStatus.SKIPPED: ("–", WARN),
    StepStatus.FAILED: ("✘", BAD),
}


def step_line(incident: Incident, shown: Step, now: datetime, width: int) -> Content:
    """Given an incident and the step that is on the screen, returns the line at `width` cells.

    The step on the screen is in capitals; each has the number of its key. When each began and ended is told
    where there is room, then how long it took; times go first when it is narrow.
    """
    gaps = len(incident.steps) - 1
    for air, clocks, ends in ((" ", True, True), (" ", True, False), ("", True, False), ("", False, False)):
        cells = [
            _cell(number, record, record.step is shown, now if clocks else None, air, ends)
            for number, record in enumerate(incident.steps, start=1)
        ]
        room = width - 2 - sum(cell.cell_length for cell in cells)
        if room >= 2 * gaps:
            break
    gap = " " * max(1, min(3, room // gaps))
    made = BLANK
    for number, cell in enumerate(cells):
        made = made + (gap if number else " ") + cell
    return made


def _cell(
    number: int, record: StepRecord, on_screen: bool, now: datetime | None, air: str, ends: bool
) -> Content:
    sign, style = _SHAPES[record.status]
    name = line((record.step.value.upper(), "bold reverse")) if on_screen else line(record.step.value)
    made = line((f"{number}", FAINT), (sign, style), air, name)
    if now is not None and record.began_at is not None and record.status is not StepStatus.SKIPPED:
        # Steps may be worked on again and again: a step's time is from its first beginning to its last end.
        end = show.clock(record.ended_at) if record.ended_at else ""
        when = f" {show.clock(record.began_at)}–{end}" if ends else ""
        made += line((f"{when} {show.age((record.ended_at or now) - record.began_at)}", FAINT))
    return made


class StepStrip(Widget):
    """Shows the steps of an incident. Redraws when it is told something new, and once a minute."""

    DEFAULT_CSS = """
    StepStrip { height: 2; border-bottom: solid $rule; }
    """

    class Wanted(Message):
        """A step was clicked."""

        def __init__(self, step: Step) -> None:
            super().__init__()
            self.step = step

    def __init__(self, incident: Incident, shown: Step, now: datetime) -> None:
        super().__init__()
        self._incident, self._shown, self._at = incident, shown, now

    def show(self, incident: Incident, shown: Step, now: datetime) -> None:
        """Given the incident as it is now and the step on the screen, shows them."""
        before = self.render().plain
        self._incident, self._shown, self._at = incident, shown, now
        if self.render().plain != before:
            self.refresh()

    def render(self) -> Content:
        """Returns the line for the width there is."""
        return step_line(self._incident, self._shown, self._at, max(20, self.size.width))
