"""Stopping one service and starting it again: written down first, then done, then seen to be so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tui.model.amounts import plural
from tui.model.errors import PgdrError, Refused
from tui.model.paused import PausedService, PauseEvent, PauseState, ServiceView
from tui.model.service import Looked, ServiceSpec, ServiceState
from tui.model.text import clean
from tui.operations.pause.paused import (
    alone_with,
    at_work,
    forget_service,
    paused_service,
    write_service,
)
from tui.operations.report import Clock
from tui.services.control import Control, carry_out
from tui.services.health import Health, ask_service
from tui.services.open import kind_of, open_service

OnEvent = Callable[[PauseEvent], None]

_LOOK_EVERY_S = 0.5
_NOW = {
    ServiceState.RUNNING: PauseState.RUNNING,
    ServiceState.STOPPED: PauseState.STOPPED,
    ServiceState.UNKNOWN: PauseState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Who pauses something, why, for which database of the fleet, in which incident."""

    operator: str
    why: str
    database: str | None = None
    incident: str | None = None


def pause(state: Path, spec: ServiceSpec, cause: Cause, now: Clock, on_event: OnEvent) -> PauseState:
    """Stops a service and returns PAUSED; STOPPED where someone else had stopped it before, so that it will
    not be started either. Done again it does nothing more; cut off, it goes on.

    Raises PgdrError when it can't be asked, or doesn't stop: it stays written down as FAILED once it was
    tried. Raises Refused while another pgdr is at it.
    """
    control = open_service(spec)
    with alone_with(state, "service", spec.name):
        record = paused_service(state, spec.name)
        looked = _look(control, on_event)
        if record is None and (looked.state is ServiceState.STOPPED or looked.replicas == 0):
            on_event(PauseEvent(spec.name, PauseState.STOPPED, f"It was stopped before: {looked.what}."))
            return PauseState.STOPPED
        # What it was before is what it is now, unless an earlier try has changed that already.
        record = PausedService(
            service=spec.name,
            kind=kind_of(spec),
            database=cause.database,
            state=PauseState.PAUSING,
            at=record.at if record is not None else now(),
            operator=cause.operator,
            why=cause.why,
            incident=cause.incident,
            replicas=looked.replicas or (record.replicas if record is not None else None),
        )
        write_service(state, record)
        try:
            if looked.state is not ServiceState.STOPPED:
                command = control.stop()
                on_event(PauseEvent(spec.name, PauseState.PAUSING, looked.what, command.shown))
                carry_out(control, command, "stopped")
                looked = _wait(control, ServiceState.STOPPED, "stopped")
        except PgdrError as error:
            _failed(state, record, error, on_event)
            raise
        write_service(state, replace(record, state=PauseState.PAUSED))
        on_event(PauseEvent(spec.name, PauseState.PAUSED, looked.what))
        return PauseState.PAUSED


def resume(state: Path, spec: ServiceSpec, on_event: OnEvent) -> Health | None:
    """Starts a service that was paused, as many of it as there were, waits until it runs, and asks until it
    is well; returns what it said (None: there is no way to ask). It is forgotten then, not before.

    Raises PgdrError when it doesn't start, or isn't well in time; Refused when it wasn't paused by pgdr, or
    another pgdr is at it.
    """
    control = open_service(spec)
    with alone_with(state, "service", spec.name):
        record = paused_service(state, spec.name)
        if record is None:
            _require_running(control, on_event)
            return None
        write_service(state, replace(record, state=PauseState.RESUMING, what=""))
        try:
            looked = _look(control, on_event)
            if looked.state is not ServiceState.RUNNING:
                command = control.start(record.replicas)
                on_event(PauseEvent(spec.name, PauseState.RESUMING, looked.what, command.shown))
                carry_out(control, command, "started")
                looked = _wait(control, ServiceState.RUNNING, "started")
            health = _until_well(spec, on_event)
        except PgdrError as error:
            _failed(state, record, error, on_event)
            raise
        forget_service(state, spec.name)
        said = looked.what if health is None else health.what
        on_event(PauseEvent(spec.name, PauseState.RUNNING, said))
        return health


