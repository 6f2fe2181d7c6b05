"""Since when is it damaged? Typed as a person says it, and shown as it was understood before it counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.incident.moments import EXAMPLES, moment
from tui.model import amounts as show
from tui.model.errors import UsageError
from tui.model.text import clean
from tui.widgets.choice import Choice
from tui.widgets.keys import bound


class MomentScreen(ModalScreen[datetime | None]):
    """Given what is known so far and the clock, asks since when it is damaged; dismisses with the moment,
    None for none. Enter in the text moves on to the action; there is no way on with what isn't understood."""

    CSS = """
    MomentScreen { align: center middle; background: $background; }
    MomentScreen #box {
        width: 100%; max-width: 96; height: auto; border: solid $warning; border-title-style: bold;
        background: $background; padding: 0 1;
    }
    MomentScreen #asked { height: 1; margin-top: 1; }
    MomentScreen #prompt { width: auto; text-style: bold; }
    MomentScreen #moment { width: 1fr; background: $background; text-style: underline; }
    MomentScreen #choices { height: 1; align-horizontal: right; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("question")
    help_page = "moment"

    def __init__(self, known: str, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._known = clean(known)
        self._now = now
        self._meant: datetime | None = None

    def compose(self) -> ComposeResult:
        """Makes the box."""
        with Vertical(id="box") as box:
            box.border_title = "Since when is it damaged?"
            yield Static(self._known, markup=False)
            yield Static(f"For instance: {EXAMPLES}. UTC.", markup=False)
            with Horizontal(id="asked"):
                yield Static("Since: ", markup=False, id="prompt")
                yield Input(id="moment", compact=True)
            yield Static("", markup=False, id="meant")
            with Horizontal(id="choices"):
                yield Choice("Cancel", id="cancel")
                yield Choice("that is when", id="action", disabled=True)

    def on_mount(self) -> None:
        """The moment is what is asked for; the cursor doesn't blink, for a quiet line."""
        asked = self.query_one("#moment", Input)
        asked.cursor_blink = False
        asked.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._meant, said = None, ""
        if event.value.strip():
            try:
                self._meant = moment(event.value, self._now())
                ago = show.age(self._now() - self._meant)
                said = f"= {show.minute(self._meant)}:{self._meant:%S} UTC, {ago} ago"
            except UsageError as error:
                said = error.what
        self.query_one("#meant", Static).update(said)
        action = self.query_one("#action")
        action.disabled = self._meant is None
        action.refresh()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if self._meant is not None:
            self.query_one("#action").focus()

    @on(Choice.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Closes without a moment."""
        self.dismiss(None)

    @on(Choice.Pressed, "#action")
    def _confirmed(self) -> None:
        self.dismiss(self._meant)
