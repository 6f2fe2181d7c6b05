"""What went wrong in a restore and what was checked after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class ErrorClass(Enum):
    """What kind of trouble an error of pg_restore is."""

    ROLE_MISSING = "role_missing"
    TABLESPACE_MISSING = "tablespace_missing"
    EXTENSION_MISSING = "extension_missing"
    EXTENSION_OWNED = "extension_owned"  # COMMENT ON EXTENSION and the like, by one who doesn't own it
    ALREADY_EXISTS = "already_exists"
    SETTING_UNKNOWN = "setting_unknown"  # a newer client's SET, such as transaction_timeout
    STATISTICS = "statistics"  # the planner's, of a newer pg_dump; no row
    PERMISSION = "permission"
    DATA = "data"  # a row that doesn't fit, a key violated, an encoding
    DEPENDENCY = "dependency"  # failed only because something before it failed
    ARCHIVE = "archive"  # damaged, cut short, or newer than the client
    CONNECTION_LOST = "connection_lost"
    OUT_OF_SPACE = "out_of_space"
    OUT_OF_LOCKS = "out_of_locks"
    OUT_OF_CONNECTIONS = "out_of_connections"
    OUT_OF_MEMORY = "out_of_memory"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RestoreError:
    """One error: the TOC entry it belongs to (`123 TABLE public.users`), what pg_restore said,
    its class, whether it is harmless, what it means and what to do."""

    entry: str | None
    dump_id: int | None
    message: str
    error_class: ErrorClass
    harmless: bool
    meaning: str
    mend: str


MOST_ERRORS = 300  # told one by one: a missing role can make one for each of 20,000 tables


def foremost(errors: Sequence[RestoreError]) -> tuple[list[RestoreError], Counter[str]]:
    """Given errors, returns those to be told one by one, the ones that aren't harmless first, and how many
    there are of each meaning among the others."""
    worst = sorted(errors, key=lambda error: error.harmless)
    return worst[:MOST_ERRORS], Counter(error.meaning for error in worst[MOST_ERRORS:])


@dataclass(frozen=True, slots=True)
class Check:
    """One question asked of a restored database. `passed` is None where it couldn't be asked."""

    name: str
    passed: bool | None
    expected: str
    found: str
    mend: str | None = None
