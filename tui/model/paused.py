"""What is paused or frozen for a recovery, as it is written down before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class PauseState(Enum):
    """Where a service, or a database that is being frozen, is on its way there and back."""

    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    FAILED = "failed"  # the last thing that was tried with it; `what` says what
    UNKNOWN = "unknown"  # it could not be asked
    STOPPED = "stopped"  # but not by pgdr, which will not start it either
    UNDECLARED = "undeclared"  # named by a database, described nowhere


@dataclass(frozen=True, slots=True)
class PausedService:
    """One service that pgdr has stopped, or was about to: what it was before, who did it, and what for."""

    service: str
    kind: str
    database: str | None  # for whose sake; None: for its own
    state: PauseState
    at: datetime
    operator: str
    why: str
    incident: str | None = None
    replicas: int | None = None  # how many there were
    what: str = ""  # what failed last
    gone_past: str | None = None  # the reason why it is left as it is


class FreezeHow(Enum):
    """How writes are kept out. READ_ONLY: by the sessions' default, which each may change for itself.
    NO_CONNECTIONS: nobody gets in, superusers and pgdr itself neither."""

    READ_ONLY = "read-only"
    NO_CONNECTIONS = "no-connections"


@dataclass(frozen=True, slots=True)
class FrozenDatabase:
    """One database that pgdr has frozen, or was about to, with what it was before.

    It is known by its server (`system_identifier`) and its `oid`, which a swap's rename doesn't change;
    `dbname` is its name on the server now. `setting` is its own default_transaction_read_only before (None:
    it had none), `connections` whether it took connections.
    """

    database: str
    dbname: str
    oid: int
    system_identifier: str
    how: FreezeHow
    state: PauseState
    at: datetime
    operator: str
    why: str
    setting: str | None = None
    connections: bool = True
    incident: str | None = None
    what: str = ""
    gone_past: str | None = None
    aside: bool = False  # a swap has put it aside: another database is the live one


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service as it is shown: its state, in words what is known, what was written down of it, and what is
    run to stop and to start it."""

    name: str
    kind: str
    state: PauseState
    what: str = ""
    recorded: PausedService | None = None
    healthy: bool | None = None
    stops: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FreezeView:
    """A database's writes as they are shown: what the server says now and what was written down.

    `read_only` and `connections` are None where it could not be asked; `sessions` are those that are in it,
    which a freeze may leave there; `exempt` are roles whose own setting for it wins over the database's.
    """

    dbname: str
    state: PauseState
    what: str = ""
    recorded: FrozenDatabase | None = None
    read_only: bool | None = None
    connections: bool | None = None
    sessions: int | None = None
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PauseEvent:
    """One step on the way of a service or of the freeze: whose, where it is, and in words what was done."""

    name: str
    state: PauseState
    what: str = ""
    command: str | None = None  # what is being run


@dataclass(frozen=True, slots=True)
class Paused:
    """Everything that is paused or frozen, as it was written down, and which records can't be read."""

    services: tuple[PausedService, ...] = ()
    databases: tuple[FrozenDatabase, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """In words, each thing that is still so."""
        frozen = (f"{d.database} ({d.how.value})" for d in self.databases)
        return (*(s.service for s in self.services), *frozen)
