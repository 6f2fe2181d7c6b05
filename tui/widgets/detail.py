"""Text below or beside a list, which tells when there is more of it than there is room for."""

from __future__ import annotations

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from tui.widgets.format import cut
from tui.widgets.sized import SizedStatic


class Detail(SizedStatic):
    """As much of its text as there is room for; where that isn't all, its last line says what is missing."""

    DEFAULT_CSS = "Detail { height: auto; }"

    def __init__(self, text: str = "", *, id: str | None = None) -> None:  # noqa: A002 (Textual's name for it)
        super().__init__(text, markup=False, id=id)
        self._counted: tuple[object, int, int] = (None, 0, 0)

    @property
    def missing(self) -> int:
        """How many of its lines there is no room for."""
        width, height = self.content_size
        content = self.content
        if not isinstance(content, Content) or not width or not height:
            return 0
        if self._counted[0] is not content or self._counted[1] != width:
            self._counted = content, width, len(content.wrap(width))
        rows = self._counted[2]
        return rows - height + 1 if rows > height else 0

    def render_line(self, y: int) -> Strip:
        """Given a line of what is visible, returns what stands there."""
        missing = self.missing
        if not missing or y != self.content_size.height - 1:
            return super().render_line(y)
        width = self.content_size.width
        told = cut(f"… {missing} more lines", width)
        return Strip([Segment(told.ljust(width), self.visual_style.rich_style)], width)
