"""What is to be added to a first configuration? Typed, and shown as it was understood before it counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.model.errors import UsageError
from tui.operations.first_run.nearby import NearStore
from tui.postgres.facts.nearby import NearServer
from tui.widgets.choice import Choice
from tui.widgets.keys import bound

_ABOUT = """\
A server:    [USER@]HOST[:PORT], its password in ~/.pgpass or $PGPASSWORD
A bucket:    s3://BUCKET/PREFIX, azure://ACCOUNT/CONTAINER/PREFIX, gs://BUCKET/PREFIX
A directory: the whole path, or one that begins with ~ or ."""


class AddScreen(ModalScreen[NearServer | NearStore | None]):
    """Given what understands a typed text (and raises UsageError), asks for one; dismisses with what it
    names, None for nothing."""

    CSS = """
    AddScreen { align: center middle; background: $background; }
    AddScreen #box {
        width: 100%; max-width: 96; height: auto; border: solid $warning; border-title-style: bold;
        background: $background; padding: 0 1;
    }
    AddScreen #asked { height: 1; margin-top: 1; }
    AddScreen #prompt { width: auto; text-style: bold; }
    AddScreen #address { width: 1fr; background: $background; text-style: underline; }
    AddScreen #choices { height: 1; align-horizontal: right; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("question")
    help_page = "first_add"

    def __init__(self, understand: Callable[[str], NearServer | NearStore]) -> None:
        super().__init__()
        self._understand = understand

    def compose(self) -> ComposeResult:
        """Makes the box."""
        with Vertical(id="box") as box:
            box.border_title = "Add a server or a store"
            yield Static(_ABOUT, markup=False)
            with Horizontal(id="asked"):
                yield Static("address: ", markup=False, id="prompt")
                yield Input(id="address", compact=True)
            yield Static("", markup=False, id="meant")
            with Horizontal(id="choices"):
                yield Choice("Cancel", id="cancel")
                yield Choice("look at it", id="action", disabled=True)

    def on_mount(self) -> None:
        """The address is what is asked for; the cursor doesn't blink, for a quiet line."""
        asked = self.query_one("#address", Input)
        asked.cursor_blink = False
        asked.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        said, fits = "", False
        if event.value.strip():
            try:
                meant = self._understand(event.value)
            except UsageError as error:
                said = error.what
            else:
                kind = "the store" if isinstance(meant, NearStore) else "the server"
                said, fits = f"= {kind} {meant.where}", True
        self.query_one("#meant", Static).update(said)
        action = self.query_one("#action")
        action.disabled = not fits
        action.refresh()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        action = self.query_one("#action")
        if not action.disabled:
            action.focus()

    @on(Choice.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Closes with nothing added."""
        self.dismiss(None)

    @on(Choice.Pressed, "#action")
    def _confirmed(self) -> None:
        self.dismiss(self._understand(self.query_one("#address", Input).value))
