"""The same archives as for the reading of them."""

from tests.archive.conftest import rich15, rich18

__all__ = ["rich15", "rich18"]
