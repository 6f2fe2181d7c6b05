"""The sessions in a database of the fleet: seen, and ended once its name was typed."""

from __future__ import annotations

from collections.abc import Collection

from tui.model.errors import Refused
from tui.model.fleet import Database
from tui.places.open import open_place
from tui.postgres.facts.sessions import SessionInside, end_sessions_in, sessions_in


def sessions(database: Database) -> tuple[SessionInside, ...]:
    """Who is in the live database, the longest transaction first. Raises as `connect` does."""
    return sessions_in(open_place(database), database.dbname)


def end_sessions(database: Database, pids: Collection[int], confirmation: str | None) -> int:
    """Ends these sessions of the live database and returns how many there were.

    Raises Refused when `confirmation` isn't the database's name, and as `end_sessions_in` does.
    """
    if confirmation not in (database.dbname, database.name):
        raise Refused(
            "Ending sessions needs the database's name, typed.",
            "What they have not committed is lost to them.",
            f"On the command line: --confirm {database.name}",
        )
    return end_sessions_in(open_place(database), database.dbname, pids)
