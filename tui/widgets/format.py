"""Text and bars in a number of terminal cells. Pure functions of values."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def bar(fraction: float | None, width: int) -> str:
    """Given 0 to 1, returns a bar of `width` cells of `█` and `░`; all `░` when it isn't known."""
    full = 0 if fraction is None else min(width, max(0, int(fraction * width)))
    return "█" * full + "░" * (width - full)


def share(part: float | None, whole: float | None, width: int) -> str:
    """Given a part of a whole, returns a bar without a background, at most `width` cells; one at least
    where there is anything, so that a small table can be told from an empty one."""
    if not part or not whole:
        return ""
    return "█" * max(1, min(width, round(part / whole * width)))


def cut(text: str, width: int) -> str:
    """Given text, returns it in at most `width` cells, the last of them `…` where something is missing."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""
