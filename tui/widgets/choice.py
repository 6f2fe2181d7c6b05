"""A button that shows by its shape, not only its colour, that it has the focus: `[ Cancel ]`."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tui.model.text import clean


class Choice(Widget, can_focus=True):
    """One thing that can be chosen with enter. Disabled, it is told as `(swap)` and can't be reached."""

    DEFAULT_CSS = """
    Choice { width: auto; height: 1; margin: 0 0 0 2; }
    Choice:focus { text-style: bold reverse; }
    Choice:disabled { color: $foreground-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "press", "choose", show=False)]

    class Pressed(Message):
        """Enter was pressed on the choice, or it was clicked."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

        @property
        def control(self) -> Choice:
            """The choice."""
            return self.choice

    def __init__(self, label: str, *, id: str | None = None, disabled: bool = False) -> None:  # noqa: A002
        super().__init__(id=id, disabled=disabled)
        self.label = clean(label)

    def render(self) -> Content:
        """Returns the label in the shape of its state; all shapes have the same width."""
        if self.disabled:
            return Content(f" ({self.label}) ")
        return Content(f"[ {self.label} ]" if self.has_focus else f"  {self.label}  ")

    def get_content_width(self, *_: object) -> int:
        """Returns the width of every shape."""
        return Content(self.label).cell_length + 4

    def on_click(self) -> None:
        """A click chooses."""
        self.action_press()

    def action_press(self) -> None:
        """Tells that it was chosen."""
        if not self.disabled:
            self.post_message(self.Pressed(self))
