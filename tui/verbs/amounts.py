"""Sizes and lengths of time as a person reads them."""

from __future__ import annotations

import humanize


def size(count: int | None) -> str:
    """Given bytes, returns `2.1 GB`; `–` where unknown."""
    return "–" if count is None else humanize.naturalsize(count)


def age(seconds: float | None) -> str:
    """Given seconds, returns the two largest units: `2h 10m`, `3d 4h`, `40s`; `–` where unknown."""
    if seconds is None:
        return "–"
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])
