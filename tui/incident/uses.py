"""Which databases the open incidents still need."""

from __future__ import annotations

from pathlib import Path

from tui.incident.book import Book
from tui.model.text import clean


def databases_in_use(state: Path, database: str) -> dict[str, str]:
    """Given a database of the fleet, returns the names of those on its server that an open incident of it
    needs (the restored one, the one kept by its swap), each with a sentence that says so."""
    needed: dict[str, str] = {}
    for incident in Book(state).all():
        if incident.database != database or incident.closed_at is not None:
            continue
        swap = incident.swap
        names = [incident.target, *((swap.kept_as, swap.restored_name) if swap else ())]
        for name in names:
            if name is not None:
                needed[name] = f"incident {clean(incident.id)} is open and works with it."
    return needed
