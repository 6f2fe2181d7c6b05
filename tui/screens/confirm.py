"""The one question that may hurt. Nothing is confirmed by accident."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.model.text import clean
from tui.widgets.choice import Choice
from tui.widgets.facts import FactList
from tui.widgets.keys import bound

_TYPED_S = 0.05  # after this the typing has come to a pause


class ConfirmScreen(ModalScreen[bool]):
    """Asks before something is done; dismisses with True only when it was confirmed.

    Given a `title`, the `facts` (label and what is true: server, what is there now, what becomes of
    it, the way back), the word on the `action` button, and the `name` that must be typed. Cancel has
    the focus at first; typing goes to the name wherever the focus is. The action can be reached only
    while the exact name stands there, and only enter on the action itself confirms. Without a `name`
    (for what does no harm) the action can be reached at once; Cancel still has the focus.
    """

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("question")
    help_page = "confirm"

    def __init__(
        self,
        title: str,
        facts: Iterable[tuple[str, str]],
        *,
        action: str,
        name: str | None = None,
        prompt: str = "Type the name",
        cancel: str = "Cancel",
    ) -> None:
        super().__init__()
        self._title = clean(title)
        self._facts = tuple(facts)
        self._action = action
        # A name that holds control characters is typed as it is shown.
        self._name_to_type = None if name is None else clean(name)
        self._prompt = clean(prompt)
        self._cancel = cancel
        self._typing: Timer | None = None

    @property
    def types_a_name(self) -> bool:
        """Whether a name must be typed."""
        return self._name_to_type is not None

    def compose(self) -> ComposeResult:
        """Makes the box."""
        with VerticalScroll(id="box", can_focus=False) as box:
            box.border_title = self._title.replace("[", r"\[")
            yield FactList(self._facts)
            if self._name_to_type is not None:
                with Horizontal(id="asked"):
                    yield Static(f"{self._prompt}: ", markup=False, id="prompt")
                    yield Input(id="typed", compact=True, select_on_focus=False)
                yield Static("", markup=False, id="hint")
            with Horizontal(id="choices"):
                yield Choice(self._cancel, id="cancel")
                yield Choice(
                    self._action, id="action", disabled=self._name_to_type is not None, deliberate=True
                )

    def on_mount(self) -> None:
        """Gives Cancel the focus. The cursor doesn't blink: an idle screen is quiet on the wire."""
        for typed in self.query("#typed").results(Input):
            typed.cursor_blink = False
        self.query_one("#cancel").focus()

    def on_key(self, event: events.Key) -> None:
        """Typing goes to the name, wherever the focus is."""
        if self._name_to_type is None or not event.is_printable or event.character is None:
            return
        # What comes here was not taken by the name. A slow line brings many keys at once: were the name given
        # the focus by the first, later ones would overtake those that are still on their way to here.
        event.stop()
        self._type(event.character)

    def _type(self, text: str) -> None:
        self.query_one("#typed", Input).insert_text_at_cursor(text)
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPED_S, self._pause_in_typing)

    def _pause_in_typing(self) -> None:
        self._typing = None
        self.query_one("#typed", Input).focus()

    def on_paste(self, event: events.Paste) -> None:
        """So does pasting: its first line, as Input itself takes it."""
        if self._name_to_type is None or not event.text:
            return
        event.stop()
        self._type(event.text.splitlines()[0])

    @on(Input.Changed, "#typed")
    def _typed(self, event: Input.Changed) -> None:
        self.query_one("#action", Choice).disabled = event.value != self._name_to_type
        self.query_one("#action").refresh()
        self.query_one("#hint", Static).update("")

    @on(Input.Submitted, "#typed")
    def _submitted(self) -> None:
        """Enter in the name only moves on to the action, and says so when the name is another."""
        value = self.query_one("#typed", Input).value
        action = self.query_one("#action", Choice)
        if value == self._name_to_type:
            action.disabled = False
            action.focus()
        elif value:
            self.query_one("#hint", Static).update(f"That is not {self._name_to_type}")

    @on(Choice.Pressed, "#cancel")
    def _cancelled(self) -> None:
        """Enter that came right behind the letters of the name was meant for the name."""
        if self._typing is None:
            self.dismiss(False)
            return
        self._typing.stop()
        self._pause_in_typing()
        self._submitted()

    def action_cancel(self) -> None:
        """Closes without doing anything."""
        self.dismiss(False)

    @on(Choice.Pressed, "#action")
    def _confirmed(self) -> None:
        if self._name_to_type is None or self.query_one("#typed", Input).value == self._name_to_type:
            self.dismiss(True)
