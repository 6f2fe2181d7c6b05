"""At any step: the services of the database are paused and resumed, its writes frozen and thawed.

What is paused is written down apart from the incident (STATE/paused), so that it is listed until resumed,
whatever becomes of the incident and of this program. The incident's timeline tells of each step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from tui.incident.work import Work, acting
from tui.model.paused import FreezeHow, FreezeView, FrozenDatabase, Paused, ServiceView
from tui.operations.pause.pause import Cause, OnEvent
from tui.operations.pause.pausing import Pausing

T = TypeVar("T")


class PauseStep(Work):
    """What uses the database is held back, and let go again."""

    @cached_property
    def pausing(self) -> Pausing:
        """The services and the writes, to be looked at by anyone and changed by who drives."""
        incident = self._incident
        word = "drill" if incident.drill else "incident"
        return _Driven(
            fleet=self._fleet,
            state=self._state,
            database=self.database,
            cause=Cause(self._operator, f"{word} {incident.id}", self.database.name, incident.id),
            now=self._now,
            note=self._note,
            drill=incident.drill,
            work=self,
        )

    def paused(self) -> Paused:
        """What is paused or frozen of this database, as it was written down."""
        return self.pausing.recorded()

    def pause_all(self, on_event: OnEvent) -> tuple[ServiceView, ...]:
        """Stops every service, in the configuration's order; each that fails is told, the others go on."""
        return self.pausing.pause_all(on_event)

    def resume_all(self, on_event: OnEvent) -> tuple[ServiceView, ...]:
        """Starts those that were paused, in reverse order; ends at the first that fails."""
        return self.pausing.resume_all(on_event)

    def freeze(self, how: FreezeHow, *, end_sessions: bool = True) -> FreezeView:
        """Keeps writes out of the database."""
        return self.pausing.freeze(how, end_sessions=end_sessions)

    def thaw(self) -> FreezeView:
        """Lets them in again, as before."""
        return self.pausing.thaw()

    @acting
    def driven(self, do: Callable[[], T]) -> T:
        """Does something outside of the incident for who drives it. Raises Refused when that is another."""
        return do()


@dataclass
class _Driven(Pausing):
    """One whose every change is for who drives the incident."""

    work: PauseStep = field(kw_only=True)

    def pause_all(self, on_event: OnEvent) -> tuple[ServiceView, ...]:
        return self.work.driven(lambda: Pausing.pause_all(self, on_event))

    def resume_all(self, on_event: OnEvent) -> tuple[ServiceView, ...]:
        return self.work.driven(lambda: Pausing.resume_all(self, on_event))

    def pause(self, name: str, on_event: OnEvent) -> None:
        self.work.driven(lambda: Pausing.pause(self, name, on_event))

    def resume(self, name: str, on_event: OnEvent) -> None:
        self.work.driven(lambda: Pausing.resume(self, name, on_event))

    def go_past(self, name: str, reason: str) -> None:
        self.work.driven(lambda: Pausing.go_past(self, name, reason))

    def freeze(self, how: FreezeHow, *, end_sessions: bool = True) -> FreezeView:
        return self.work.driven(lambda: Pausing.freeze(self, how, end_sessions=end_sessions))

    def thaw(self) -> FreezeView:
        return self.work.driven(lambda: Pausing.thaw(self))

    def give_up_freeze(self, reason: str) -> FrozenDatabase | None:
        return self.work.driven(lambda: Pausing.give_up_freeze(self, reason))
