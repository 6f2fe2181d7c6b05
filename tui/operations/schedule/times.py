"""Times of the calendar for something that is to run every so often, all in UTC."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_NIGHT = (1, 2, 3, 4, 5)
_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


@dataclass(frozen=True, slots=True)
class Times:
    """Minutes of each of the `hours` (0 to 23) of certain days: of every `day_step`th of a month from its
    first, of those `days`, or of a `weekday` (0 is Sunday), in `months` (empty: all)."""

    words: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...] = tuple(range(24))
    day_step: int = 1
    days: tuple[int, ...] = ()
    weekday: int | None = None
    months: tuple[int, ...] = ()

    @property
    def cron(self) -> str:
        """As cron and Kubernetes write it: five fields."""
        days = _listed(self.days) if self.days else f"*/{self.day_step}" if self.day_step > 1 else "*"
        weekday = "*" if self.weekday is None else str(self.weekday)
        months = _listed(self.months) if self.months else "*"
        return f"{_every(self.minutes, 60)} {_every(self.hours, 24)} {days} {months} {weekday}"

    @property
    def calendar(self) -> str:
        """As systemd's OnCalendar has it (systemd.time(7))."""
        weekday = "" if self.weekday is None else f"{_WEEKDAYS[self.weekday]} "
        two = [",".join(f"{n:02}" for n in part) for part in (self.months, self.days)]
        months = two[0] or "*"
        days = two[1] or (f"01/{self.day_step}" if self.day_step > 1 else "*")
        hours, minutes = _every(self.hours, 24), _every(self.minutes, 60)
        clock = ":".join(_padded(part) for part in (hours, minutes))
        return f"{weekday}*-{months}-{days} {clock}:00 UTC"


def times(every: timedelta, seed: str) -> tuple[Times, timedelta]:
    """Given how often something is to run, returns when, and the longest time between two runs: `every`, or
    where the calendar has no such times the next shorter that it has.

    `seed` tells one thing from another: a minute (and for rare ones an hour, a day) of its own, the same each
    time, so that not all run at once. Rare ones run by night.
    """
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    if every < _HOUR:
        step = _divisor(60, max(1, every // _MINUTE))
        return Times(f"every {step} min", tuple(range(number % step, 60, step))), step * _MINUTE
    minute = (number % 60,)
    if every < _DAY:
        step = _divisor(24, every // _HOUR)
        return Times(f"every {step} h", minute, tuple(range(0, 24, step))), step * _HOUR
    hour = (_NIGHT[number // 60 % len(_NIGHT)],)
    if every < 7 * _DAY:
        step = every // _DAY
        words = "every day" if step == 1 else f"every {step} days of each month from its first"
        return Times(words, minute, hour, step), step * _DAY
    if every < 16 * _DAY:
        return Times("every week", minute, hour, weekday=number // 300 % 7), 7 * _DAY
    if every < 31 * _DAY:
        return Times("on the 1st and 16th", minute, hour, days=(1, 16)), 16 * _DAY
    day = (1 + number // 300 % 28,)
    if every < 92 * _DAY:
        return Times("every month", minute, hour, days=day), 31 * _DAY
    if every < 366 * _DAY:
        return Times("every quarter", minute, hour, days=day, months=(1, 4, 7, 10)), 92 * _DAY
    return Times("every year", minute, hour, days=day, months=(1,)), 366 * _DAY


def _divisor(whole: int, most: int) -> int:
    """The largest divisor of `whole` that isn't larger than `most`."""
    return max(n for n in range(1, most + 1) if whole % n == 0)


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _every(numbers: tuple[int, ...], of: int) -> str:
    step = of // len(numbers)
    if len(numbers) == 1 or numbers != tuple(range(0, of, step)):
        return _listed(numbers)
    return "*" if step == 1 else f"*/{step}"


def _padded(field: str) -> str:
    """systemd counts from where it is told: `00/6`."""
    if field.startswith("*/"):
        return f"00/{field.removeprefix('*/')}"
    return field if field == "*" else ",".join(f"{int(n):02}" for n in field.split(","))
