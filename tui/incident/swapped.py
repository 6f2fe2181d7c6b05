"""What was done to the server and not written into the incident: its app was killed in between."""

from __future__ import annotations

from pathlib import Path

from tui.model.fleet import Database
from tui.model.incident import Incident, Swap
from tui.operations.records import swaps
from tui.places.open import open_place
from tui.postgres.databases.databases import exists

UNDONE = "The swap was taken back"  # so the fact begins that a timeline has of it


def unwritten_swap(state: Path, database: Database, incident: Incident) -> Swap | None:
    """Given the database that an incident recovers, returns the swap of it, or the taking back of one, that
    was carried out and that the incident doesn't know of; None when there is none. The swaps' own record is
    written before anything is renamed, so the server is asked whether it came to that.

    Raises as `connect` does, PgdrError when the record can't be read.
    """
    known = swaps(state, database.name)
    if not known or incident.target is None:
        return None
    last, own = known[-1], incident.swap
    if own is not None:
        same = (own.at, own.restored_name) == (last.at, last.restored_name)
        return last if same and last.undone_at is not None and own.undone_at is None else None
    if last.restored_name != incident.target or last.undone_at is not None or last.at < incident.declared_at:
        return None
    endpoint = open_place(database)
    renamed = exists(endpoint, database.dbname) and not exists(endpoint, last.restored_name)
    return last if renamed else None
