"""A table whose rows can be marked with space."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, ClassVar, TypeVar

from textual.binding import BindingType
from textual.message import Message

from tui.widgets.keys import bound
from tui.widgets.line_table import LineTable

R = TypeVar("R")


class MarkTable(LineTable[R]):
    """A LineTable in which space marks the row under the cursor and goes on to the next; `a` marks all that
    are seen, or none when all are. `marked` holds the keys; a cell can show it with `sign`."""

    BINDINGS: ClassVar[list[BindingType]] = bound("marks")

    class Marked(Message):
        """Other rows are marked now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._marks: set[Hashable] = set()

    @property
    def marked(self) -> frozenset[Hashable]:
        """The keys of the marked rows."""
        return frozenset(self._marks)

    def sign(self, row: R) -> str:
        """What a row's cell shows of its mark."""
        return "■" if self._key(row) in self._marks else "·"

    def set_marks(self, keys: Iterable[Hashable]) -> None:
        """Marks these rows and no others."""
        self._marks = set(keys)
        self.redraw()
        self.post_message(self.Marked())

    def action_mark(self) -> None:
        """Marks the row under the cursor, or takes its mark away, and goes on to the next."""
        row = self.cursor_row
        if row is not None:
            self.set_marks(self._marks ^ {self._key(row)})
            self.action_move(1)

    def action_mark_all(self) -> None:
        """Marks every row that is seen; none when all are marked."""
        seen = {self._key(row) for row in self.seen}
        self.set_marks(self._marks - seen if seen <= self._marks else self._marks | seen)
