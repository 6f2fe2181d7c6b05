"""How a check is asked: a question of a connection, whose every end is an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psycopg

from tui.model.backup import Manifest
from tui.model.fleet import Database
from tui.model.text import clean
from tui.model.verdict import Check
from tui.postgres.connection import Connection, sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question found. `passed` None: there is nothing to judge it by."""

    passed: bool | None
    found: str
    mend: str | None = None


@dataclass(frozen=True)
class Asking:
    """Whom to ask, what to compare with, and whom to tell."""

    connection: Connection
    database: Database
    manifest: Manifest | None
    tell: Callable[[Check], None]

    def ask(self, name: str, expected: str, question: Callable[[], Answer]) -> None:
        """Asks and tells the check. An error of the server's is a check that failed, a question that took
        too long, or of a connection that is gone, one that couldn't be asked."""
        answer = self._answer(question)
        self.tell(
            Check(
                clean(name, 120), answer.passed, clean(expected, 300), clean(answer.found, 300), answer.mend
            )
        )

    def _answer(self, question: Callable[[], Answer]) -> Answer:
        if self.connection.closed:
            return Answer(None, "not asked: the connection is gone", "Run the checks again.")
        try:
            return question()
        except psycopg.errors.QueryCanceled as error:
            return Answer(None, f"no answer in time: {sentence(error)}", "Ask it by hand.")
        except psycopg.Error as error:
            return Answer(False, f"error: {sentence(error)}")
        except UnicodeError:
            # A database in SQL_ASCII may hold any bytes as a name.
            return Answer(None, "not asked: a name in it isn't UTF-8")


def listed(names: Iterable[str], limit: int = 5) -> str:
    """Given names, returns the first few and how many more there are."""
    every = list(names)
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
