"""Finding a trouble by what was said or typed: an error's text, or a few words. Pure.

A text that is a message of a trouble finds it whatever names and numbers are in it; of several the one whose
known messages are most alike comes first. Otherwise words decide: the rarer a word is in the table, the more
it tells; a word that is misspelt counts as the one that it is nearest to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import log

from tui.model.text import clean_lines
from tui.model.trouble import Match, Trouble
from tui.model.verdict import ErrorClass
from tui.postgres.troubles.errors import judge
from tui.postgres.troubles.troubles import troubles

_LONGEST = 4000
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|“[^”]*”|«[^»]*»|`[^`]*`")
_WORD = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]")
_ENDINGS = re.compile(r"(?<=[a-z]{3})(ing|ed|es|s)$")
_PROGRAM = re.compile(r"^(pg_\w+|psql): (error|warning): ")
_NOTHING = re.compile("(?!)")
# In nearly every message, and so of none.
_STOP = frozenset(
    re.findall(
        r"\w+",
        "the is was are be to of in on at for by or and an it its not no from with that this which has have"
        " had been could can may will error fatal warning detail hint panic pg postgres postgresql psql"
        " server while when did does do query failed failure my we you there how what why",
    )
)
_SURE = 100.0
_ENOUGH = 0.45  # of what the words tell must be found, for a text that is no known message
_NEAR = 0.84
_NAME = 1.5  # a word that the table doesn't have is most likely a name: it tells a little against the others
_BESIDE = 0.6  # beside one that is sure only what is nearly so is worth reading


@dataclass(frozen=True, slots=True)
class _Index:
    """The words of each known message and of all that is told of a trouble, by its key, and how much each
    word tells."""

    said: dict[str, tuple[frozenset[str], ...]]
    told: dict[str, frozenset[str]]
    weight: dict[str, float]


def search(text: str, limit: int = 8) -> tuple[Match, ...]:
    """Given an error's text or words that a person typed, returns the troubles that fit, the best first;
    none when nothing is known of it."""
    text = clean_lines(text[:_LONGEST])
    words = _known(_words(text))
    found = [match for trouble in troubles() if (match := _match(trouble, text, words))]
    found += _ruled(text, found)
    if any(match.sure for match in found):
        found = [match for match in found if match.sure or match.score >= 80 * _BESIDE]
    return tuple(sorted(found, key=lambda match: -match.score)[:limit])


def _match(trouble: Trouble, text: str, words: frozenset[str]) -> Match | None:
    index = _index()
    alike = max((_alike(words, own) for own in index.said[trouble.key]), default=0.0)
    if trouble.pattern.search(text):
        return Match(trouble, _SURE + 100 * alike, sure=True)
    told = sum(map(_weight, words))
    covered = sum(map(_weight, words & index.told[trouble.key]))
    if not told or covered / told < _ENOUGH:
        return None
    return Match(trouble, 50 * covered / told + 30 * alike, sure=False)


def _alike(words: frozenset[str], own: frozenset[str]) -> float:
    """How much of a known message is in the text, and of the text in the message: 0 to 1."""
    both = sum(map(_weight, own)) + 0.3 * sum(map(_weight, words - own))
    return sum(map(_weight, words & own)) / both if both else 0.0


def _ruled(text: str, found: Iterable[Match]) -> list[Match]:
    """What judging a restore knows of an error that no trouble is about: its meaning, and what to do."""
    if any(match.sure for match in found) or not text.strip():
        return []
    error = judge(_PROGRAM.sub("", text))
    if error.error_class is ErrorClass.UNKNOWN:
        return []
    kind = error.error_class.value
    name = kind.replace("_", " ")
    ruled = Trouble(f"restore-{kind}", name, error.meaning, (error.mend,), (), _NOTHING)
    return [Match(ruled, _SURE, sure=True)]


def _words(text: str) -> list[str]:
    """The words of a text without names, numbers and paths, each without its ending."""
    # An apostrophe inside a word begins no name.
    bare = _QUOTED.sub(" ", re.sub(r"(?<=\w)'(?=\w)", "", text.casefold()))
    return [_ENDINGS.sub("", word) for word in _WORD.findall(bare) if word not in _STOP]


def _known(words: Iterable[str]) -> frozenset[str]:
    """The words, misspelt ones as what they are nearest to in the table."""
    vocabulary = _index().weight
    made = set()
    for word in dict.fromkeys(words):
        if word in vocabulary:
            made.add(word)
            continue
        alike = [other for other in vocabulary if other[:2] == word[:2]]
        near = get_close_matches(word, alike, n=1, cutoff=_NEAR)
        made.add(near[0] if near else word)
    return frozenset(made)


def _weight(word: str) -> float:
    return _index().weight.get(word, _NAME)


@cache
def _index() -> _Index:
    said = {
        t.key: tuple(frozenset(_words(text)) for text in (t.symptom, *t.said, *t.words.split(",")))
        for t in troubles()
    }
    told = {
        t.key: frozenset(_words(" ".join((t.symptom, t.words, t.cause, *t.do)))).union(*said[t.key])
        for t in troubles()
    }
    having: dict[str, int] = {}
    for words in told.values():
        for word in words:
            having[word] = having.get(word, 0) + 1
    return _Index(said, told, {word: log(1 + len(told) / number) for word, number in having.items()})
