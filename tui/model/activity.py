"""What goes on at a server: who is at work in a database, who copies it, what it runs out of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One client session; what the role may not see is None. `busy_since` is its transaction's begin."""

    application: str
    user: str | None
    client: str | None  # None: over a socket of the server's own machine
    state: str | None
    since: datetime | None
    busy_since: datetime | None
    waits_for_lock: bool


@dataclass(frozen=True, slots=True)
class Standby:
    """One standby that is connected: how far behind it is."""

    name: str
    client: str | None
    state: str | None
    sync: str | None
    lag_s: float | None
    behind_bytes: int | None


@dataclass(frozen=True, slots=True)
class Slot:
    """One replication slot and the WAL that is kept for it."""

    name: str
    active: bool
    kept_bytes: int | None
    state: str | None  # reserved, extended, unreserved, lost; None before 13


@dataclass(frozen=True, slots=True)
class Activity:
    """A server and one of its databases at a moment. `connections` are those of all databases, of `limit`
    that other roles than superusers can have. `last_commit` is None where the server notes no such times."""

    started_at: datetime | None
    connections: int
    limit: int
    sessions: tuple[Session, ...]
    standbys: tuple[Standby, ...]
    slots: tuple[Slot, ...]
    follows: bool  # it is a standby itself
    replayed_at: datetime | None  # as such: the last commit that it has repeated
    last_commit: datetime | None
    checksum_failures: int
    prepared: int  # transactions prepared and neither committed nor rolled back
