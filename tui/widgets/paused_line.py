"""One line on what is still paused or frozen, which takes no room where nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from tui.model.text import clean
from tui.widgets.lines import BLANK, WARN, line

if TYPE_CHECKING:
    from tui.model.paused import Paused


class PausedLine(Static):
    """Shows what is paused until it no longer is: nobody is to go home while an application is down."""

    DEFAULT_CSS = "PausedLine { height: auto; padding: 0 1; display: none; }"

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def show(self, paused: Paused) -> None:
        """Given what is paused, says so, or takes itself away."""
        told = paused_words(paused)
        self.display = bool(told)
        self.update(line(("‖ ", WARN), (told, WARN), "  p on its row shows it") if told else BLANK)

    @property
    def plain(self) -> str:
        """What it says."""
        content = self.content
        return content.plain if isinstance(content, Content) else str(content)


def paused_words(paused: Paused) -> str:
    """Given what is paused or frozen, returns it as a few words, database by database; none when nothing is.
    What a swap has put aside is left frozen on purpose, and isn't told."""
    by_database: dict[str, list[str]] = {}
    for service in paused.services:
        by_database.setdefault(service.database or "", []).append(service.service)
    parts = []
    for database, services in by_database.items():
        whose = f" of {clean(database)}" if database else ""
        parts.append(f"paused{whose}: {', '.join(map(clean, services))}")
    frozen = [clean(d.database) for d in paused.databases if not d.aside]
    parts += [f"frozen: {', '.join(frozen)}"] if frozen else []
    parts += ["a record of what is paused can't be read: pgdr paused"] if paused.problems else []
    return "Still " + " · ".join(parts) if parts else ""
