"""A few facts under one another: a label and what is true, wrapped, never cut."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui.model.text import clean_lines


class FactList(Vertical):
    """Given (label, what) pairs, shows them in two columns. The text is cleaned, its line breaks stay."""

    DEFAULT_CSS = """
    FactList { height: auto; }
    FactList > Horizontal { height: auto; }
    FactList .fact--label { color: $foreground-muted; }
    FactList .fact--what { width: 1fr; height: auto; }
    """

    def __init__(self, facts: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._facts = tuple((clean_lines(label), clean_lines(what)) for label, what in facts)

    def compose(self) -> ComposeResult:
        """Makes one row a fact."""
        width = max((len(label) for label, _ in self._facts), default=0) + 2
        for label, what in self._facts:
            with Horizontal():
                name = Static(label, markup=False, classes="fact--label")
                name.styles.width = width
                yield name
                yield Static(what, markup=False, classes="fact--what")
