"""Where does the fresh server listen? Typed, and shown as it was understood before it counts."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.model.elsewhere import address_in, told
from tui.model.errors import UsageError
from tui.model.text import clean
from tui.widgets.choice import Choice
from tui.widgets.keys import bound


class AddressScreen(ModalScreen[str | None]):
    """Given what is known, the port that is usual here and what to begin with, asks for the fresh server's
    address; dismisses with it, None for none. There is no way on with what is no address."""

    CSS = """
    AddressScreen { align: center middle; background: $background; }
    AddressScreen #box {
        width: 100%; max-width: 96; height: auto; border: solid $warning; border-title-style: bold;
        background: $background; padding: 0 1;
    }
    AddressScreen #asked { height: 1; margin-top: 1; }
    AddressScreen #prompt { width: auto; text-style: bold; }
    AddressScreen #address { width: 1fr; background: $background; text-style: underline; }
    AddressScreen #choices { height: 1; align-horizontal: right; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("question")
    help_page = "address"

    def __init__(self, known: str, port: int | None, begin: str = "") -> None:
        super().__init__()
        self._known = clean(known)
        self._port = port
        self._begin = begin

    def compose(self) -> ComposeResult:
        """Makes the box."""
        with Vertical(id="box") as box:
            box.border_title = "Where does the fresh server listen?"
            yield Static(self._known, markup=False)
            with Horizontal(id="asked"):
                yield Static("host:port: ", markup=False, id="prompt")
                yield Input(self._begin, id="address", compact=True)
            yield Static("", markup=False, id="meant")
            with Horizontal(id="choices"):
                yield Choice("Cancel", id="cancel")
                yield Choice("look at it", id="action", disabled=True)

    def on_mount(self) -> None:
        """The address is what is asked for; the cursor doesn't blink, for a quiet line."""
        asked = self.query_one("#address", Input)
        asked.cursor_blink = False
        asked.focus()

    def _understood(self, typed: str) -> str | None:
        try:
            return told(address_in(typed, self._port))
        except UsageError:
            return None

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        meant = self._understood(event.value)
        said = f"= {meant}" if meant else "That is no address." if event.value.strip() else ""
        self.query_one("#meant", Static).update(clean(said))
        action = self.query_one("#action")
        action.disabled = meant is None
        action.refresh()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if self._understood(event.value) is not None:
            self.query_one("#action").focus()

    @on(Choice.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Closes without an address."""
        self.dismiss(None)

    @on(Choice.Pressed, "#action")
    def _confirmed(self) -> None:
        self.dismiss(self.query_one("#address", Input).value.strip())
