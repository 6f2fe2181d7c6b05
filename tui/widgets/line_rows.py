"""The rows behind a table of lines: ordered, filtered, and never long at it without a pause.

A hundred thousand rows are ordered in a fifth of a second and filtered in less; a key must not wait for that.
So both are done in steps, and what is found so far can be shown between two of them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any, Generic, TypeVar

R = TypeVar("R")

STEP = 1024  # rows between two pauses: about a millisecond of work


class Line(Generic[R]):
    """A row with what is known of it: its place by nature, its place in the order of now, its words."""

    __slots__ = ("nature", "rank", "row", "words")

    def __init__(self, row: R, nature: Any, rank: Any) -> None:
        self.row = row
        self.nature = nature
        self.rank = rank
        self.words: str | None = None  # made when they are first looked in


_RANK = attrgetter("rank")


class LineRows(Generic[R]):
    """Rows in an order, and those of them that a filter lets through.

    Given `words`, the text of a row that the filter looks in, and `order`, the key of the order that the
    rows have by nature (None: the one they come in).
    """

    def __init__(self, words: Callable[[R], str], order: Callable[[R], Any] | None) -> None:
        self._words = words
        self._order = order
        self._value: Callable[[R], Any] | None = None
        self._reverse = False
        self._needle: tuple[str, ...] = ()
        self._filtered_by: tuple[str, ...] = ()  # what `seen` was filtered by, once that was done
        self._covered = 0  # so many of the lines were looked at for that
        self.lines: list[Line[R]] = []
        self.seen: list[Line[R]] = []

    def replace(self, rows: Iterable[R]) -> None:
        """Takes these rows instead of all that there were; `look` has to follow."""
        self.lines, self._filtered_by = [], ()
        self.extend(rows)

    def extend(self, rows: Iterable[R]) -> None:
        """Takes more rows in their places; `look` has to follow."""
        for number, row in enumerate(rows, start=len(self.lines)):
            nature = number if self._order is None else self._order(row)
            self.lines.append(Line(row, nature, self._rank(row, nature)))
        if self._order is None and self._value is None and not self._reverse:
            return  # they come behind the others: those needn't be looked at again
        # What was in order before is one run to this sort: it costs one pass.
        self.lines.sort(key=_RANK, reverse=self._reverse)
        self._filtered_by = ()

    def put(self, line: Line[R], row: R) -> None:
        """Replaces the row of a line; `look` has to follow."""
        line.row, line.words = row, None
        if self._order is not None:
            line.nature = self._order(row)
        line.rank = self._rank(row, line.nature)
        self.lines.sort(key=_RANK, reverse=self._reverse)
        self._filtered_by = ()

    def look(self, needle: tuple[str, ...] | None = None) -> Iterator[None]:
        """Finds the lines in which every word of `needle` (folded; None: those of before) occurs. What `seen`
        holds meanwhile is the first of them. Pauses between steps."""
        if needle is not None:
            self._needle = needle
        needle, done = self._needle, self._filtered_by
        if not needle:
            self.seen, self._filtered_by = self.lines, ()
            return
        covered, whole = self._covered, len(self.lines)
        self._filtered_by = ()
        if done == needle:  # only what was added since is to be looked at
            found, source = self.seen, self.lines[covered:]
        else:
            # Who types on only narrows: what was not seen then isn't now.
            narrower = covered == whole and bool(done) and all(any(o in n for n in needle) for o in done)
            found, source = [], self.seen if narrower else self.lines[:]
            self.seen = found
        for begin in range(0, len(source), STEP):
            for line in source[begin : begin + STEP]:
                words = line.words
                if words is None:
                    words = line.words = self._words(line.row).casefold()
                if all(word in words for word in needle):
                    found.append(line)
            yield
        self._filtered_by, self._covered = needle, whole

    def order_by(self, value: Callable[[R], Any] | None, reverse: bool) -> Iterator[None]:
        """Orders by `value` (None: as they are by nature; what has none comes last), then looks again. The
        old order is seen until the new one is there. Pauses between steps."""
        self._value, self._reverse = value, reverse
        lines, runs = self.lines, []
        for begin in range(0, len(lines), STEP):
            run = lines[begin : begin + STEP]
            for line in run:
                line.rank = self._rank(line.row, line.nature)
            runs.append(sorted(run, key=_RANK, reverse=reverse))
            yield
        merged: list[Line[R]] = []
        for number, line in enumerate(heapq.merge(*runs, key=_RANK, reverse=reverse)):
            merged.append(line)
            if number % STEP == 0:
                yield
        self.lines = merged
        self._filtered_by = ()
        yield from self.look()

    def _rank(self, row: R, nature: Any) -> Any:
        if self._value is None:
            return nature
        value = self._value(row)
        # What has no value is last, whichever way round.
        return (not self._reverse, 0) if value is None else (self._reverse, value)
