"""Making the roles that a fresh server misses, as they were dumped beside the backup."""

from __future__ import annotations

from collections.abc import Sequence

from tui.model.fleet import Database
from tui.places.open import open_place
from tui.postgres.roles import run_in_one


def make_roles(database: Database, statements: Sequence[str]) -> None:
    """Given the statements that a plan showed, runs them on the server of `database`, all or none.

    They hold no password: those that log in need one afterwards. Raises PgdrError with the server's own
    words, and as `connect` does.
    """
    run_in_one(open_place(database), statements)
