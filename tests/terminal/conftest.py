"""The worlds of whole operations, for the installed program in a terminal."""

from tests.recovery.conftest import world

__all__ = ["world"]
