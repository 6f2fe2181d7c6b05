"""How an operation tells what happens, and how it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tui.model.event import Event

Report = Callable[[Event], None]
Clock = Callable[[], datetime]
Stop = Callable[[], bool]


def never() -> bool:
    """A Stop that never asks for an end."""
    return False


class Stopped(Exception):
    """The operation ended early because it was asked to."""
