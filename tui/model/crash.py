"""What is told and written down when the app has made a mistake: enough to mend it, and no secret."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Iterator, Sequence

from tui import __version__
from tui.model.errors import PgdrError
from tui.model.text import clean


def crash_details(error: BaseException, doing: Sequence[str]) -> str:
    """Given the mistake and what was on the terminal (names of screens), returns what is to be written down.

    Neither the values of variables are in it nor the message of an exception that isn't pgdr's own: a message
    of unknown origin can hold a password.
    """
    told = [f"pgdr {__version__}, Python {platform.python_version()} on {platform.platform()}"]
    told.append(f"on the terminal: {', '.join(doing) or 'nothing yet'}")
    for cause in _chain(error):
        said = f": {clean(cause.what, 500)}" if isinstance(cause, PgdrError) else ""
        told += ["", f"{type(cause).__module__}.{type(cause).__qualname__}{said}"]
        told += [line.rstrip("\n") for line in traceback.format_tb(cause.__traceback__)]
    return "\n".join(told) + "\n"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The mistake and what led to it, the last first."""
    seen: set[int] = set()
    now: BaseException | None = error
    while now is not None and id(now) not in seen:
        seen.add(id(now))
        yield now
        if isinstance(now, BaseExceptionGroup):
            for part in now.exceptions:
                yield from _chain(part)
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)


def crash_page(error: BaseException | None, details: str) -> str:
    """Given the mistake and a sentence on where its details are, returns what a person is to read then."""
    what = f" ({type(error).__name__})" if error is not None else ""
    return "\n".join(
        (
            f"pgdr: the app has made a mistake{what} and has ended. Nothing is lost by it.",
            "",
            "  what goes on   jobs run by themselves, on this machine; incidents are saved as they were",
            "  what to do     pgdr             opens the app again; an unfinished incident is offered",
            "                 pgdr jobs        tells what runs; pgdr attach JOB shows it",
            "                 pgdr incidents   tells where a recovery is; every verb works without the app",
            f"  to report it   {details}",
            "",
        )
    )
