"""A line that says who drives the incident, when it is someone else, and that it is a drill, when it is."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from tui.model import amounts as show
from tui.model.incident import Incident
from tui.model.text import clean
from tui.widgets.lines import FAINT, WARN, fit, line


def drive_line(incident: Incident, drives: bool, key: str = "T") -> Content | None:
    """Given an incident and whether who looks at it drives it, returns what is to be known about that; None
    when there is nothing to say."""
    parts: list[tuple[str, str] | str] = []
    if incident.drill:
        parts.append(("DRILL: nothing live is touched, nobody is told", WARN))
    if not drives and incident.closed_at is None:
        since = f" since {show.clock(incident.driver_since)}" if incident.driver_since else ""
        gap = "  " if parts else ""
        parts += [gap, (f"{clean(incident.driving, 60)} drives{since}, you watch", WARN)]
        parts += [(f"  {key} takes it over", FAINT)]
    return line(" ", *parts) if parts else None


class DriveLine(Widget):
    """One line while another engineer drives or it is a drill; no line at all otherwise."""

    DEFAULT_CSS = """
    DriveLine { height: 1; display: none; }
    DriveLine.told { display: block; }
    """

    _told: Content | None = None

    def show(self, told: Content | None) -> None:
        """Given what is to be said, says it; with None takes no room."""
        before, self._told = self._told, told
        self.set_class(told is not None, "told")
        if told is not None and (before is None or before.plain != told.plain):
            self.refresh()

    def render(self) -> Content:
        """Returns the line for the width there is."""
        return fit(self._told, self.size.width) if self._told is not None else Content("")
