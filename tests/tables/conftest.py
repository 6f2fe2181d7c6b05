"""A live database and a copy of it as it was, on both real servers in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.servers import FreshDatabase, fresh_database
from tui.demo.server import Server
from tui.model.difference import TableDifference
from tui.model.fleet import Criticality, Database
from tui.operations.restore import tables
from tui.postgres.facts.counting import TableName
from tui.postgres.merge.merge import MergeOptions

# Everything that a name may hold and that something on its way may stumble over.
HOSTILE = "we\"ird.; name' \\x=y\t\x1b[31m%s$1 –x"


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Pair:
    """The live database, and the restored one beside it."""

    live: FreshDatabase
    restored: str

    @property
    def database(self) -> Database:
        """The live one as the fleet has it."""
        return Database(
            "shop",
            self.live.name,
            "shop-db",
            endpoint=self.live.endpoint,
            criticality=Criticality.HIGH,
            rpo=timedelta(hours=6),
            rto=timedelta(minutes=30),
        )

    def made(self, statements: str) -> None:
        """Fills the live one, and makes the other as its copy."""
        self.live.sql(statements)
        self.live.server.sql(f'CREATE DATABASE "{self.restored}" TEMPLATE "{self.live.name}"')

    def sql(self, statements: str) -> str:
        """Runs SQL in the live one."""
        return self.live.sql(statements)

    def old(self, statements: str) -> str:
        """Runs SQL in the restored one."""
        return self.live.server.sql(statements, self.restored)

    def compare(self, *names: str) -> tuple[TableDifference, ...]:
        """How the tables differ."""
        chosen = tables.chosen_tables(self.database, self.restored, names)
        return tables.compare_tables(self.database, self.restored, chosen)

    def one(self, name: str) -> TableDifference:
        """How one table differs."""
        (found,) = self.compare(name)
        return found

    def merge(
        self, names: Sequence[str], how: MergeOptions | None = None
    ) -> dict[TableName, tuple[int, int, int]]:
        """Plans and merges; returns rows before, after and inserted of each table."""
        how = how or MergeOptions()
        plan = tables.plan_merge(self.database, self.restored, self.compare(*names))
        assert not plan.stops, plan.stops
        chosen = [t.difference.table for t in plan.tables]
        planned = plan.planned(how.update_changed)
        done = tables.merge_tables(self.database, self.restored, chosen, how, planned)
        return {(m.schema, m.name): (m.before, m.after, m.inserted) for m in done}


def _pair(server: Server) -> Iterator[Pair]:
    with fresh_database(server) as live:
        yield Pair(live, f"{live.name}_restored")


@pytest.fixture(params=["pg18", "pg15"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """On PostgreSQL 18, then on 15."""
    yield from _pair(request.getfixturevalue(request.param))


@pytest.fixture
def pair18(pg18: Server) -> Iterator[Pair]:
    """On PostgreSQL 18."""
    yield from _pair(pg18)
