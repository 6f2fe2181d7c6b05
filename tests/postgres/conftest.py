"""Both real servers in turn, and names that try to be more than names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.servers import FreshDatabase, fresh_database
from tui.demo.server import Server
from tui.model.fleet import Endpoint
from tui.model.secret import Secret

# Everything that a name may hold and that something on its way may stumble over.
HOSTILE = "we\"ird; name' \\x=y\t\x1b[31m%s$1 –x"

ROLE_PASSWORD = "hush-hush-7"


@pytest.fixture(autouse=True)
def _password_of_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLE_PASSWORD", ROLE_PASSWORD)


@dataclass(frozen=True)
class Ground:
    """One server and a fresh database on it, with connections of the test's own."""

    server: Server
    fresh: FreshDatabase

    @property
    def endpoint(self) -> Endpoint:
        return self.server.endpoint

    @property
    def name(self) -> str:
        return self.fresh.name

    def connect(self, dbname: str | None = None, **more: str) -> psycopg.Connection[tuple[object, ...]]:
        at = self.endpoint
        given = {"host": at.host, "port": at.port, "user": at.user, "passfile": str(at.passfile), **more}
        return psycopg.connect(make_conninfo("", dbname=dbname or self.name, **given), autocommit=True)

    def sql(self, statement: str, dbname: str | None = None) -> list[tuple[object, ...]]:
        with self.connect(dbname) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def role(self, name: str, options: str = "") -> Endpoint:
        """Makes a role that may log in, and returns how it does. Its password is in ROLE_PASSWORD."""
        self.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{ROLE_PASSWORD}' {options}")
        return replace(self.endpoint, user=name, passfile=None, password=Secret(env="ROLE_PASSWORD"))

    def databases(self) -> set[object]:
        return {row[0] for row in self.sql("SELECT datname FROM pg_database", "postgres")}


@pytest.fixture(params=["pg18", "pg15"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A fresh database on PostgreSQL 18, then on 15."""
    server: Server = request.getfixturevalue(request.param)
    with fresh_database(server) as fresh:
        yield Ground(server, fresh)


@pytest.fixture
def ground18(pg18: Server) -> Iterator[Ground]:
    """A fresh database on PostgreSQL 18."""
    with fresh_database(pg18) as fresh:
        yield Ground(pg18, fresh)
