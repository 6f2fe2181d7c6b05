"""Asking a database whether it is right: a restored one against its manifest, a live one for damage."""

from __future__ import annotations

from collections.abc import Callable

from tui.model.backup import Manifest
from tui.model.fleet import Database, Fleet
from tui.model.verdict import Check
from tui.operations.catalogue import read_manifest, split_ref
from tui.places.open import open_place
from tui.postgres import checks as server_checks
from tui.postgres import facts as server
from tui.stores.open import open_store


def check_restored(
    fleet: Fleet, database: Database, target: str, ref: str, on_check: Callable[[Check], None]
) -> tuple[Check, ...]:
    """Given a restored database's name on the server and the backup it was made from, returns every
    check with what was expected and what was found; each goes to `on_check` as it is made."""
    spec, key = split_ref(fleet, ref)
    manifest = read_manifest(open_store(spec), key)
    return server_checks.run_checks(open_place(database), target, database, manifest, on_check)


def live_checks(database: Database, manifest: Manifest | None) -> tuple[Check, ...]:
    """The fleet's own questions, the structure and the columns, asked of the live database.

    Row counts and sequences are left out: a live database moves on.
    """
    return server_checks.structure_checks(open_place(database), database.dbname, database, manifest)


def count_tables(
    database: Database, tables: tuple[tuple[str, str], ...]
) -> dict[tuple[str, str], int | None]:
    """Exact rows of tables (schema, name) of the live database, None for one that isn't there."""
    return server.count_tables(open_place(database), database.dbname, tables)
