"""The world of a test: one database on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recovery.world import World, make_world
from tests.servers import Bucket, FreshDatabase


@pytest.fixture
def world(db18: FreshDatabase, tmp_path: Path) -> World:
    """PostgreSQL 18, a local store."""
    return make_world(db18, tmp_path)


@pytest.fixture
def two_stores(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> World:
    """PostgreSQL 18, a local store and a bucket."""
    return make_world(db18, tmp_path, offsite=bucket.store)
