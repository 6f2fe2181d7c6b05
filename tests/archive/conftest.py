"""The rich database, made and dumped once for each server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.archive.rich import SCHEMA, Rich, dump
from tests.servers import FreshDatabase, fresh_database
from tui.demo.server import Server


@contextmanager
def _rich(server: Server, directory: Path) -> Iterator[Rich]:
    with fresh_database(server) as fresh:
        fresh.sql(SCHEMA)
        yield dump(server, fresh.name, directory)


@pytest.fixture(scope="session")
def rich18(pg18: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rich]:
    """The rich database of PostgreSQL 18."""
    with _rich(pg18, tmp_path_factory.mktemp("rich18")) as made:
        yield made


@pytest.fixture(scope="session")
def rich15(pg15: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rich]:
    """The rich database of PostgreSQL 15."""
    with _rich(pg15, tmp_path_factory.mktemp("rich15")) as made:
        yield made


@pytest.fixture(params=["rich18", "rich15"])
def rich(request: pytest.FixtureRequest) -> Rich:
    """The rich database of 18, then of 15."""
    made: Rich = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def target(rich: Rich) -> Iterator[FreshDatabase]:
    """An empty database on the same server."""
    with fresh_database(rich.server) as fresh:
        yield fresh
