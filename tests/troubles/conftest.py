"""The world of troubles: one database on a real server."""

from tests.recovery.conftest import world

__all__ = ["world"]
