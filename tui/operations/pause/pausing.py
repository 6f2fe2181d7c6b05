"""Everything that can be paused or frozen for one database of the fleet, in the order of the configuration.

A drill does none of it: each step is told as what it would have done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui.model.amounts import plural
from tui.model.errors import PgdrError, UsageError
from tui.model.fleet import Database, Fleet
from tui.model.paused import (
    FreezeHow,
    FreezeView,
    FrozenDatabase,
    Paused,
    PauseEvent,
    PauseState,
    ServiceView,
)
from tui.model.service import ServiceSpec
from tui.model.text import clean
from tui.operations.pause import freeze as freezing
from tui.operations.pause import pause as services
from tui.operations.pause.pause import Cause, OnEvent
from tui.operations.pause.paused import change_service, paused, paused_service
from tui.operations.report import Clock

Note = Callable[[str, str], None]  # a kind of timeline entry and its text

_AT_ONCE = 8


def nobody(kind: str, text: str) -> None:
    """A Note that is kept nowhere."""


@dataclass
class Pausing:
    """The services of one database and its writes, in the hands of one person. Each method blocks, and may be
    called from any thread; `note` is told what is worth a line in an incident's timeline."""

    fleet: Fleet
    state: Path
    database: Database
    cause: Cause
    now: Clock
    note: Note = nobody
    drill: bool = False
    # What a drill has only pretended; everything else is on disk.
    _pretended: dict[str, PauseState] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The services in the order in which they are stopped; those written down for this database that the
        configuration names no more come last."""
        mine = [s.service for s in paused(self.state).services if s.database == self.database.name]
        return tuple(dict.fromkeys((*self.database.services, *mine)))

    def recorded(self) -> Paused:
        """What is paused or frozen of this database, as it was written down. Asks nobody."""
        found = paused(self.state)
        return Paused(
            tuple(s for s in found.services if s.service in self.names),
            tuple(d for d in found.databases if d.database == self.database.name),
            found.problems,
        )

    def services(self) -> tuple[ServiceView, ...]:
        """Every service as it is now, all asked at once. Never raises."""
        names = self.names
        if not names:
            return ()
        with ThreadPoolExecutor(min(len(names), _AT_ONCE), "services") as pool:
            return tuple(pool.map(self._view, names))

    def writes(self) -> FreezeView:
        """Whether the database takes writes now. Never raises."""
        seen = freezing.view(self.state, self.database)
        pretended = self._pretended.get("")
        return replace(seen, state=pretended, what=f"DRILL: as if so; {seen.what}") if pretended else seen

    def _view(self, name: str) -> ServiceView:
        seen = services.view(self.state, name, self.fleet.service(name))
        pretended = self._pretended.get(name)
        return replace(seen, state=pretended, what=f"DRILL: as if so; {seen.what}") if pretended else seen

    # Services

    def pause_all(self, on_event: OnEvent) -> tuple[ServiceView, ...]:
        """Stops every service, in order. One that fails doesn't keep the others running: it is told, and can
        be tried again or gone past. Returns how all of them are then."""
        for name in self.names:
            self._each(name, self.pause, on_event)
        return self.services()

    def resume_all(self, on_event: OnEvent) -> tuple[ServiceView, ...]:
        """Starts those that were paused, in reverse order, each well before the next. Ends at the first that
        fails, since others may need it: it can be tried again or gone past. Returns how all of them are."""
        waiting = set(self._pretended) if self.drill else {s.service for s in self.recorded().services}
        for name in reversed(self.names):
            if name in waiting and not self._each(name, self.resume, on_event):
                break
        return self.services()

    def _each(self, name: str, do: Callable[[str, OnEvent], None], on_event: OnEvent) -> bool:
        try:
            do(name, on_event)
        except PgdrError as error:
            # Told by the event and by the timeline; the view shows it as long as it is so.
            on_event(PauseEvent(name, PauseState.FAILED, str(error)))
            return False
        return True

    def pause(self, name: str, on_event: OnEvent) -> None:
        """Stops one service. Raises as `operations.pause.pause`, and UsageError for an undeclared one."""
        spec = self._declared(name)
        if self.drill:
            self._pretend(name, PauseState.PAUSED, self._view(name).stops, on_event)
            return
        with _Told(self.note, name) as told:
            services.pause(self.state, spec, self.cause, self.now, told.and_(on_event))

    def resume(self, name: str, on_event: OnEvent) -> None:
        """Starts one service that was paused. Raises as `operations.pause.resume` does, and UsageError for an
        undeclared one."""
        spec = self._declared(name)
        if self.drill:
            self._pretend(name, PauseState.RUNNING, self._view(name).starts, on_event)
            return
        with _Told(self.note, name) as told:
            services.resume(self.state, spec, told.and_(on_event))

    def go_past(self, name: str, reason: str) -> None:
        """Leaves a service as it is, for a reason: it is no longer listed as paused. Raises UsageError
        without a reason."""
        if not reason.strip():
            raise UsageError("Going past a service needs a reason.", mend="One sentence is enough.")
        if not self.drill and paused_service(self.state, name) is not None:
            change_service(self.state, name, lambda record: replace(record, gone_past=clean(reason)))
        self.note("decision", f"{self._mark}Service {clean(name)} was left as it is: {clean(reason)}")

    # Writes

    def freeze(self, how: FreezeHow, *, end_sessions: bool = True) -> FreezeView:
        """Keeps writes out of the database, and returns how it is then. Raises as the operation does."""
        run = "; ".join(freezing.statements(self.database, how))
        if self.drill:
            self._pretended[""] = PauseState.PAUSED
            self.note("fact", f"DRILL: would freeze {clean(self.database.dbname)} ({how.value}): {run}")
            return self.writes()
        self.note("command", run)
        with _Told(self.note, f"freezing {self.database.dbname}"):
            done = freezing.freeze(
                self.state, self.database, how, self.cause, self.now, end_sessions=end_sessions
            )
        said = f"{clean(done.record.dbname)} is frozen ({how.value}), "
        said += f"{plural(done.sessions_ended, 'session')} ended"
        if not end_sessions and done.sessions_left:
            said += f"; {plural(done.sessions_left, 'session')} from before may still write"
        if done.exempt and how is FreezeHow.READ_ONLY:
            said += (
                f"; may write all the same, by a setting of their own: {', '.join(map(clean, done.exempt))}"
            )
        self.note("fact", f"{said}.")
        return self.writes()

    def thaw(self) -> FreezeView:
        """Lets writes in again as before, and returns how it is then. Raises as the operation does."""
        if self.drill:
            self._pretended.pop("", None)
            self.note("fact", f"DRILL: would thaw {clean(self.database.dbname)}.")
            return self.writes()
        with _Told(self.note, f"thawing {self.database.dbname}"):
            record = freezing.thaw(self.state, self.database)
        self.note("command", "; ".join(freezing.thawing(record)))
        self.note("fact", f"{clean(record.dbname)} is thawed: it is as it was before the freeze.")
        return self.writes()

    def give_up_freeze(self, reason: str) -> FrozenDatabase | None:
        """Leaves the freeze as it is, such as one on a server that is lost, for a reason: it is no longer
        listed. Raises UsageError without a reason, Refused when nothing is frozen."""
        if not reason.strip():
            raise UsageError("Giving up a freeze needs a reason.", mend="One sentence is enough.")
        if self.drill:
            self._pretended.pop("", None)
            return None
        record = freezing.give_up(self.state, self.database.name, reason)
        self.note("decision", f"{clean(record.dbname)} was left frozen: {clean(reason)}")
        return record

    # What they share

    @property
    def _mark(self) -> str:
        return "DRILL: " if self.drill else ""

    def _declared(self, name: str) -> ServiceSpec:
        spec = self.fleet.service(name)
        if spec is None:
            raise UsageError(
                f"There is no service {clean(name, 80)} in the configuration.",
                f"Nothing says how it is stopped and started: [services.{clean(name, 80)}] is missing.",
                "Stop or start it by hand, then go past it; and describe it in the configuration later.",
            )
        return spec

    def _pretend(self, name: str, state: PauseState, run: Iterable[str], on_event: OnEvent) -> None:
        if state is PauseState.PAUSED:
            self._pretended[name] = state
        else:
            self._pretended.pop(name, None)
        said = f"DRILL: would run {'; '.join(run) or 'what starts it again'}"
        self.note("fact", f"{said} (service {clean(name)})")
        on_event(PauseEvent(name, state, said))


class _Told:
    """Tells the timeline what is run, what came of it, and what failed."""

    def __init__(self, note: Note, name: str) -> None:
        self._note = note
        self._name = clean(name)

    def __enter__(self) -> _Told:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PgdrError):
            self._note("error", f"{self._name}: {error}")

    def and_(self, on_event: OnEvent) -> OnEvent:
        def told(event: PauseEvent) -> None:
            if event.command is not None:
                self._note("command", event.command)
            elif event.state in (PauseState.PAUSED, PauseState.RUNNING, PauseState.STOPPED):
                said = f" ({clean(event.what)})" if event.what else ""
                self._note("fact", f"Service {self._name} is {event.state.value}{said}.")
            on_event(event)

        return told
