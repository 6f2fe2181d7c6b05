"""The same worlds as for whole operations, driven by the program itself."""

from tests.recovery.conftest import two_stores, world

__all__ = ["two_stores", "world"]
