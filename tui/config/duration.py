"""Lengths of time as people write them: "6h", "30m", "7d", "4w", "1h30m"."""

from __future__ import annotations

import re
from datetime import timedelta

EXAMPLES = '"6h", "30m", "7d", "4w" or "1h30m"'
LONGEST = timedelta(days=36_525)  # a century: more is a slip of the finger

_FORM = re.compile(r" *".join(rf"(?:([0-9]{{1,7}}){unit})?" for unit in "wdhms"))


def parse(text: str) -> timedelta:
    """Given weeks, days, hours, minutes and seconds, the larger unit first, returns their sum.

    Raises ValueError where `text` is anything else, nothing at all, or longer than a century.
    """
    match = _FORM.fullmatch(text.strip(" "))
    if match is None or not any(match.groups()):
        raise ValueError("not a length of time")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(0) < length <= LONGEST:
        raise ValueError("nothing, or longer than a century")
    return length


def text_of(length: timedelta) -> str:
    """Given a length of time, returns the text that `parse` turns back into it, in days at most.

    Raises ValueError where `parse` has no text for it: fractions of a second, none, over a century.
    """
    if length.microseconds or not timedelta(0) < length <= LONGEST:
        raise ValueError(f"cannot be written as a length of time: {length}")
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((length.days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{amount}{unit}" for amount, unit in parts if amount)
