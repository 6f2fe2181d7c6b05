"""Times, sizes and counts as a person reads them at three in the morning. Pure functions of values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from rich.cells import cell_len, set_cell_size

UNKNOWN = "–"  # a value that isn't known, or that doesn't apply


def _seconds(span: timedelta | float) -> float:
    return span.total_seconds() if isinstance(span, timedelta) else float(span)


def age(span: timedelta | float | None) -> str:
    """Given a time span (or seconds), returns it coarsely: `20s`, `11m`, `4h 02m`, `26h`, `3d`.

    Minutes matter for a day, hours for two, then days do. What is negative counts as zero: clocks
    of two machines differ.
    """
    if span is None:
        return UNKNOWN
    seconds = max(0, int(_seconds(span)))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m"
    if seconds < 86400:
        return f"{seconds // 3600}h {seconds % 3600 // 60:02}m"
    if seconds < 2 * 86400:
        return f"{seconds // 3600}h"
    return f"{seconds // 86400}d"


def limit(span: timedelta | float | None) -> str:
    """Given a promised span (RPO, RTO, a retention), returns it without empty parts: `30m`,
    `6h`, `1h 30m`, `7d`."""
    if span is None:
        return UNKNOWN
    seconds = max(0, int(_seconds(span)))
    if seconds >= 2 * 86400 and seconds % 86400 == 0:
        return f"{seconds // 86400}d"
    parts = ((seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s"))
    return " ".join(f"{n}{unit}" for n, unit in parts if n) or "0s"


def duration(span: timedelta | float | None) -> str:
    """Given how long something took, returns it finely: `0.2s`, `42s`, `1m 12s`, `2h 03m`."""
    if span is None:
        return UNKNOWN
    seconds = max(0.0, _seconds(span))
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02}m"


def size(number: int | float | None) -> str:
    """Given bytes, returns them in decimal units as storage is sold: `812 B`, `64 kB`, `41 MB`, `2.1 GB`."""
    if number is None:
        return UNKNOWN
    if number < 1000:
        return f"{int(number)} B"
    value = float(number)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if value < 9.95:
            return f"{value:.1f} {unit}"
        if value < 999.5 or unit == "PB":
            return f"{value:.0f} {unit}"
    raise AssertionError("the loop returns at its last unit")


def rate(bytes_per_s: float | None) -> str:
    """Given bytes per second, returns `41 MB/s`."""
    return UNKNOWN if bytes_per_s is None else f"{size(bytes_per_s)}/s"


def count(number: int | None) -> str:
    """Given a number of things, returns it in full: `12,004,112`."""
    return UNKNOWN if number is None else f"{number:,}"


def about(number: int | None) -> str:
    """Given a number of things, returns it rounded: `812`, `41k`, `1.2M`, `3.0G`."""
    if number is None:
        return UNKNOWN
    if number < 1000:
        return str(number)
    value = float(number)
    for unit in ("k", "M", "G", "T"):
        value /= 1000
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 999.5 or unit == "T":
            return f"{value:.0f}{unit}"
    raise AssertionError("the loop returns at its last unit")


def percent(fraction: float | None) -> str:
    """Given 0 to 1, returns ` 48 %`: never 100 before it is all there, never 0 once it has begun."""
    if fraction is None:
        return "  – %"
    whole = int(fraction * 100) if fraction < 1 else 100
    return f"{max(0, whole):3d} %"


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


def minute(moment: datetime | None) -> str:
    """Given an aware moment, returns `2026-11-21 03:12` in UTC."""
    return UNKNOWN if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M")


def day_minute(moment: datetime | None) -> str:
    """Given an aware moment, returns `11-21 03:12` in UTC."""
    return UNKNOWN if moment is None else moment.astimezone(timezone.utc).strftime("%m-%d %H:%M")


def clock(moment: datetime | None) -> str:
    """Given an aware moment, returns `03:12` in UTC."""
    return UNKNOWN if moment is None else moment.astimezone(timezone.utc).strftime("%H:%M")


def plural(number: int, one: str, many: str | None = None) -> str:
    """Given a number and a noun, returns `1 table` or `4 tables`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def cut(text: str, width: int) -> str:
    """Given text, returns it in at most `width` cells, the last of them `…` where something is missing."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""
