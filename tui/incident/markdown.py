"""Markdown (CommonMark, with GitHub's tables) that no text from outside can break."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tui.model.text import clean

# Within a word an underscore is one, and so is an & that begins no entity: left alone, names stay readable.
_SPECIAL = re.compile(r"[\\`*\[\]<>|#~]|_(?!\w)|(?<!\w)_|&(?=[#\w])")
_AT_BEGIN = re.compile(r"^\s*(?:[-+=]|\d+(?=[.)]))")  # what would make a list or a heading of a line


def md(text: str) -> str:
    """Given any text, returns it as plain words of one line: nothing in it is read as Markdown or HTML."""
    words = _SPECIAL.sub(r"\\\g<0>", clean(text).strip())
    begin = _AT_BEGIN.match(words)
    if begin is None:
        return words
    if begin[0].isdigit():
        return f"{begin[0]}\\{words[begin.end() :]}"
    return f"\\{words}"


def code(text: str) -> str:
    """Given any text, returns it as code within a line, whatever backticks are in it; safe in a table."""
    text = clean(text).strip() or "–"
    fence = "`" * (_longest(text) + 1)
    # In a table GitHub takes a | for the end of the cell even in code; \| is shown as |.
    inner = text.replace("|", "\\|")
    air = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{fence}{air}{inner}{air}{fence}"


def block(lines: Iterable[str], language: str = "") -> list[str]:
    """Given lines, returns them as a block of code, whatever is in them."""
    inner = [clean(line.replace("\t", "    ")) for line in lines]
    fence = "`" * max(3, max(map(_longest, inner), default=0) + 1)
    return [f"{fence}{language}", *inner, fence]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Given heads and rows of cells that are Markdown already, returns the table."""
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(cell or '–' for cell in row)} |" for row in rows),
    ]


def _longest(text: str) -> int:
    """The longest run of backticks in it."""
    return max((len(run) for run in re.findall("`+", text)), default=0)
