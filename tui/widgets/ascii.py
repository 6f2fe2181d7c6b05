"""ASCII mode: every cell that leaves for the terminal, turned into ASCII of the same width.

It works on the finished lines, so that no screen has to think of it and none can forget it.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_FEW_CHARACTERS = {"linux", "dumb", "ansi", "cons25", "vt52", "vt100", "vt102", "vt220"}

# Shapes that mean something keep a shape of their own.
_SHAPES = str.maketrans(
    {
        "●": "*", "▲": "!", "✖": "X", "✘": "X", "⊘": "#", "◌": "o", "✔": "+", "▶": ">", "▸": ">",
        "·": ".", "–": "-", "—": "-", "…": "~", "›": ">", "‹": "<", "→": ">", "←": "<", "↑": "^", "↓": "v",
        "“": '"', "”": '"', "’": "'", "‘": "'", "×": "x", "≥": ">", "≤": "<", "≈": "~",
        "█": "#", "▉": "#", "▊": "#", "▋": "#", "▌": "#", "▍": "#", "▎": "#", "▏": "|", "░": ".", "▒": ":",
        "▓": "#", "▁": "_", "▂": "_", "▃": "_", "▄": "_", "▅": "#", "▆": "#", "▇": "#", "▔": "-", "▀": "#",
        "▐": "#", "▕": "|",
    }
)  # fmt: skip


def to_ascii(text: str) -> str:
    """Given text, returns ASCII text of the same width in cells; what has no likeness becomes `?`."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() else _likeness(char) for char in text.translate(_SHAPES))


def _likeness(char: str) -> str:
    code = ord(char)
    if 0x2500 <= code <= 0x257F:  # box drawing
        if char in "─━┄┅┈┉╌╍═╴╶╸╺╼╾":
            return "-"
        return "|" if char in "│┃┆┇┊┋╎╏║╵╷╹╻╽╿" else "+"
    return "?" * cell_len(char)


def needs_ascii(environ: Mapping[str, str]) -> bool:
    """Given the environment, returns whether the terminal is known to draw no more than ASCII: a console
    whose font has few characters, or a locale that isn't UTF-8. Where nothing is said, UTF-8 is assumed."""
    if environ.get("TERM", "").partition("-")[0] in _FEW_CHARACTERS:
        return True
    character_type, language = environ.get("LC_CTYPE"), environ.get("LANG")
    if character_type == "C.UTF-8" and language in ("C", "POSIX"):
        character_type = None  # Python has set it, for itself (PEP 538); the terminal is what LANG says
    locale = environ.get("LC_ALL") or character_type or language
    return bool(locale) and "utf8" not in str(locale).lower().replace("-", "")


class AsciiFilter(LineFilter):
    """Turns each line that is drawn into ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Given a line's segments, returns them with their text in ASCII."""
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]
