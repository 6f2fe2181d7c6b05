"""A line that says who drives the incident, when it is someone else."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from tui.model import amounts as show
from tui.model.incident import Incident
from tui.model.text import clean
from tui.widgets.lines import FAINT, WARN, fit, line


def drive_line(incident: Incident, drives: bool, key: str = "T") -> Content | None:
    """Given an incident and whether who looks at it drives it, returns who does; None when it is the same."""
    if drives or incident.closed_at is not None:
        return None
    since = f" since {show.clock(incident.driver_since)}" if incident.driver_since else ""
    return line(
        (f" {clean(incident.driving, 60)} drives{since}, you watch", WARN), (f"  {key} takes it over", FAINT)
    )


class DriveLine(Widget):
    """One line while another engineer drives; no line at all otherwise."""

    DEFAULT_CSS = """
    DriveLine { height: 1; display: none; }
    """

    _told: Content | None = None

    def show(self, told: Content | None) -> None:
        """Given what is to be said, says it; with None takes no room."""
        before, self._told = self._told, told
        if (before and before.plain) != (told and told.plain):
            self.display = told is not None
            self.refresh(layout=True)

    def render(self) -> Content:
        """Returns the line for the width there is."""
        return fit(self._told, self.size.width) if self._told is not None else Content("")
