"""Fixtures that every room's tests share: see servers.py."""

from __future__ import annotations

import sys

import pytest

from tests.servers import bucket, db15, db18, pg15, pg18, s3

__all__ = ["bucket", "db15", "db18", "pg15", "pg18", "s3"]


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person who runs the tests has set must not change what they see."""
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGPASSFILE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PGDR_CONFIG", "PGDR_STATE", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture(autouse=True)
def quick_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice that waits until its key is let go doesn't, but where a test is about that."""
    if "tui.widgets.choice" in sys.modules:
        monkeypatch.setattr(sys.modules["tui.widgets.choice"].Choice, "PAUSE_S", 0.0)
