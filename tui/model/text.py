"""Text from outside made safe to show: no control characters, no direction overrides."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timezone

# Cc: control (ESC among them), Cf: format (direction overrides, zero width), Cs: lone surrogates,
# Zl/Zp: line and paragraph separators. All can move a terminal's cursor or hide what is there.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: str, limit: int | None = None) -> str:
    """Given any text, returns it on one line with each unsafe character shown as `\\xNN` or `\\uNNNN`.

    With `limit`, cuts to that many characters, the last of them `…`, so that a cut is visible.
    """
    safe = "".join(char if unicodedata.category(char) not in _HIDDEN else _escape(char) for char in text)
    if limit is not None and len(safe) > limit:
        return safe[: max(0, limit - 1)] + "…"
    return safe


def clean_lines(text: str) -> str:
    """Like `clean`, but line breaks stay and tabs become spaces: for messages of several lines."""
    return "\n".join(clean(line.replace("\t", "    ")) for line in text.splitlines())


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def rfc3339(moment: datetime) -> str:
    """Given an aware moment, returns it in UTC as `2026-11-21T03:10:00Z` (microseconds when it has any)."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def stamp(moment: datetime) -> str:
    """Given an aware moment, returns it as `20261121T031000Z`, for names of databases and files."""
    return moment.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
