"""The whole log of a job, from its beginning, also while it grows: to look something up in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.model.amounts import count, plural
from tui.model.errors import PgdrError
from tui.model.text import clean
from tui.screens import go
from tui.screens.error import ErrorScreen
from tui.screens.list_screen import ListScreen
from tui.widgets.detail import Detail
from tui.widgets.filter import FilterBar
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.tones import BAD, PLAIN, WARN, Cell, Piece, lines

if TYPE_CHECKING:
    from tui.jobs.watch import LogPart

_COLUMNS = (Column("UTC", 8, gap=0), Column("what", 20, wide=10_000))
_EVERY_S = 0.5


class LogScreen(ListScreen):
    """Given `read_on`, which blocks and returns what came since it was asked last: the log of `job`.

    The cursor stays on the newest line until it is moved up.
    """

    CSS_PATH = "log.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("log")
    help_page = "log"

    class Came(Message):
        """Lines came, or why they can't be read."""

        def __init__(self, outcome: LogPart | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(self, bearings: Bearings, job: str, read_on: Callable[[], LogPart]) -> None:
        super().__init__()
        self._bearings = bearings
        self._job = job
        self._read_on = read_on
        self._complete = False

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, f"jobs › {clean(self._job)} › log")
        yield FilterBar(hint="words of a line")
        # By identity: the same words twice are two lines.
        yield LineTable[str](_COLUMNS, _cells, id, words=str, empty="Reading…", follow=True)
        yield Detail(id="details")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Begins to read."""
        self.query_one(LineTable).focus()
        self._read()

    @work(thread=True, exit_on_error=False)
    def _read(self) -> None:
        """Reads on. What is there already comes a portion at a time."""
        try:
            self.post_message(self.Came(self._read_on()))
        except PgdrError as error:
            self.post_message(self.Came(error))

    def on_log_screen_came(self, message: Came) -> None:
        """Shows them, and asks for the next ones."""
        if isinstance(message.outcome, PgdrError):
            self.app.push_screen(ErrorScreen.of(self._bearings, message.outcome))
            return
        part, table = message.outcome, self.query_one(LineTable)
        table.empty = "Reading…" if part.more else "The log is empty so far."
        if part.lines:
            table.add_rows(part.lines)
        else:
            table.redraw()
        if part.ended:
            self._complete = True
            self._tell()
        elif part.more:
            self._read()
        else:
            self.set_timer(_EVERY_S, self._read)

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows the chosen line in full below."""
        self._tell()

    def filtered(self) -> None:
        """Says how many lines are seen."""
        self._tell()

    def _tell(self) -> None:
        table = self.query_one(LineTable)
        seen, there = table.count
        many = plural(there, "line") if seen == there else f"{count(seen)} of {plural(there, 'line')}"
        text: str = table.cursor_row or ""
        chosen = [_cells(text)[1]] if text else []
        self.query_one("#details", Detail).update(
            lines(*chosen, f"{many}{', the job has ended' if self._complete else ''}")
        )

    def action_copy(self) -> None:
        """Copies the lines that are seen."""
        self.post_message(go.Copy(f"log-{self._job}", "\n".join(self.query_one(LineTable).seen)))


def _cells(text: str) -> list[Piece]:
    at, _, what = text.partition(" ")
    tone = PLAIN
    if what.startswith(("error:", "FAILED")):
        tone = BAD
    elif what.startswith("explained:"):
        tone = WARN
    return [at, Cell(what, tone)]
