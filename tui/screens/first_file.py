"""The first configuration before it is written: what was tried of it, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from tui.config.starter import write_first
from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint, Fleet, StoreSpec
from tui.model.text import clean, clean_lines
from tui.operations.first_run.config import Checked, check, first_fleet, first_text
from tui.screens import go
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, WARN, line, wrapped
from tui.widgets.text_lines import TextLines


class FirstFileScreen(Screen[None]):
    """Given the chosen databases (server, name) and stores and the places for the file, tries everything side
    by side, shows the text, and writes it when that is wanted."""

    CSS = "FirstFileScreen { background: $background; } FirstFileScreen TextLines { padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = bound("first_file")
    help_page = "first_file"

    class Tried(Message):
        """A part was tried; None: all were. Those of an earlier turn are ignored."""

        def __init__(self, turn: int, checked: Checked | None) -> None:
            super().__init__()
            self.turn = turn
            self.checked = checked

    def __init__(
        self,
        bearings: Bearings,
        databases: Sequence[tuple[Endpoint, str]],
        stores: Sequence[StoreSpec],
        places: Sequence[Path],
    ) -> None:
        super().__init__()
        self._bearings = bearings
        self._databases, self._stores = tuple(databases), tuple(stores)
        self._places = tuple(places)
        self._turn = 0
        self._tried: list[Checked] = []
        self._trying = False
        self._text = ""
        self._unfit: PgdrError | None = None

    @property
    def _path(self) -> Path:
        return self._places[0]

    @property
    def _fleet(self) -> Fleet:
        return first_fleet(self._path, self._databases, self._stores)

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, "first run › the file")
        yield TextLines()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Tries everything."""
        self.query_one(TextLines).focus()
        self._make()
        self.action_check()

    def on_resize(self) -> None:
        """Wraps for the width."""
        self.call_after_refresh(self._show)

    def _make(self) -> None:
        try:
            self._text, self._unfit = first_text(self._fleet), None
        except PgdrError as error:
            self._text, self._unfit = "", error

    # Trying

    def action_check(self) -> None:
        """Tries everything anew."""
        self._turn += 1
        self._tried, self._trying = [], True
        self._show()
        self._try(self._turn, self._fleet)

    @work(thread=True, exit_on_error=False, group="check")
    def _try(self, turn: int, fleet: Fleet) -> None:
        try:
            check(fleet, lambda checked: self._told(turn, checked))
        finally:
            self._told(turn, None)

    def _told(self, turn: int, checked: Checked | None) -> None:
        self.post_message(self.Tried(turn, checked))

    def on_first_file_screen_tried(self, message: Tried) -> None:
        """Takes in what came of a part."""
        if message.turn != self._turn:
            return
        if message.checked is None:
            self._trying = False
        else:
            self._tried.append(message.checked)
        self._show()

    # Showing

    def _show(self) -> None:
        told = self.query_one(TextLines)
        width = max(40, told.size.width - 3)
        told.show([*self._checks(width), BLANK, *self._file(width)])
        self.refresh_bindings()

    def _checks(self, width: int) -> list[Content]:
        rows = [line(("What was tried", STRONG))]
        for checked in sorted(self._tried, key=lambda one: (one.works, one.what)):
            mark = line(("✔ ", GOOD)) if checked.works else line(("✘ ", BAD))
            rows += wrapped(f"{checked.what}: {checked.told}", width, mark)
            if checked.mend and not checked.works:
                rows += wrapped(checked.mend, width, line(("  next  ", FAINT)))
        left = len(self._databases) + len(self._stores) - len(self._tried)
        if self._trying and left:
            rows.append(line((f"◌ {left} still tried…", FAINT)))
        return rows

    def _file(self, width: int) -> list[Content]:
        if self._unfit is not None:
            said = f"{self._unfit.what} {self._unfit.why or ''}"
            return wrapped(clean(said), width, line(("✘ ", BAD)))
        if self._bearings.read_only:
            title = wrapped(f"READ-ONLY: it is not written to {self._path}", width, style=WARN)
        else:
            title = wrapped(f"The file, which w writes to {clean(str(self._path))}", width, style=STRONG)
        rows = clean_lines(self._text).rstrip("\n").split("\n")
        return [*title, BLANK, *(row for text in rows for row in wrapped(text, width))]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Written is what can be read again, once it was tried."""
        if action == "write":
            return not self._bearings.read_only and not self._trying and self._unfit is None
        return action != "place" or len(self._places) > 1

    # Doing

    def action_place(self) -> None:
        """The other place."""
        self._places = (*self._places[1:], self._places[0])
        self._make()
        self._show()

    def action_copy(self) -> None:
        """Copies the text."""
        self.post_message(go.Copy("pgdr.toml", self._text))

    def action_write(self) -> None:
        """Writes it; asks first where something didn't answer."""
        failed = [checked for checked in self._tried if not checked.works]
        if not failed:
            self._write(self._path, self._text)
            return
        facts = [("no answer", f"{checked.what}: {checked.told}") for checked in failed[:6]]
        if len(failed) > 6:
            facts.append(("and", f"{len(failed) - 6} more"))
        facts.append(("later", "pgdr check tries all of it again"))

        def answered(yes: bool | None) -> None:
            if yes:
                self._write(self._path, self._text)

        self.app.push_screen(
            ConfirmScreen("Write it although not all of it answers?", facts, action="write"), answered
        )

    @work(thread=True, exit_on_error=False, group="write")
    def _write(self, path: Path, text: str) -> None:
        try:
            write_first(path, text)
        except PgdrError as error:
            self.app.call_from_thread(self.app.push_screen, ErrorScreen.of(self._bearings, error))
        else:
            self.app.call_from_thread(self.post_message, go.Begin(path))
