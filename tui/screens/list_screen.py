"""What every screen with a list has in common: `/` filters its rows as one types."""

from __future__ import annotations

import time

from textual.screen import Screen
from textual.timer import Timer

from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.line_table import LineTable


class ListScreen(Screen[None]):
    """A screen with a header, one LineTable and one FilterBar."""

    _waiting: Timer | None = None
    _since = 0.0  # of time.monotonic()
    _place = ""

    def waits(self, on: bool) -> None:
        """Says in the header, from the first second on, how long an answer has been waited for, until it is
        there."""
        header = self.query_one(StatusHeader)
        if self._waiting is None:
            self._place = header.place
            self._waiting = self.set_interval(1, self._tell_waiting, pause=True)
        self._since = time.monotonic()
        header.place = self._place
        if on:
            self._waiting.reset()
            self._waiting.resume()
        else:
            self._waiting.pause()

    def _tell_waiting(self) -> None:
        header = self.query_one(StatusHeader)
        # In front: of a line that is too long the end goes.
        header.place = f"waiting {int(time.monotonic() - self._since)}s · {self._place}"

    def action_filter(self) -> None:
        """Begins to type a filter."""
        self.query_one(FilterBar).open()

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Filters as it is typed."""
        self.query_one(LineTable).filter(message.text)
        self.filtered()

    def on_line_table_looked(self) -> None:
        """What took a while is done."""
        self.filtered()

    def on_filter_bar_closed(self) -> None:
        """Gives the rows the focus again."""
        self.query_one(LineTable).focus()

    def filtered(self) -> None:
        """Called when other rows are shown than before: for a screen that says how many."""
