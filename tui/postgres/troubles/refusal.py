"""Why a server says no, and what to do about each reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.model.text import clean


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no connection: its kind, the cause as a sentence, and for a refusal the next step.

    Kinds of nobody there: timeout, name, down, settings. Of a server that says no: those of `refusal`,
    and missing when it is known that there is no such database.
    """

    kind: str
    why: str
    mend: str | None = None

    @property
    def may_be_missing(self) -> bool:
        """Whether the database may not exist: not when the server refused before looking for it."""
        return self.kind in ("no database", "other")


# The server's words in English, from postmaster.c, auth.c, postinit.c and proc.c. A server that speaks
# another language ends at "other", with its own sentence as the cause. pg_hba.conf is never translated.
_WORDS = (
    ("no database", r'FATAL:\s+database ".*" does not exist'),
    ("password", r"password authentication failed|invalid password|authentication failed for user"),
    ("pg_hba", r"pg_hba\.conf"),
    ("full", r"too many (connections|clients)|connection slots are reserved|53300"),
    (
        "starting",
        r"is (starting up|shutting down|in recovery mode|not yet accepting)|not accepting connections$",
    ),
    ("no disk", r"No space left on device|could not extend file"),
    ("closed", r"is not currently accepting connections"),
    ("no role", r'role ".*" does not exist|is not permitted to log in'),
    ("no right", r"permission denied for database"),
    ("tls", r"SSL|certificate"),
)

_MENDS = {
    "no database": "Restore it from a backup, or mend its dbname in the configuration.",
    "no password": "Give a password: in the configuration, PGPASSWORD, or a line in ~/.pgpass.",
    "password": "Mend the role's password or user in the configuration, PGPASSWORD or ~/.pgpass.",
    "pg_hba": "Let this machine and role in by a line in the server's pg_hba.conf, then reload it.",
    "full": "End some sessions, or raise max_connections or the limit of the role or database.",
    "starting": "Wait until the server is ready; look at its log if it takes long.",
    "no disk": "Make room on the server's disk: old logs, an abandoned slot's WAL; then see its log.",
    "closed": 'Let it take connections again: ALTER DATABASE "…" ALLOW_CONNECTIONS true. '
    "A freeze may have closed it (pgdr paused tells), or a swap that was cut off.",
    "no role": "Mend user in the configuration, or create the role with LOGIN.",
    "no right": "Grant the role CONNECT on the database, or connect as another role.",
    "tls": "Mend sslmode and sslrootcert, or the server's TLS settings.",
    "other": "Read the server's log around this moment.",
}


def refusal(kind: str | None, message: str) -> Failure:
    """Given libpq's message and its kind where it is known otherwise (no password, starting, tls),
    returns the refusal: that kind, or no database, password, pg_hba, full, closed, no role, no right,
    other, by the message."""
    text = " ".join(message.split())
    if kind is None:
        kind = next((name for name, words in _WORDS if re.search(words, text)), "other")
    return Failure(kind, cause(message), _MENDS[kind])


def cause(message: str) -> str:
    """Given libpq's message, returns what it says at the end, as one cleaned sentence.

    It has a line for each address that was tried, and before the cause what was being done.
    """
    lines = [line.strip() for line in message.splitlines() if line.strip() and not line.startswith("\t")]
    said = re.split(r"FATAL:\s+", lines[-1])[-1] if lines else "no reason was given"
    said = re.sub(r"^connection (failed|is bad): ", "", said)
    said = re.sub(r"^connection to server (at|on) .*? failed: ", "", said)
    return clean(said[:1].upper() + said[1:].rstrip(".") + ".", 300)
