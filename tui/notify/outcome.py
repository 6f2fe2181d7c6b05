"""Why a message wasn't taken, and whether it makes sense to try again."""

from __future__ import annotations

from tui.model.errors import PgdrError, Unreachable


class Later(PgdrError):
    """The channel is there and says: not now. `wait_s`: for how long, if it says so."""

    def __init__(self, what: str, mend: str | None = None, wait_s: float | None = None) -> None:
        super().__init__(what, mend=mend)
        self.wait_s = wait_s


class Unsure(Unreachable):
    """The message was on its way when the connection failed: it may have been taken."""


class Untrusted(Unreachable):
    """It can't be told who is there: no second try makes that better."""


def worth_another_try(error: PgdrError, repeatable: bool) -> bool:
    """Given why a message wasn't taken, and whether the channel shows a repeated one only once, returns
    whether to send it again: after no answer or "not now", never after a plain no."""
    if isinstance(error, Unsure):
        return repeatable
    return isinstance(error, (Later, Unreachable)) and not isinstance(error, Untrusted)


def wait_asked(error: PgdrError) -> float:
    """How many seconds the channel asked to be left alone; 0 where it said nothing."""
    return (error.wait_s or 0.0) if isinstance(error, Later) else 0.0
