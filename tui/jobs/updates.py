"""What a running restore tells the channels by itself: when it should be ready, as that changes.

Sent from a thread of the supervisor's own, so that it goes on when the app and its link are gone. Nothing
that goes wrong here reaches the restore, and nothing here makes it wait.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from tui.files import write_whole
from tui.jobs.job import JobFiles, JobSpec, files_of
from tui.jobs.journal import Journal, read
from tui.model import codec
from tui.model.errors import PgdrError
from tui.model.event import Told
from tui.model.fleet import Fleet
from tui.model.fleet import Updates as Rule
from tui.model.incident import Sent
from tui.model.progress import Progress
from tui.model.wording import Occasion
from tui.notify.facts import Facts
from tui.notify.send import send_all
from tui.notify.templates import draft
from tui.postgres.progress.progress import Fold

_LOOK_EVERY_S = 2.0
_NAME = "updates.json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whether a job is to tell by itself, the facts that it doesn't know, and the recovery's deadline."""

    on: bool
    facts: Facts
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Last:
    """When the channels were told last, and when it should have been ready by that; `late` whether they
    have been told that it will be late."""

    at: datetime
    ready_high: datetime | None
    late: bool = False


def want_updates(state: Path, job: str, wanted: Wanted) -> None:
    """Tells a job whether to tell by itself. Raises UsageError when there is no such job, NotWritten."""
    write_whole(files_of(state, job).directory / _NAME, json.dumps(codec.plain(wanted)))


def due(
    last: Last, ready_high: datetime | None, deadline: datetime, rule: Rule, now: datetime
) -> Occasion | None:
    """Given when the channels were told last and what, when it should be ready now, the deadline and the
    fleet's rule, returns what to tell them at this moment, or None. Pure.

    That it will be late is told once, as soon as it is known but for the pause; everything else when the
    end has moved far enough, or it is time again.
    """
    if ready_high is None or now - last.at < rule.pause:
        return None
    late = ready_high > deadline
    if late and not last.late:
        return Occasion.DELAYED
    moved = last.ready_high is None or abs(ready_high - last.ready_high) > rule.moved
    again = rule.every is not None and now - last.at >= rule.every
    return Occasion.PROGRESS if moved or again else None


class Updater:
    """Looks every other second whether there is something to tell, and tells it, until it is stopped."""

    def __init__(
        self, files: JobFiles, spec: JobSpec, fleet: Fleet, journal: Journal, now: Callable[[], datetime]
    ) -> None:
        self._files, self._spec, self._fleet, self._journal, self._now = files, spec, fleet, journal, now
        self._over = threading.Event()
        self._turn = threading.Lock()  # held while an event is appended: none after the job's last
        self._fold, self._offset = Fold(), 0
        self._last: Last | None = None
        self._number = 0

    def __enter__(self) -> Self:
        """Begins to look. Costs nothing worth mentioning while no updates are wanted."""
        threading.Thread(target=self._run, name="updates", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """No more events of it: the job ends. A message that is on its way is not waited for."""
        with self._turn:
            self._over.set()

    def _run(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            try:
                self._look()
            except Exception:  # noqa: BLE001, S112 - whatever it is, it must not end the looking, nor touch
                # the restore; what became of each message is in the journal, where that can be written
                continue

    def _look(self) -> None:
        wanted = _wanted(self._files)
        if wanted is None or not wanted.on or not self._fleet.channels:
            self._last = None
            return
        entries, self._offset = read(self._files.journal, self._offset)
        for entry in entries:
            self._fold.add(entry)
        now = self._now()
        picture = self._fold.picture(now)
        if self._last is None:
            # What was told when it was declared, or switched on, counts as told.
            self._last = Last(now, wanted.facts.ready_high or picture.ready_high)
            return
        occasion = due(self._last, picture.ready_high, wanted.deadline, self._fleet.updates, now)
        if occasion is not None:
            self._tell(occasion, wanted, picture, now)

    def _tell(self, occasion: Occasion, wanted: Wanted, picture: Progress, now: datetime) -> None:
        assert self._last is not None
        late = self._last.late or occasion is Occasion.DELAYED
        self._last = Last(now, picture.ready_high, late)
        self._number += 1
        left = picture.ready_high - now if picture.ready_high else None
        facts = replace(
            wanted.facts,
            now=now,
            step="restore",
            fraction=picture.fraction,
            ready_low=picture.ready_low,
            ready_high=picture.ready_high,
            eta=max(left, timedelta(0)) if left is not None else None,
        )
        message = draft(occasion, facts, self._fleet.messages)
        message = replace(message, id=f"{facts.thread}-{self._spec.id}-{self._number}")

        def sent(one: Sent) -> None:
            self._append(Told(replace(one, occasion=occasion.value)))

        send_all(self._fleet.channels, message, self._now, sent)

    def _append(self, event: Told) -> None:
        # Not written on a full disk, for instance: the restore meets that too, and says so.
        with self._turn, suppress(PgdrError):
            if not self._over.is_set():
                self._journal.append(event)


def _wanted(files: JobFiles) -> Wanted | None:
    try:
        return codec.build(json.loads((files.directory / _NAME).read_text()), Wanted)
    except (OSError, ValueError):
        return None  # not there
