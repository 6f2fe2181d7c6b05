"""What people are told during a recovery: the occasions, and wordings with named fields to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class Occasion(Enum):
    """When people are told something."""

    DECLARED = "declared"
    PROGRESS = "progress"
    DELAYED = "delayed"
    READY = "ready"
    RESOLVED = "resolved"
    STOOD_DOWN = "stood_down"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for one occasion; None is left as this program has it. `{name}` stands for a fact (see
    FIELDS), `{{` and `}}` for braces. Nothing else is read from it: no expression, no format."""

    occasion: Occasion
    title: str | None = None
    text: str | None = None


FIELDS: Mapping[str, str] = {
    "fleet": "the fleet's name",
    "database": "the database's name in the fleet",
    "environment": "prod, staging, …",
    "incident": "the incident's number",
    "operator": "who works on it",
    "scenario": "what happened, as the engineer decided",
    "damaged_since": "since when, as far as known",
    "declared": "when the incident was declared",
    "elapsed": "how long ago that was, in words",
    "eta": "how long it should still take, in words",
    "ready_at": "when it should be ready",
    "deadline": "when the RTO is over",
    "rto": "how long a recovery may take",
    "rpo": "how much may be lost",
    "last_backup": "when the backup that is used was taken",
    "data_lost": "what is lost by using it, in words",
    "progress": "how far the restore is",
    "step": "the step that the recovery is at",
    "checks": "how many checks have passed",
    "took": "how long the recovery took, in words",
    "reason": "why it was stood down, or is late",
}

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class Misworded(ValueError):
    """A wording that can't be filled in: `what` is wrong, and the field's `name` where it is one."""

    def __init__(self, what: str, name: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.name = name


def names_in(wording: str) -> tuple[str, ...]:
    """Given a wording, returns the fields it names. Raises Misworded for one that isn't known, or a lone
    brace."""
    return tuple(name for piece, name in _pieces(wording) if name is not None)


def fill(wording: str, facts: Mapping[str, str]) -> str:
    """Given a wording and the facts by field, returns the text; a field without a fact is `unknown`. What a
    fact holds is never read as a wording."""
    return "".join(piece if name is None else facts.get(name, "unknown") for piece, name in _pieces(wording))


def _pieces(wording: str) -> Iterator[tuple[str, str | None]]:
    """Its pieces in order: text as it is, or the name of a field."""
    at = 0
    for found in _PIECE.finditer(wording):
        yield wording[at : found.start()], None
        at = found.end()
        token, name = found[0], found[1]
        if token in ("{{", "}}"):
            yield token[0], None
        elif name is None:
            raise Misworded('has a lone "{" or "}"; a brace itself is written twice.')
        elif name not in FIELDS:
            raise Misworded("names a field that is not known.", name)
        else:
            yield "", name
    yield wording[at:], None
