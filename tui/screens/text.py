"""A text to read: a report, a list of commands. It scrolls, and `y` copies it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tui.model.text import clean_lines
from tui.screens import go
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.lines import wrapped
from tui.widgets.text_lines import TextLines


class TextScreen(Screen[None]):
    """Given a place for the header, a `name` for the copy and the text, shows the text as it is."""

    CSS = "TextScreen { background: $background; } TextScreen TextLines { padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = bound("read")
    help_page = "read"

    def __init__(self, bearings: Bearings, place: str, name: str, text: str) -> None:
        super().__init__()
        self._bearings = bearings
        self._place = place
        self._name_of_copy = name
        self._text = text

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, self._place)
        yield TextLines()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Shows the text."""
        self.query_one(TextLines).focus()

    def on_resize(self) -> None:
        """Wraps the text to the width."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        told = self.query_one(TextLines)
        width = max(20, told.size.width - 2)
        told.show([row for text in clean_lines(self._text).split("\n") for row in wrapped(text, width)])

    def action_copy(self) -> None:
        """Copies the text."""
        self.post_message(go.Copy(self._name_of_copy, self._text))
