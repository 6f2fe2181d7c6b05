"""Creating a database of the fleet anew, empty: for a service that must start without its data."""

from __future__ import annotations

from tui.model.errors import Refused
from tui.model.fleet import Database
from tui.places.open import open_place
from tui.postgres.databases.databases import create


def create_empty(database: Database, confirmation: str) -> None:
    """Makes the live database, empty, where there is none.

    Raises Refused when `confirmation` isn't its name or it is there already, and as `create` does.
    """
    if confirmation != database.dbname:
        raise Refused("The name that was typed is not the database's.", mend="Nothing was made.")
    create(open_place(database), database.dbname)
