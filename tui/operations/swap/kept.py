"""The databases that restores, swaps and verifications left beside a live one: seen, and dropped for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tui.model.amounts import minute, plural
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.fleet import Database, Fleet
from tui.model.kept import KeptDatabase
from tui.model.text import clean
from tui.operations.pause.paused import dropped
from tui.operations.records import swaps
from tui.places.open import open_place
from tui.postgres.databases import kept as server_kept
from tui.postgres.databases.databases import drop, target_lock


def kept_databases(
    fleet: Fleet, state: Path, database: Database, needed: Mapping[str, str]
) -> tuple[KeptDatabase, ...]:
    """Given a database of the fleet, returns those on its server that were made from it, the newest first.

    `needed` tells of names what still needs them (an open incident); the last swap's way back is added.
    Live databases of the fleet aren't among them, whatever their names. Raises as `connect` does.
    """
    endpoint = open_place(database)
    live = {d.dbname for d in fleet.databases if (d.endpoint.host, d.endpoint.port) ==
            (database.endpoint.host, database.endpoint.port)}  # fmt: skip
    reasons = {**_way_back(state, database), **needed}
    return tuple(
        replace(kept, needed=reasons.get(kept.name))
        for kept in server_kept.kept_databases(endpoint, database.dbname)
        if kept.name not in live
    )


def drop_kept(
    fleet: Fleet, state: Path, database: Database, name: str, needed: Mapping[str, str]
) -> KeptDatabase:
    """Drops one of them for good and returns what it was.

    Raises UsageError when `name` is none of them, Refused when an open incident needs it, a job works on it
    or sessions are in it; PgdrError when the server can't drop it (slots, subscriptions), and as `connect`.
    The way back of the last swap may be dropped: who asks for it has been told.
    """
    there = kept_databases(fleet, state, database, needed)
    found = next((kept for kept in there if kept.name == name), None)
    if found is None:
        names = ", ".join(clean(kept.name) for kept in there[:5])
        raise UsageError(
            f"{clean(name, 80)} is no database that was made from {clean(database.dbname)}.",
            mend=f"There are: {names}." if names else "There is none on its server.",
        )
    if name in needed:
        raise Refused(f"{clean(name)} is needed: {needed[name]}", mend="Close the incident first.")
    if found.sessions:
        raise Refused(
            f"{plural(found.sessions, 'session')} in {clean(name)}: someone still uses it.",
            mend="Let them end first; pg_stat_activity on the server tells who they are.",
        )
    endpoint = open_place(database)
    with target_lock(endpoint, name):
        drop(endpoint, name, restored=found.purpose != "before")
    dropped(state, database.name, name)
    return found


def _way_back(state: Path, database: Database) -> dict[str, str]:
    try:
        done = swaps(state, database.name)
    except PgdrError:
        return {}  # a broken record: the names are shown all the same
    if not done or done[-1].undone_at is not None or done[-1].kept_as is None:
        return {}
    return {done[-1].kept_as: f"undo of the swap of {minute(done[-1].at)} UTC puts it back."}
