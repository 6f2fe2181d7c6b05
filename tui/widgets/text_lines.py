"""Lines on a screen, of which only the visible ones cost anything and only the changed ones are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from tui.widgets.keys import bound


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
        self._given: tuple[Content, ...] = ()
        self._lines: tuple[Content, ...] = ()

    @property
    def lines(self) -> tuple[Content, ...]:
        """What is shown."""
        return self._lines

    @property
    def plain(self) -> str:
        """What is shown, as text: for copying and for tests."""
        return "\n".join(content.plain for content in self._lines)

    def show(self, lines: Sequence[Content]) -> None:
        """Given the lines to show from now on, repaints those that differ from before."""
        self._given = tuple(lines)
        self._lay_out()

    def on_resize(self) -> None:
        """Folds the lines for the new width."""
        self._lay_out()
        self.post_message(self.Resized())

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        now = tuple(row for item in self._given for row in folded(item, width))
        before, self._lines = self._lines, now
        at_end = self.scroll_offset.y >= self.max_scroll_y
        if self.virtual_size != Size(width, len(now)):
            self.virtual_size = Size(width, len(now))
        if len(before) != len(now):
            self.refresh(layout=self.styles.auto_dimensions)
        else:
            for number, (old, new) in enumerate(zip(before, now, strict=True)):
                if not old.is_same(new):
                    self.refresh_line(number)
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
