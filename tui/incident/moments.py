"""Moments as an engineer says them at three in the morning: "01:04", "20 minutes ago", RFC 3339. In UTC.

Strict on purpose, where a library for dates of any form would guess: 04/05 is April's or May's, and a wrong
guess picks a backup that has the damage too.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from tui.model.errors import UsageError
from tui.model.text import clean

EXAMPLES = "01:04, 20 minutes ago, 2h, yesterday 18:30, 2026-11-21 01:04, 2026-11-21T01:04:00Z"

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PART = r"(\d{1,5})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
_AGO = re.compile(rf"(?:{_PART}(?:\s*(?:,|and)?\s*))+(?:ago)?", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?:(today|yesterday)(?:\s+at)?\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*(?:utc|z))?", re.IGNORECASE
)


def moment(text: str, now: datetime) -> datetime:
    """Given what was typed and the present, returns the moment that is meant, never one of the future.

    A time of day without a date is the last one of that kind: at 00:10, "23:50" was yesterday. What names no
    zone is UTC, as every time that is shown here. Raises UsageError on anything else.
    """
    said = text.strip()
    found = _ago(said, now) or _clock(said, now) or _dated(said)
    if found is None:
        raise UsageError(
            f"“{clean(said, 60)}” is no moment that is understood.", mend=f"Write it as one of: {EXAMPLES}."
        )
    if found > now:
        raise UsageError(
            f"{found.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC is still to come.",
            mend="Times are UTC here, as in the header.",
        )
    return found


def _ago(said: str, now: datetime) -> datetime | None:
    if said.lower() == "now":
        return now
    if _AGO.fullmatch(said) is None:
        return None
    span = timedelta()
    for number, unit in re.findall(_PART, said, re.IGNORECASE):
        span += timedelta(**{_UNITS[unit[0].lower()]: int(number)})
    try:
        return now - span
    except OverflowError:
        return None  # before the year 1


def _clock(said: str, now: datetime) -> datetime | None:
    match = _CLOCK.fullmatch(said)
    if match is None:
        return None
    day, hour, minute, second = match.groups()
    try:
        at = now.astimezone(timezone.utc).replace(
            hour=int(hour), minute=int(minute), second=int(second or 0), microsecond=0
        )
    except ValueError:
        return None  # 25:00
    if day is not None:
        return at - timedelta(days=day.lower() == "yesterday")
    return at if at <= now else at - timedelta(days=1)


def _dated(said: str) -> datetime | None:
    try:
        # A date alone would be its midnight, which nobody means who says a day.
        found = datetime.fromisoformat(re.sub(r"\s*UTC$", "Z", said, flags=re.IGNORECASE))
    except ValueError:
        return None
    if ":" not in said:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except OverflowError:
        return None  # the year 1 in a zone before UTC
