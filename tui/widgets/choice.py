"""A button that shows by its shape, not only its colour, that it has the focus: `[ Cancel ]`."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from tui.model.text import clean
from tui.widgets.keys import bound


class Choice(Widget, can_focus=True):
    """One thing that can be chosen with enter. Disabled, it is told as `(swap)` and can't be reached.

    What is `deliberate` is chosen by one press alone: a terminal doesn't tell a held key from one that is
    pressed many times, so it waits a moment, in which no other press may come.
    """

    PAUSE_S: ClassVar[float] = 0.5  # a held key repeats many times in that

    DEFAULT_CSS = """
    Choice { width: auto; height: 1; margin: 0 0 0 2; }
    Choice:focus { text-style: bold reverse; }
    Choice:disabled { color: $foreground-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("choice")

    class Pressed(Message):
        """Enter was pressed on the choice, or it was clicked."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

        @property
        def control(self) -> Choice:
            """The choice."""
            return self.choice

    def __init__(
        self,
        label: str,
        *,
        id: str | None = None,  # noqa: A002 (the name Textual gives it)
        disabled: bool = False,
        deliberate: bool = False,
    ) -> None:
        super().__init__(id=id, disabled=disabled)
        self.label = clean(label)
        self.deliberate = deliberate
        self._waiting: Timer | None = None
        self._held = False

    def render(self) -> Content:
        """Returns the label in the shape of its state; all shapes have the same width."""
        if self.disabled:
            return Content(f" ({self.label}) ")
        if self._waiting is not None:
            return Content(f"> {self.label} <")
        return Content(f"[ {self.label} ]" if self.has_focus else f"  {self.label}  ")

    def get_content_width(self, *_: object) -> int:
        """Returns the width of every shape."""
        return Content(self.label).cell_length + 4

    def on_click(self) -> None:
        """A click chooses."""
        if not self.disabled:
            self.post_message(self.Pressed(self))

    def action_press(self) -> None:
        """Tells that it was chosen; a deliberate one only once the key has been let go."""
        if self.disabled:
            return
        if not self.deliberate or self.PAUSE_S <= 0:
            self.post_message(self.Pressed(self))
            return
        if self._waiting is not None:
            self._waiting.stop()
            self._held = True
        self._waiting = self.set_timer(self.PAUSE_S, self._let_go)
        self.refresh()

    def _let_go(self) -> None:
        held, self._held, self._waiting = self._held, False, None
        self.refresh()
        if not held and self.has_focus and not self.disabled:
            self.post_message(self.Pressed(self))

    def on_blur(self) -> None:
        """Who goes elsewhere hasn't chosen it."""
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting, self._held = None, False
