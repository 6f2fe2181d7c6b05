"""The errors that a person can meet: what failed, why as far as known, what to do next.

Every error that leaves a room is one of these; the front doors print them and turn
`exit_code` into the process's own.
"""

from __future__ import annotations

from dataclasses import dataclass


class PgdrError(Exception):
    """Something failed.

    Given `what` failed, `why` as far as known, and `mend`, the next step; each one plain
    sentence of cleaned text, none of them holding a secret.
    """

    exit_code = 1

    def __init__(self, what: str, why: str | None = None, mend: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.mend = mend

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.mend) if part)


class UsageError(PgdrError):
    """The command line or a value typed by a person makes no sense."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `where` (file and key, or a database or store), `what`, `mend`."""

    where: str
    what: str
    mend: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" {self.mend}" if self.mend else "")


class ConfigError(PgdrError):
    """The configuration can't be used; `problems` holds every reason at once."""

    exit_code = 2

    def __init__(self, what: str, problems: tuple[Problem, ...] = (), mend: str | None = None) -> None:
        super().__init__(what, "\n".join(str(p) for p in problems) or None, mend)
        self.problems = problems


class Refused(PgdrError):
    """Not done because it isn't safe: no confirmation, read-only, target locked, last good backup."""

    exit_code = 4


class Unreachable(PgdrError):
    """A server or a store did not answer, or it refused the credentials."""

    exit_code = 5


class ArchiveError(PgdrError):
    """A file is no archive, or it is damaged, cut short or newer than this program understands."""
