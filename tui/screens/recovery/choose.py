"""Asks which of a few things to do. The harmless one has the focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.model.text import clean
from tui.widgets.choice import Choice
from tui.widgets.keys import bound


class ChooseScreen(ModalScreen[int | None]):
    """Given a title, what it is about, and (label, what it means) choices of which the first is the
    harmless one, dismisses with the number of the one chosen, None for none."""

    CSS_PATH = "choose.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("question")
    help_page = "choose"

    def __init__(self, title: str, about: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._about, self._choices = clean(title), clean(about), tuple(choices)

    def compose(self) -> ComposeResult:
        """Makes the box."""
        with Vertical(id="box") as box:
            box.border_title = self._title.replace("[", r"\[")
            if self._about:
                yield Static(self._about, markup=False, id="about")
            for number, (label, meaning) in enumerate(self._choices):
                yield Choice(label, id=f"choice-{number}", deliberate=number > 0)
                yield Static(clean(meaning), markup=False, classes="meaning")

    def on_mount(self) -> None:
        """The harmless one has the focus."""
        self.query_one("#choice-0").focus()

    @on(Choice.Pressed)
    def _pressed(self, event: Choice.Pressed) -> None:
        self.dismiss(int((event.choice.id or "choice-0").removeprefix("choice-")))

    def action_cancel(self) -> None:
        """Closes with nothing chosen."""
        self.dismiss(None)
