"""Real servers for every room's tests. Each pytest process (each xdist worker) has its own."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tui.demo.account import passable, server_account
from tui.demo.binaries import reachable_bin
from tui.demo.objects import ObjectServer
from tui.demo.registry import stop_leftovers
from tui.demo.server import Server
from tui.model.fleet import Endpoint, S3Store

PG15 = Path("/usr/lib/postgresql/15/bin")
# What swaps and restores can stumble over must be possible here: slots, prepared transactions, publications.
SETTINGS = {
    "wal_level": "logical",
    "max_prepared_transactions": "5",
    "max_connections": "60",
    "shared_buffers": "32MB",
}


@dataclass(frozen=True)
class FreshDatabase:
    """An empty database of its own on a real server, gone after the test."""

    server: Server
    name: str

    @property
    def endpoint(self) -> Endpoint:
        """How to reach its server."""
        return self.server.endpoint

    def sql(self, text: str) -> str:
        """Runs SQL in it with psql; returns the rows, unaligned, fields by `|`."""
        return self.server.sql(text, self.name)


@dataclass(frozen=True)
class Bucket:
    """A bucket of a real S3 server, and the directory in which its objects lie as files."""

    server: ObjectServer
    name: str
    store: S3Store
    directory: Path


@contextmanager
def place() -> Iterator[Path]:
    """A directory that the user who runs the servers can reach; removed afterwards."""
    account = server_account()
    base = next(p for p in (Path(tempfile.gettempdir()), Path("/var/tmp")) if passable(p, account))
    made = Path(tempfile.mkdtemp(prefix="pgdr-test-", dir=base))
    made.chmod(0o711)  # ours, made a line ago: the servers' user passes through it
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def server(name: str, bin_directory: Path, user: str = "pgdr_test") -> Iterator[Server]:
    """A new server of that directory's programs, stopped and removed afterwards."""
    stop_leftovers()
    with place() as directory:
        made = Server(
            name=name,
            bin_directory=bin_directory,
            directory=directory / "server",
            user=user,
            passfile=directory / "pgpass",
            account=server_account(),
            settings=SETTINGS,
        )
        made.create()
        made.start()
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def fresh_database(on: Server) -> Iterator[FreshDatabase]:
    """An empty database; afterwards every database and role that the test has made is dropped again."""
    name = f"t_{secrets.token_hex(5)}"
    with _session(on) as session:
        before_databases = _names(session, "pg_database", "datname")
        before_roles = _names(session, "pg_roles", "rolname")
        session.execute(f"CREATE DATABASE {_quoted(name)}".encode())
    try:
        yield FreshDatabase(on, name)
    finally:
        with _session(on) as session:
            for (slot,) in session.execute(
                "SELECT slot_name FROM pg_replication_slots WHERE NOT active"
            ).fetchall():
                session.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
            for database in _names(session, "pg_database", "datname") - before_databases:
                _drop(on, session, database)
            for role in _names(session, "pg_roles", "rolname") - before_roles:
                session.execute(f"DROP ROLE IF EXISTS {_quoted(role)}".encode())


def _session(on: Server) -> psycopg.Connection[tuple[Any, ...]]:
    """A short session: psql would cost a process for each question, several for each test."""
    place = on.endpoint
    return psycopg.connect(
        host=place.host,
        port=place.port,
        user=place.user,
        passfile=str(place.passfile),
        dbname="postgres",
        autocommit=True,
    )


def _drop(on: Server, session: psycopg.Connection[tuple[Any, ...]], database: str) -> None:
    prepared = session.execute(
        "SELECT gid FROM pg_prepared_xacts WHERE database = %s", (database,)
    ).fetchall()
    session.execute(f"ALTER DATABASE {_quoted(database)} ALLOW_CONNECTIONS true IS_TEMPLATE false".encode())
    for (gid,) in prepared:
        on.sql(f"ROLLBACK PREPARED {_literal(gid)}", database)
    session.execute(f"DROP DATABASE IF EXISTS {_quoted(database)} WITH (FORCE)".encode())


def _names(session: psycopg.Connection[tuple[Any, ...]], catalog: str, column: str) -> set[str]:
    return {name for (name,) in session.execute(f"SELECT {column} FROM {catalog}".encode()).fetchall()}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.fixture(scope="session")
def pg18() -> Iterator[Server]:
    """A server of the embedded PostgreSQL 18."""
    with server("pg18", reachable_bin(server_account())) as made:
        yield made


@pytest.fixture(scope="session")
def pg15() -> Iterator[Server]:
    """A server of Debian's PostgreSQL 15: skipped where it isn't installed, but failed in CI."""
    if not (PG15 / "postgres").exists():
        said = f"PostgreSQL 15 is not installed in {PG15} (Debian: apt-get install postgresql-15)."
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    with server("pg15", PG15) as made:
        yield made


@pytest.fixture
def db18(pg18: Server) -> Iterator[FreshDatabase]:
    """A fresh database on PostgreSQL 18."""
    with fresh_database(pg18) as made:
        yield made


@pytest.fixture
def db15(pg15: Server) -> Iterator[FreshDatabase]:
    """A fresh database on PostgreSQL 15."""
    with fresh_database(pg15) as made:
        yield made


@pytest.fixture(scope="session")
def s3() -> Iterator[ObjectServer]:
    """A real S3 server that checks its secret."""
    stop_leftovers()
    with place() as directory, ObjectServer(directory) as made:
        made.start()
        yield made


@pytest.fixture
def bucket(s3: ObjectServer) -> Iterator[Bucket]:
    """A fresh bucket on it."""
    name = f"bucket-{secrets.token_hex(5)}"
    yield Bucket(s3, name, s3.store("offsite", name), s3.objects / name)
    shutil.rmtree(s3.objects / name, ignore_errors=True)
