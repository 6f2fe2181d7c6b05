"""`/` and what is typed after it, with a word on the right on how much it lets through."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui.model.text import clean
from tui.widgets.keys import bound
from tui.widgets.tones import DIM, Cell, Piece, told


class FilterInput(Input):
    """The line that is typed in. Its cursor doesn't blink: a blink is two messages a second over SSH."""

    BINDINGS: ClassVar[list[BindingType]] = bound("filter")

    class Left(Message):
        """The filter was left; `clear` tells whether to forget it."""

        def __init__(self, clear: bool) -> None:
            super().__init__()
            self.clear = clear

    def on_mount(self) -> None:
        """Stops the blinking."""
        self.cursor_blink = False

    def action_leave(self, clear: bool) -> None:
        """Goes back to the rows."""
        self.post_message(self.Left(clear))


class FilterBar(Horizontal):
    """One line. Posts `Changed` as it is typed and `Closed` when the rows should have the focus again.

    With `always` it is there also while it is empty, for its word on the right (`status`).
    """

    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; }
    FilterBar.open, FilterBar.always { display: block; }
    FilterBar .filter--mark { width: 3; }
    FilterBar .filter--status { width: auto; max-width: 70%; text-align: right; }
    FilterBar FilterInput { width: 1fr; background: transparent; }
    """

    class Changed(Message):
        """Another text is looked for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """Typing is over."""

    def __init__(self, *, always: bool = False, hint: str = "") -> None:
        super().__init__(classes="always" if always else "")
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Makes the line."""
        yield Static(" / ", markup=False, classes="filter--mark")
        yield FilterInput(compact=True, placeholder=self._hint)
        yield Static("", markup=False, classes="filter--status")

    @property
    def text(self) -> str:
        """What is looked for."""
        return self.query_one(FilterInput).value

    def look_for(self, text: str) -> None:
        """Looks for `text` as if it had been typed."""
        self.query_one(FilterInput).value = clean(text)  # a field draws what it holds as it is
        self.set_class(bool(text), "open")

    def open(self) -> None:
        """Begins to type."""
        self.add_class("open")
        self.query_one(FilterInput).focus()

    def status(self, *pieces: Piece) -> None:
        """Sets the word on the right."""
        cells = [Cell(clean(p), DIM) if isinstance(p, str) else p for p in pieces]
        self.query_one(".filter--status", Static).update(told(*cells, " "))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Passes on what is looked for."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_filter_input_left(self, event: FilterInput.Left) -> None:
        """Ends the typing."""
        event.stop()
        field = self.query_one(FilterInput)
        if event.clear:
            field.value = ""
        if not field.value:
            self.remove_class("open")
        self.post_message(self.Closed())
