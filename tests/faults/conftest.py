"""Servers that may be hurt: no other test uses them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.life import rich_world
from tests.recovery.world import World
from tests.servers import fresh_database, server
from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin
from tui.demo.server import Server


@pytest.fixture(scope="module")
def fragile() -> Iterator[Server]:
    """A PostgreSQL 18 that is stopped, started and killed."""
    with server("fragile", reachable_bin(server_account())) as made:
        yield made


@pytest.fixture
def world(fragile: Server, tmp_path: Path) -> Iterator[World]:
    """A world on the fragile server, whose restore takes some six seconds."""
    with fresh_database(fragile) as db:
        yield rich_world(db, tmp_path)
