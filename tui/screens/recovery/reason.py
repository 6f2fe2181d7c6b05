"""Asks for a reason that lands in the report."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.model.text import clean
from tui.widgets.choice import Choice
from tui.widgets.keys import bound


class ReasonScreen(ModalScreen[str | None]):
    """Given what is gone past and what that means, asks why; dismisses with the reason, or None.

    There is no way on with an empty one. Enter in the text moves on to the action, it doesn't confirm.
    """

    CSS_PATH = "reason.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("question")
    help_page = "reason"

    def __init__(self, title: str, meaning: str, action: str) -> None:
        super().__init__()
        self._title, self._meaning, self._action = clean(title), clean(meaning), action

    def compose(self) -> ComposeResult:
        """Makes the box."""
        with Vertical(id="box") as box:
            box.border_title = self._title.replace("[", r"\[")
            yield Static(self._meaning, markup=False)
            with Horizontal(id="asked"):
                yield Static("Reason: ", markup=False, id="prompt")
                yield Input(id="reason", compact=True)
            with Horizontal(id="choices"):
                yield Choice("Cancel", id="cancel")
                yield Choice(self._action, id="action", disabled=True, deliberate=True)

    def on_mount(self) -> None:
        """The reason is what is asked for."""
        self.query_one("#reason").focus()

    def on_key(self, event: events.Key) -> None:
        """What is typed before the reason has the focus is the reason's too."""
        if self.focused is None and event.is_printable and event.character is not None:
            event.stop()
            self.query_one("#reason", Input).insert_text_at_cursor(event.character)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one("#action").disabled = not event.value.strip()
        self.query_one("#action").refresh()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.query_one("#action").focus()

    @on(Choice.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Closes without a reason."""
        self.dismiss(None)

    @on(Choice.Pressed, "#action")
    def _confirmed(self) -> None:
        self.dismiss(clean(self.query_one("#reason", Input).value.strip()))