def view(state: Path, name: str, spec: ServiceSpec | None) -> ServiceView:
    """One service as it is now, beside what was written down of it. Never raises: what fails is told."""
    try:
        record = paused_service(state, name)
    except PgdrError as error:
        return ServiceView(name, kind_of(spec) if spec else "", PauseState.UNKNOWN, str(error))
    if spec is None:
        what = f"No [services.{clean(name)}] says how it is stopped and started."
        return ServiceView(name, record.kind if record else "", PauseState.UNDECLARED, what, record)
    control = open_service(spec)
    made = ServiceView(name, kind_of(spec), PauseState.UNKNOWN, "", record)
    try:
        made = replace(made, stops=(control.stop().shown,))
        # Without the number of replicas there is no command yet: it is written down when it is paused.
        if record is not None or made.kind != "kubernetes":
            made = replace(made, starts=(control.start(record.replicas if record else None).shown,))
        looked = control.look()
    except PgdrError as error:
        said = " ".join(part for part in (error.what, error.why) if part)
        return replace(made, what=said)
    now, what = _state(record, looked, at_work(state, "service", name))
    if now is PauseState.RUNNING and spec.asks_health:
        health = ask_service(spec)
        if health is not None:
            return replace(made, state=now, what=f"{what}; {health.what}", healthy=health.ok)
    return replace(made, state=now, what=what)


def _state(record: PausedService | None, looked: Looked, at_it: bool) -> tuple[PauseState, str]:
    """What a service's state comes to, from what was written down and what it is."""
    if record is None:
        return _NOW[looked.state], looked.what
    stopped = looked.state is ServiceState.STOPPED
    replicas = f", {plural(record.replicas, 'replica')} before" if record.replicas else ""
    if at_it and record.state in (PauseState.PAUSING, PauseState.RESUMING):
        return record.state, looked.what
    if record.state is PauseState.FAILED:
        return PauseState.FAILED, f"{record.what} Now: {looked.what}."
    if stopped:
        return PauseState.PAUSED, looked.what + replicas
    if record.state is PauseState.PAUSED:
        return PauseState.RUNNING, f"{looked.what}: someone else has started it"
    word = "Pausing" if record.state is PauseState.PAUSING else "Resuming"
    return PauseState.FAILED, f"{word} it was cut off. Now: {looked.what}."


def _look(control: Control, on_event: OnEvent) -> Looked:
    try:
        return control.look()
    except PgdrError as error:
        on_event(PauseEvent(control.spec.name, PauseState.UNKNOWN, str(error)))
        raise


def _wait(control: Control, wanted: ServiceState, doing: str) -> Looked:
    """Looks until it is so, for as long as the service's timeout."""
    until = time.monotonic() + control.spec.timeout_s
    while True:
        looked = control.look()
        if looked.state is wanted:
            return looked
        if time.monotonic() > until:
            raise PgdrError(
                f"The service {clean(control.spec.name)} had not {doing} after {control.spec.timeout_s} s.",
                f"It says: {looked.what}.",
                "Look at it by its own tools, then try again; or raise timeout in its table.",
            )
        time.sleep(_LOOK_EVERY_S)


def _until_well(spec: ServiceSpec, on_event: OnEvent) -> Health | None:
    until = time.monotonic() + spec.health_within_s
    told = False
    while True:
        health = ask_service(spec)
        if health is None or health.ok:
            return health
        if time.monotonic() > until:
            raise PgdrError(
                f"The service {clean(spec.name)} runs, but was not well after {spec.health_within_s} s.",
                f"It said: {health.what}",
                "See its log; resume it again to ask again, or go past it with a reason.",
            )
        if not told:
            on_event(
                PauseEvent(spec.name, PauseState.RESUMING, f"It runs, and isn't well yet: {health.what}")
            )
            told = True
        time.sleep(_LOOK_EVERY_S)


def _failed(state: Path, record: PausedService, error: PgdrError, on_event: OnEvent) -> None:
    said = " ".join(part for part in (error.what, error.why) if part)
    write_service(state, replace(record, state=PauseState.FAILED, what=said))
    on_event(PauseEvent(record.service, PauseState.FAILED, said))


def _require_running(control: Control, on_event: OnEvent) -> None:
    name = control.spec.name
    looked = _look(control, on_event)
    if looked.state is ServiceState.RUNNING:
        on_event(PauseEvent(name, PauseState.RUNNING, f"It was not paused by pgdr here: {looked.what}"))
        return
    raise Refused(
        f"{clean(name)} was not paused by pgdr here, and so is not started by it: {looked.what}.",
        mend=f"Start it by hand: {control.start(looked.replicas or 1).shown}",
    )
