"""An engineer at work on the first incident, in a process of its own that is killed at a chosen moment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from psycopg import sql

from tui.config.load import load
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.model.errors import Refused
from tui.model.event import JobState
from tui.model.incident import Incident, Step, StepStatus
from tui.postgres.connection import Connection
from tui.postgres.databases import swap as swapping
from tui.postgres.databases.databases import end_sessions

STEPS = {step.value: step for step in Step}


class DeadlyBook(Book):
    """A book whose process dies just before or just after something is written for the first time.

    `in:STEP` after the step's beginning, `before:STEP` before its end is written, `after:STEP` after it;
    `ordered` after the restore's job is written down and before it is started, `running` once it was started;
    `swapped` before a swap that was carried out is written down; `closed` before the closing is; `telling`
    when the first of the channels has been told.
    """

    def __init__(self, state: Path, moment: str) -> None:
        super().__init__(state)
        self._when, _, name = moment.partition(":")
        self._step = STEPS.get(name)

    def save(self, incident: Incident) -> None:
        """Writes it, unless this is the moment before."""
        old = self.load(incident.id)
        if self._is_now(old, incident, before=True):
            os.kill(os.getpid(), signal.SIGKILL)
        super().save(incident)
        if self._is_now(old, incident, before=False):
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_now(self, old: Incident, new: Incident, *, before: bool) -> bool:
        if self._step is not None:
            was, now = old.record(self._step).status, new.record(self._step).status
            ended = was is not StepStatus.DONE and now is StepStatus.DONE
            if self._when == "in":
                return not before and was is not StepStatus.ACTIVE and now is StepStatus.ACTIVE
            return ended and before is (self._when == "before")
        if before:
            swapped = old.swap is None and new.swap is not None
            return (self._when == "swapped" and swapped) or (self._when == "closed" and bool(new.closed_at))
        if self._when == "telling":
            return len(new.sent) > len(old.sent)
        if self._when == "ordered":
            return old.job is None and new.job is not None
        return self._when == "running" and new.timeline[-1].text.endswith(" started.")


def die_in_the_swap(moment: str) -> None:
    """Ends this process in a swap: `shut` when both databases are closed to sessions, which is committed by
    then, `renaming` between the two renames."""
    moves = swapping._moves

    def dying(renames: swapping.Renames, closed: Collection[str] = ()) -> Iterator[sql.Composed]:
        yield moves(renames, closed)[0]
        os.kill(os.getpid(), signal.SIGKILL)

    def shut(connection: Connection, names: tuple[str, ...]) -> int:
        ended = end_sessions(connection, names)
        if moment == "shut":
            os.kill(os.getpid(), signal.SIGKILL)
        swapping._moves = dying  # type: ignore[assignment]
        return ended

    # In a process of its own, which ends there; what the swap does up to then is what it always does.
    swapping.end_sessions = shut  # type: ignore[attr-defined]


def live(config: str, state: str, moment: str) -> None:
    """Takes the first incident up, whatever it is at, and works on it as the app does until it is closed."""
    if moment in ("shut", "renaming"):
        die_in_the_swap(moment)
    fleet, book = load(Path(config)), DeadlyBook(Path(state), moment)
    guide = Guide(fleet, Path(state), book, book.load("1"), "ann@db1", utc_now)
    guide.look_again()
    while guide.incident.closed_at is None:
        _next(guide)


def _next(guide: Guide) -> None:
    match guide.incident.current:
        case Step.ASSESS:
            guide.assess(lambda finding: None)
        case Step.PICK:
            guide.pick(next(c for c in guide.candidates()[0] if c.advised))
        case Step.NOTIFY:
            guide.notify(guide.message())
        case Step.RESTORE:
            _restore(guide)
        case Step.VERIFY:
            guide.verify(lambda check: None)
        case Step.RESUME:
            with suppress(Refused):  # it was done before: then it is written down now
                guide.swap_plan()
                guide.swap(guide.database.dbname)
            assert guide.swapped
            guide.close("recovered")


def _restore(guide: Guide) -> None:
    if guide.incident.job is None:
        guide.start_restore(guide.database.dbname, guide.plan())
    deadline = time.monotonic() + 120
    while (picture := guide.restore_picture()) is not None and picture.state is JobState.RUNNING:
        assert time.monotonic() < deadline, "the restore did not end"
        time.sleep(0.05)
    if guide.finish_restore().record(Step.RESTORE).status is StepStatus.FAILED:
        guide.restore_again()


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)
