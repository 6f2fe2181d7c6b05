"""What every screen with a list has in common: `/` filters its rows as one types."""

from __future__ import annotations

from textual.screen import Screen

from tui.widgets.filter import FilterBar
from tui.widgets.line_table import LineTable


class ListScreen(Screen[None]):
    """A screen with one LineTable and one FilterBar."""

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
