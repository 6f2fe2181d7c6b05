"""The worlds of whole operations, to be hurt."""

from tests.recovery.conftest import two_stores, world

__all__ = ["two_stores", "world"]
