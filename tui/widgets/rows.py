"""Lines made of several parts: joined with a sign between them, or spread to both ends."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from tui.widgets.lines import BLANK, FAINT, Part, fit, line


def joined(parts: Iterable[Part], between: str = " · ") -> Content:
    """Given parts, returns those that aren't empty as one line with `between` between them."""
    made = BLANK
    for part in parts:
        piece = line(part)
        if piece.plain:
            made = made + line((between, FAINT)) + piece if made.plain else piece
    return made


def spread(left: Content, end: Content, width: int) -> Content:
    """Given two lines, returns one of `width` cells with the second at the right end; the first is cut
    to make room."""
    if not end.plain:
        return fit(left, width)
    return fit(left, max(0, width - end.cell_length - 1)) + " " + end


def indented(rows: Iterable[Content], by: str = " ") -> list[Content]:
    """Given lines, returns them with `by` before each."""
    return [Content(by) + row for row in rows]
