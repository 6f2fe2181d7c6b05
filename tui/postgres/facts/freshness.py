"""How fresh a live database is: the newest values of some of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from tui.model.fleet import Endpoint
from tui.postgres.connection import connect, deadline, failures, sentence

_STATEMENT_S = 5.0
_CUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest value of a column ("table.column"); None where there is no row, or with the `problem`."""

    column: str
    at: datetime | None
    problem: str | None = None


def newest_values(endpoint: Endpoint, dbname: str, columns: Sequence[str]) -> tuple[Newest, ...]:
    """Given columns "table.column" or "schema.table.column" of times, returns the newest value of each. One
    without an index reads its table, so each has five seconds. Raises as `connect` does."""
    found: list[Newest] = []
    with (
        connect(endpoint, dbname, statement_timeout_s=_STATEMENT_S) as connection,
        deadline(connection, _CUT_S),
        failures("The last writes could not be read."),
    ):
        connection.execute("SELECT set_config('TimeZone', 'UTC', false)")  # of times without a zone
        for column in columns:
            *table, name = column.split(".")
            query = sql.SQL("SELECT max({})::timestamptz FROM {}").format(
                sql.Identifier(name), sql.Identifier(*(table if len(table) > 1 else ["public", *table]))
            )
            try:
                row = connection.execute(query).fetchone()
                found.append(Newest(column, row[0] if row else None))
            except psycopg.Error as error:
                if connection.closed:
                    raise
                found.append(Newest(column, None, sentence(error)))
    return tuple(found)
