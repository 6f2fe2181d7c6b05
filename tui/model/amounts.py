"""Amounts and moments as a person reads them at three in the morning, the same on a screen, in a message and
in a report. Pure functions of values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from humanize import intcomma, naturalsize, precisedelta

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


def in_words(span: timedelta) -> str:
    """Given a time to wait, returns it in words for people who aren't at a terminal: `30 minutes`,
    `1 hour and 5 minutes`; to the full minute upwards, so that nobody waits for less."""
    minutes = max(1, -(-int(span.total_seconds()) // 60))
    return precisedelta(timedelta(minutes=minutes), minimum_unit="minutes", suppress=["days"], format="%d")


def size(number: int | float | None) -> str:
    """Given bytes, returns them in decimal units as storage is sold: `812 B`, `64 kB`, `41 MB`, `2.1 GB`."""
    if number is None:
        return UNKNOWN
    if number < 1000:
        return f"{int(number)} B"
    fine = naturalsize(number)
    return fine if float(fine.split()[0]) < 10 else naturalsize(number, format="%.0f")


def sizes(one: int, other: int) -> tuple[str, str]:
    """Given two numbers of bytes to be compared, returns both; to the byte where they would look alike."""
    shown = size(one), size(other)
    return shown if shown[0] != shown[1] or one == other else (f"{one:,} bytes", f"{other:,} bytes")


def rate(bytes_per_s: float | None) -> str:
    """Given bytes per second, returns `41 MB/s`."""
    return UNKNOWN if bytes_per_s is None else f"{size(bytes_per_s)}/s"


def count(number: int | None) -> str:
    """Given a number of things, returns it in full: `12,004,112`."""
    return UNKNOWN if number is None else intcomma(number)


def about(number: int | None) -> str:
    """Given a number of things, returns it in at most six characters: `9,999`, `812k`, `7.9M`, `12.0M`."""
    if number is None:
        return UNKNOWN
    if number < 10_000:
        return intcomma(number)
    if number < 999_500:
        return f"{number / 1e3:.0f}k"
    return f"{number / 1e6:.1f}M" if number < 999.95e6 else f"{number / 1e9:.1f}G"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Given a number and a noun, returns `1 table`, `4 tables` or `4 indexes`."""
    several = many or one + ("es" if one.endswith("x") else "s")
    return f"{intcomma(number)} {one if number == 1 else several}"


def percent(fraction: float | None) -> str:
    """Given 0 to 1, returns ` 48 %`: never 100 before it is all there, never 0 once it has begun."""
    if fraction is None:
        return "  – %"
    whole = int(fraction * 100) if fraction < 1 else 100
    return f"{max(0, whole):3d} %"


def minute(moment: datetime | None) -> str:
    """Given an aware moment, returns `2026-11-21 03:12` in UTC."""
    return UNKNOWN if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M")


def day_minute(moment: datetime | None) -> str:
    """Given an aware moment, returns `11-21 03:12` in UTC."""
    return UNKNOWN if moment is None else moment.astimezone(timezone.utc).strftime("%m-%d %H:%M")


def clock(moment: datetime | None) -> str:
    """Given an aware moment, returns `03:12` in UTC."""
    return UNKNOWN if moment is None else moment.astimezone(timezone.utc).strftime("%H:%M")


def clock_s(moment: datetime | None) -> str:
    """Given an aware moment, returns `03:12:41` in UTC."""
    return UNKNOWN if moment is None else moment.astimezone(timezone.utc).strftime("%H:%M:%S")
