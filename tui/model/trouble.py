"""A trouble that people meet, and what helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Remedy(Enum):
    """What pgdr itself can do about a trouble of a database."""

    END_SESSIONS = "end_sessions"
    CREATE_DATABASE = "create_database"
    RECOVER = "recover"
    CHECK_BACKUP = "check_backup"
    SHOW_DISK = "show_disk"
    ROLE = "role"
    CHECK = "check"
    PAUSE = "pause"
    GO_ON = "go_on"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble: the `symptom` in a few words, its `cause`, what to `do` (a sentence each, the first thing
    first), and what pgdr can do about it. `said` are messages in which it shows, with a pattern that knows
    them whatever names and numbers are in them; `words` are others by which people look for it."""

    key: str
    symptom: str
    cause: str
    do: tuple[str, ...]
    said: tuple[str, ...]
    pattern: re.Pattern[str]
    remedies: tuple[Remedy, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A trouble that fits a text: `sure` when the text is a message of it, else only its words are near."""

    trouble: Trouble
    score: float
    sure: bool
