"""What is said where the terminal is too small for any screen. The app goes on beneath it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from tui.widgets.format import cut
from tui.widgets.keys import bound

FLOOR = (60, 16)  # columns and lines below which no screen can be read


class _Word(Widget):
    """The message, as much of it as there is room for."""

    DEFAULT_CSS = "_Word { height: 1fr; }"

    def render(self) -> Content:
        """Returns it for the size there is."""
        width, height = self.app.size
        rows = (
            f"Too small: {width}x{height}.",
            f"pgdr needs {FLOOR[0]}x{FLOOR[1]}.",
            "Make it larger: it goes on.",
            "ctrl+q quits.",
        )
        return Content("\n".join(cut(row, width) for row in rows[: max(1, height)]))


class SmallScreen(ModalScreen[None]):
    """Covers everything until there is room again."""

    CSS = "SmallScreen { background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = bound("small")
    help_page = ""

    def compose(self) -> ComposeResult:
        """Makes the message."""
        yield _Word()
