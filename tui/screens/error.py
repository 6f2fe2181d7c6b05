"""Something failed: what, why, the last lines, what is still safe, the next step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.model.errors import PgdrError
from tui.model.text import clean, clean_lines
from tui.widgets.facts import FactList
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import KeyFooter, bound

NOTHING_CHANGED = "Nothing was changed."


class ErrorScreen(ModalScreen[None]):
    """Shows one failure.

    Given `what` failed, `why` as far as known, `safe` (what is still as it was), `mend` (the next
    step), the last `lines` of what was printed, and `copy`, which takes text to the clipboard.
    """

    CSS_PATH = "error.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("error")
    help_page = "error"

    def __init__(
        self,
        bearings: Bearings,
        what: str,
        *,
        why: str | None = None,
        safe: str = NOTHING_CHANGED,
        mend: str | None = None,
        lines: Sequence[str] = (),
        copy: Callable[[str, str], str] | None = None,
    ) -> None:
        super().__init__()
        self._bearings = bearings
        self._what = what
        self._why = why
        self._safe = safe
        self._mend = mend
        self._lines = tuple(clean(line) for line in lines)
        self._copy = copy

    @classmethod
    def of(
        cls,
        bearings: Bearings,
        error: BaseException,
        *,
        safe: str = NOTHING_CHANGED,
        lines: Sequence[str] = (),
        copy: Callable[[str, str], str] | None = None,
    ) -> ErrorScreen:
        """Given an error, returns the screen of it. One that isn't a PgdrError is this program's own
        mistake, and is called so."""
        if isinstance(error, PgdrError):
            return cls(
                bearings, error.what, why=error.why, mend=error.mend, safe=safe, lines=lines, copy=copy
            )
        return cls(
            bearings,
            f"pgdr itself went wrong: {type(error).__name__}.",
            why=str(error) or None,
            mend="Go back and try again; the same can be done on the command line (pgdr --help).",
            safe=safe,
            lines=lines,
            copy=copy,
        )

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, "failed")
        with VerticalScroll(id="body"):
            yield Static(f"✖ {clean_lines(self._what)}", markup=False, id="what")
            yield FactList(self._facts())
            if self._lines:
                yield Static("Its last lines:", markup=False, id="last")
                yield Static("\n".join(self._lines), markup=False, id="lines")
        yield KeyFooter()

    def _facts(self) -> list[tuple[str, str]]:
        told = [("why", self._why or "not known"), ("still safe", self._safe)]
        return [*told, ("next", self._mend)] if self._mend else told

    def text(self) -> str:
        """Returns all of it as plain text."""
        facts = "\n".join(f"{label}: {clean_lines(what)}" for label, what in self._facts())
        return "\n".join([clean_lines(self._what), facts, *self._lines]) + "\n"

    def trouble(self) -> tuple[str, str | None]:
        """The error's text, to be looked for; no database."""
        return " ".join([self._what, self._why or "", *self._lines]), None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Copying is offered where it works."""
        return action != "copy" or self._copy is not None

    def action_copy(self) -> None:
        """Copies all of it, and says where it lies."""
        if self._copy is not None:
            self.notify(self._copy("error", self.text()), markup=False)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)
