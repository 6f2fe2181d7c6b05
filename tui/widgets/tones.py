"""What a piece of text means, apart from its colour: a theme turns the meaning into one.

A tone is never the only sign: the word or shape beside it says the same (terminals have 16 colours,
two, or none).
"""

from __future__ import annotations

from typing import NamedTuple

from textual.content import Content

from tui.model.text import clean

GOOD, WARN, BAD, DIM, STRONG, MARK, PLAIN = "good", "warn", "bad", "dim", "strong", "mark", ""

# Theme variables, so that a change of theme restyles what is on the screen already.
_STYLES = {
    GOOD: "$success",
    WARN: "$warning bold",
    BAD: "$bad-foreground on $bad-background bold",
    DIM: "$foreground-muted",
    STRONG: "bold",
    MARK: "$primary",
}


class Cell(NamedTuple):
    """A piece of text and its tone."""

    text: str
    tone: str = PLAIN


Piece = str | Cell


def told(*pieces: Piece) -> Content:
    """Given text and cells, returns them side by side, cleaned, with no markup read in them."""
    made = Content("")
    for piece in pieces:
        cell = Cell(piece) if isinstance(piece, str) else piece
        style = _STYLES.get(cell.tone, "")
        text = clean(cell.text)
        made = made + (Content.styled(text, style) if style else Content(text))
    return made


def lines(*rows: Content | Piece) -> Content:
    """Given rows, returns them under one another; those that aren't Content are cleaned."""
    return Content("\n").join(row if isinstance(row, Content) else told(row) for row in rows)
