"""The worlds of the verifications and drills."""

from tests.recovery.conftest import two_stores, world

__all__ = ["two_stores", "world"]
