"""A world to recover: a real server, a store with a real backup, an application that answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.notify.conftest import Listener, listener
from tests.recovery.world import World, make_world, with_channels
from tests.servers import FreshDatabase
from tui.model.channels import Webhook

__all__ = ["listener"]


@pytest.fixture
def world(db18: FreshDatabase, tmp_path: Path, listener: Listener) -> World:
    """PostgreSQL 18 with a small shop, a local store, one channel that answers and one that doesn't."""
    made = make_world(
        db18,
        tmp_path,
        rows=20_000,
        change=lambda database: replace(database, health_url=f"{listener.url}/health"),
    )
    return with_channels(
        made,
        Webhook("status", f"{listener.url}/hook", timeout_s=5.0),
        Webhook("gone", "http://127.0.0.1:9/hook", timeout_s=2.0, retry_for_s=1.0),
    )
