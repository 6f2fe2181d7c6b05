"""One line of a screen, as Content: put together, cut with `…`, padded, wrapped. Nothing reads markup."""

from __future__ import annotations

from textual.content import Content

from tui.widgets.ascii import to_ascii

GOOD = "$success"
WARN = "$warning bold"
BAD = "$bad-foreground on $bad-background bold"
FAINT = "$foreground-muted"
STRONG = "bold"
BLANK = Content("")

Part = str | tuple[str, str] | Content


def line(*parts: Part) -> Content:
    """Given text, (text, style) pairs and Content, returns them side by side. Text must be clean."""
    made = Content("")
    for part in parts:
        if isinstance(part, Content):
            made = made + part
        elif isinstance(part, str):
            made = made + Content(part)
        else:
            text, style = part
            made = made + (Content.styled(text, style) if style else Content(text))
    return made


def fit(content: Content, width: int) -> Content:
    """Given a line, returns it exactly `width` cells wide: padded, or cut with `…` as its last cell."""
    if width <= 0:
        return BLANK
    if content.cell_length > width:
        content = content.truncate(width, ellipsis=True)
    return content.pad_right(width - content.cell_length)


def right(content: Content, width: int) -> Content:
    """Like `fit`, but the text stands at the right."""
    if content.cell_length >= width:
        return fit(content, width)
    return content.pad_left(width - content.cell_length)


def wrapped(text: str, width: int, prefix: Part = "", *, style: str = "") -> list[Content]:
    """Given clean text, returns it on as many lines as it needs, the first after `prefix`, the others
    indented to the same column."""
    first = line(prefix)
    room = max(8, width - first.cell_length)
    body = Content.styled(text, style) if style else Content(text)
    rows = body.wrap(room) or [BLANK]
    indent = " " * first.cell_length
    return [(first if number == 0 else Content(indent)) + row for number, row in enumerate(rows)]


def ascii_only(content: Content) -> Content:
    """Given a line, returns it without anything outside ASCII, cell for cell, its styles kept."""
    if content.plain.isascii():
        return content
    return Content(to_ascii(content.plain), spans=list(content.spans))
