"""Listing a large folder by stretches of its keys, side by side.

A page's token comes with the page before it, so a folder's pages can only be asked for one by one. But a
listing may begin behind any key (StartAfter), one that isn't there too. The keys of a page tell how close
they lie; from that the borders of the next stretches are guessed. Nothing rests on the guess but the time:
what a stretch is given beyond its border is left to the next one.
"""

from __future__ import annotations

import statistics
import string
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import Any

from tui.stores.ahead import Ahead

Answer = dict[str, Any]
Ask = Callable[..., Answer]
Listed = Callable[[Answer], list[Any]]  # the objects of an answer, each with its key first

LISTED = "PgdrListed"  # in an answer: the objects of a stretch; beside it,
_ENDS = "PgdrEnds"  # whether nothing comes behind them

_SIDE_BY_SIDE = 3
_PAGES = 3.5  # of a stretch, if its keys lie as close as those of the page before
_ROOM = 4  # pages of each that may wait for those of the stretch before
_STRETCHES = 12  # that one page's keys are believed for, at most
# Answers that take so many times as long side by side as one alone: the server has no room for more, and the
# requests that a wrong guess wastes are lost time.
_SLOWER = 2.2
_PLACES = 12  # of a key that are counted with
_CARRY = 3  # of the places that all keys of a page share: the next ones may differ there


class Ruler:
    """Counts with keys: those of a page and the ones to come are numbers, their characters the digits."""

    def __init__(self, keys: list[str]) -> None:
        """Given the ASCII keys of a page in their order."""
        first, last = keys[0], keys[-1]
        differ = (n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
        begin = max(0, next(differ, min(len(first), len(last))) - _CARRY)
        self._head = first[:begin]
        places = range(begin, min(len(last), begin + _PLACES))
        seen = [{key[n] for key in keys if n < len(key)} for n in places]
        # A place has gone round when one before it has moved on: it has shown all that it takes.
        self._digits = [
            _alphabet(here, any(len(other) > 1 for other in seen[:n])) for n, here in enumerate(seen)
        ]

    def number(self, key: str) -> int:
        """Where a key stands. One that begins otherwise stands nowhere: at 0."""
        found = 0
        rest = key[len(self._head) :] if key.startswith(self._head) else ""
        for place, digits in enumerate(self._digits):
            at = sum(digit < rest[place] for digit in digits) if place < len(rest) else 0
            found = found * len(digits) + min(at, len(digits) - 1)
        return found

    def key(self, number: int) -> str | None:
        """The key that stands there, its end cut off; None beyond the last one."""
        made = []
        for digits in reversed(self._digits):
            number, at = divmod(number, len(digits))
            made.append(digits[at])
        return None if number else self._head + "".join(reversed(made))


def _alphabet(seen: set[str], whole: bool) -> str:
    """The characters that may stand where these do; `whole`: these have gone round. Of days, months and hours
    the first digit is 3 at most: where no higher one was seen none is expected."""
    if whole:
        return "".join(sorted(seen))
    for kind in ("0123", string.digits, "0123456789ABCDEF", "0123456789abcdef"):
        if seen <= set(kind):
            return kind
    return next(iter(seen)) if len(seen) == 1 else "".join(map(chr, range(0x20, 0x7F)))


def borders(keys: list[str]) -> Iterator[str]:
    """Given the keys of a page, gives the borders of the stretches behind it; none where nothing can be
    guessed from them."""
    if len(keys) < 2 or not all(map(str.isascii, keys)) or keys != sorted(keys):
        return
    ruler = Ruler(keys)
    last = ruler.number(keys[-1])
    step = int((last - ruler.number(keys[0])) * _PAGES)
    before = keys[-1]
    while step > 0 and (border := ruler.key(last := last + step)) is not None and border > before:
        yield border
        before = border


class _NoOrder(Exception):
    """The server doesn't begin where it was asked to."""


def behind(ask: Ask, listed: Listed, prefix: str, last: Answer) -> Iterator[Answer]:
    """Given an answer that holds a page of what begins with `prefix`, gives answers with all that comes
    behind it, in the order of keys. `listed` takes an answer's objects out of it. Raises what `ask` raises.
    """
    alone, beside = Timed(ask), Timed(ask)
    guessing, count = True, _SIDE_BY_SIDE
    while last.get("IsTruncated"):
        last = next_page(alone.ask, prefix, last)
        yield last
        keys = [one[0] for one in listed(last)]
        if not (guessing and keys and last.get("IsTruncated")):
            continue
        after, lead = keys[-1], None
        try:
            for border, answer in _stretches(beside.ask, listed, prefix, keys, count):
                if LISTED not in answer:
                    lead = answer
                    break
                yield answer
                if answer[_ENDS]:
                    return
                after = border
        except _NoOrder:
            guessing = False
        if lead is None and after != keys[-1]:
            lead = alone.ask(Prefix=prefix, StartAfter=after)
        if lead is not None:
            last = lead
            yield last
        guessing = guessing and beside.median_s() < _SLOWER * alone.median_s()
        count = _STRETCHES


class Timed:
    """Asks, and remembers how long each answer took."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._taken: list[float] = []

    def ask(self, **which: str) -> Answer:
        """What was asked for."""
        began = time.monotonic()
        answer = self._ask(**which)
        self._taken.append(time.monotonic() - began)
        return answer

    def median_s(self) -> float:
        """Seconds; none where nothing was asked."""
        return statistics.median(self._taken) if self._taken else 0.0


def next_page(ask: Ask, prefix: str, last: Answer) -> Answer:
    """The answer after `last`, by its token."""
    token = last.get("NextContinuationToken")
    answer = ask(Prefix=prefix, ContinuationToken=token)
    if answer.get("NextContinuationToken") == token:
        answer["NextContinuationToken"] = None  # it would go round for ever; the caller tells
    return answer


def _stretches(
    ask: Ask, listed: Listed, prefix: str, keys: list[str], count: int
) -> Iterator[tuple[str, Answer]]:
    """The answers of so many stretches behind these keys, each with what is known to be complete with it."""
    waiting = pairwise((*keys[-1:], *islice(borders(keys), count)))
    running: deque[Ahead[tuple[str, Answer]]] = deque()
    try:
        while True:
            for after, border in islice(waiting, _SIDE_BY_SIDE - len(running)):
                running.append(Ahead(_stretch(ask, listed, prefix, after, border), _ROOM))
            if not running:
                return
            yield from running[0]
            running.popleft()
    finally:
        for left in running:
            left.close()


def _stretch(ask: Ask, listed: Listed, prefix: str, after: str, border: str) -> Iterator[tuple[str, Answer]]:
    """What lies behind `after`, up to `border`. An answer of which nothing lies there is given as it is."""
    answer = ask(Prefix=prefix, StartAfter=after)
    found = listed(answer)
    if found and found[0][0].encode() <= after.encode():
        raise _NoOrder
    if not found or found[0][0].encode() > border.encode():
        yield after, answer
        return
    while True:
        within = [one for one in found if one[0].encode() <= border.encode()]
        more = answer.get("IsTruncated", False)
        complete = border if not more or len(within) < len(found) else within[-1][0]
        yield complete, {LISTED: within, _ENDS: not more and len(within) == len(found)}
        if complete == border:
            return
        answer = next_page(ask, prefix, answer)
        found = listed(answer)
