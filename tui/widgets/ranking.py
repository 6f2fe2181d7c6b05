"""What a person most likely means by a few letters. Pure functions of text."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that can be found: its text in lower case, its kind's place among equally good ones, and what
    else it is found by, which counts for less."""

    number: int
    text: str
    kind: int
    also: str = ""


def best(query: str, candidates: Iterable[Candidate], limit: int) -> list[int]:
    """Given what was typed, returns the numbers of at most `limit` candidates, best first.

    What is called exactly so comes first. Every word must be found: as a whole word, at a word's beginning,
    anywhere, or (for a short text) its letters in their order. Among equals the kind decides, then the order
    they came in. An empty query takes them as they come.
    """
    words = query.casefold().split()
    return [number for _, _, number in heapq.nsmallest(limit, _scored(words, candidates))]


def _scored(words: list[str], candidates: Iterable[Candidate]) -> Iterator[tuple[int, int, int]]:
    whole = " ".join(words)
    for candidate in candidates:
        score = -1 if whole == candidate.text else 0
        for word in words:
            points = distance(word, candidate.text)
            if points is None or points > _ALSO:
                beside = distance(word, candidate.also) if candidate.also else None
                points = points if beside is None else _ALSO + min(beside, 2)
            if points is None:
                break
            score += points
        else:
            yield score, candidate.kind, candidate.number


_ALSO = 3  # so much less counts what it isn't called
_BORDERS = " ._-:/›…("
_SHORT = 60  # characters of a text in which scattered letters still mean something


def distance(word: str, text: str) -> int | None:
    """Given a word and a text, both in lower case, returns 0 for a whole word of it, 1 for the beginning
    of one, 2 for any part of it, 4 for letters in their order; None where it can't be meant."""
    at = text.find(word)
    if at < 0:
        return 4 if len(word) >= 3 and len(text) <= _SHORT and _scattered(word, text) else None
    found = 2
    while at >= 0:
        if at == 0 or text[at - 1] in _BORDERS:
            found = 1
            end = at + len(word)
            if end == len(text) or text[end] in _BORDERS:
                return 0
        at = text.find(word, at + 1)
    return found


def _scattered(word: str, text: str) -> bool:
    rest = iter(text)
    return text[:1] == word[:1] and all(letter in rest for letter in word)
