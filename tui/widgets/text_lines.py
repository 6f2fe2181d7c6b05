"""Lines on a screen, of which only the visible ones cost anything and only the changed ones are sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from operator import is_
from typing import ClassVar, overload

from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui.widgets.keys import bound

# From so many lines on they are laid out in steps of which each may hold up the keys so long.
_MANY, _STEP, _AT_A_TIME_S, _PAUSE_S = 5_000, 256, 0.015, 0.005


class LazyLines(Sequence[Content]):
    """Lines of which each is made when it is looked at. They have to fit the width that they are made for:
    they are not folded."""

    def __init__(self, *makers: tuple[int, Callable[[int], Content]]) -> None:
        """Given (number of lines, what makes the line of a number counted from 0), one after another."""
        self._makers = makers

    def __len__(self) -> int:
        return sum(number for number, _ in self._makers)

    @overload
    def __getitem__(self, index: int) -> Content: ...
    @overload
    def __getitem__(self, index: slice) -> list[Content]: ...
    def __getitem__(self, index: int | slice) -> Content | list[Content]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        left = index if index >= 0 else index + len(self)
        for number, make in self._makers:
            if 0 <= left < number:
                return make(left)
            left -= number
        raise IndexError(index)


class TextLines(ScrollView, can_focus=True):
    """Shows the lines it was given last; scrolls when there are more than fit.

    With `follow`, it stays at its end as lines are added, until someone scrolls up.
    A line longer than the width goes on in the next, so that nothing is cut unseen.
    """

    DEFAULT_CSS = """
    TextLines { background: transparent; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("text")

    class Resized(Message):
        """It has another size now, for which other lines may be better."""

    def __init__(
        self,
        *,
        follow: bool = False,
        id: str | None = None,  # noqa: A002 (the name Textual gives it)
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.follow = follow
        self._given: Sequence[Content] = ()
        self._lines: Sequence[Content] = []
        self._folded: tuple[int, Sequence[Content]] = (0, ())  # what is laid out, for which width
        self._laying: Iterator[None] | None = None

    @property
    def lines(self) -> tuple[Content, ...]:
        """What is shown."""
        return tuple(self._lines)

    @property
    def plain(self) -> str:
        """What is shown, as text: for copying and for tests."""
        return "\n".join(content.plain for content in self._lines)

    def show(self, lines: Sequence[Content]) -> None:
        """Given the lines to show from now on, repaints those that differ from before."""
        self._given = lines if isinstance(lines, LazyLines) else tuple(lines)
        self._lay_out()

    def on_resize(self) -> None:
        """Folds the lines for the new width."""
        self._lay_out()
        self.post_message(self.Resized())

    def _lay_out(self) -> None:
        width, given = self.scrollable_content_region.width, self._given
        if isinstance(given, LazyLines):
            now: Sequence[Content] = given
        elif len(given) > _MANY:
            self._lay_out_many(width, given)
            return
        else:
            now = [row for item in given for row in folded(item, width)]
        self._laying = None
        before, self._lines, self._folded = self._lines, now, (width, given)
        at_end = self._at_end
        if self.virtual_size != Size(width, len(now)):
            self.virtual_size = Size(width, len(now))
        if len(before) != len(now):
            self.refresh(layout=self.styles.auto_dimensions)
        else:
            top = self.scroll_offset.y
            for number in range(top, min(top + self.size.height, len(now))):
                if not before[number].is_same(now[number]):
                    self.refresh_line(number)
        if self.follow and at_end:
            self.scroll_end(animate=False)

    @property
    def _at_end(self) -> bool:
        return self.scroll_offset.y >= self.max_scroll_y

    # A million lines: folded a little at a time, so that no key waits for it

    def _lay_out_many(self, width: int, given: Sequence[Content]) -> None:
        known_width, known = self._folded
        begin = len(known)
        grown = known_width == width and all(map(is_, known, given)) and begin <= len(given)
        if self._laying is not None or not grown or not isinstance(self._lines, list):
            # The old ones stand until the new ones are there.
            self._lines, begin = [], 0
        self._folded = (width, given)
        self._laying = self._folding(self._lines, given, begin, width)
        self._go_on(self._laying, self._at_end)

    def _folding(
        self, lines: list[Content], given: Sequence[Content], begin: int, width: int
    ) -> Iterator[None]:
        for first in range(begin, len(given), _STEP):
            for item in given[first : first + _STEP]:
                lines += folded(item, width)
            yield

    def _go_on(self, laying: Iterator[None], at_end: bool) -> None:
        if laying is not self._laying:
            return  # other lines have taken their place
        until = time.perf_counter() + _AT_A_TIME_S
        for _ in laying:
            if time.perf_counter() > until:
                self.set_timer(_PAUSE_S, lambda: self._go_on(laying, at_end))
                break
        else:
            self._laying = None
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        self.refresh()
        if self.follow and at_end:
            self.scroll_end(animate=False)

    def render_line(self, y: int) -> Strip:
        """Given a row of the widget, returns what stands there."""
        width = self.scrollable_content_region.width
        number = self.scroll_offset.y + y
        style = self.visual_style
        if number >= len(self._lines):
            return Strip.blank(width, style.rich_style)
        content = self._lines[number]
        strips = Visual.to_strips(self, content, max(width, content.cell_length), 1, style, pad=True)
        return strips[0].crop(0, width).extend_cell_length(width, style.rich_style)


def folded(content: Content, width: int) -> list[Content]:
    """Given a line, returns it in as many lines of `width` cells as it needs; what goes on in the next
    line begins as far in as it did itself."""
    if width <= 0 or content.cell_length <= width:
        return [content]
    indent = min(len(content.plain) - len(content.plain.lstrip()), width // 2)
    first, *rest = content[indent:].wrap(width - indent)
    return [content[:indent] + first, *(Content(" " * indent) + row for row in rest)]
