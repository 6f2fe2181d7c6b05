"""Roles of a server: made by statements that were shown to a person."""

from __future__ import annotations

from collections.abc import Sequence

from tui.model.fleet import Endpoint
from tui.postgres.connection import connect, failures


def run_in_one(endpoint: Endpoint, statements: Sequence[str]) -> None:
    """Runs statements in one transaction in the maintenance database. Raises PgdrError, and as `connect`
    does; nothing has changed then."""
    with (
        connect(endpoint) as connection,
        failures("The roles were not made."),
        connection.transaction(),
    ):
        for statement in statements:
            connection.execute(statement.encode())
