"""A page to be printed: words, tables and commands, as Markdown or as plain text of 80 columns in ASCII."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.incident.markdown import block, md, table
from tui.model.text import clean

_WIDTH = 80
_NARROWEST = 12  # of a column
_SHAPES = str.maketrans({"–": "-", "—": "-", "…": "...", "“": '"', "”": '"', "’": "'", "‘": "'", "→": "->"})


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list; an item each."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shell:
    """Commands for bash, exactly as they are to be typed."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Part = Words | Listed | Shell | Grid


@dataclass(frozen=True, slots=True)
class Page:
    """A heading of a level (1 is the card's own) and what stands below it."""

    level: int
    title: str
    parts: tuple[Part, ...] = ()


def as_markdown(pages: Iterable[Page]) -> str:
    """Given the pages, returns them as Markdown; no text of a configuration breaks it."""
    lines: list[str] = []
    for page in pages:
        lines += [f"{'#' * page.level} {md(page.title)}", ""]
        for part in page.parts:
            match part:
                case Words():
                    lines += [md(part.text), ""]
                case Listed():
                    lines += [*(f"- {md(item)}" for item in part.items), ""]
                case Shell():
                    lines += [*block(part.lines, "sh"), ""]
                case Grid():
                    lines += [*table(part.heads, [tuple(map(md, row)) for row in part.rows]), ""]
    return "\n".join(lines)


def as_text(pages: Iterable[Page]) -> str:
    """Given the pages, returns them as text of 80 columns. Words are ASCII; commands stay as they are, for
    a name in them can't be written otherwise, and are as long as they must be."""
    lines: list[str] = []
    for page in pages:
        rule = {1: "=", 2: "="}.get(page.level, "-")
        title = plain(page.title)
        lines += [*([""] if page.level < 3 and lines else []), title, rule * min(_WIDTH, len(title)), ""]
        for part in page.parts:
            match part:
                case Words():
                    lines += textwrap.wrap(plain(part.text), _WIDTH)
                case Listed():
                    for item in part.items:
                        lines += textwrap.wrap(
                            plain(item), _WIDTH, initial_indent="- ", subsequent_indent="  "
                        )
                case Shell():
                    # Not indented: what is copied must still end where a here-document's word stands
                    lines += [clean(line).rstrip() for line in part.lines]
                case Grid():
                    lines += _grid(part)
            lines.append("")
    return "\n".join(lines)


def plain(text: str) -> str:
    """Given any text, returns its likeness in ASCII; what has none becomes `?`."""
    decomposed = unicodedata.normalize("NFKD", clean(text).translate(_SHAPES))
    kept = "".join(char for char in decomposed if not unicodedata.combining(char))
    return kept.encode("ascii", "replace").decode()


def _grid(grid: Grid) -> list[str]:
    rows = [tuple(map(plain, row)) for row in (grid.heads, *grid.rows)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(grid.heads))]
    while sum(widths) + 2 * (len(widths) - 1) > _WIDTH and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    folded = any(len(cell) > width for row in rows for cell, width in zip(row, widths, strict=True))
    lines: list[str] = []
    for number, row in enumerate(rows):
        lines += _row(row, widths)
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
        elif folded and number < len(rows) - 1:
            lines.append("")
    return lines


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped))
    columns = [part + [""] * (height - len(part)) for part in wrapped]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*columns, strict=True)
    ]
