"""A plan: what will be done, to what, from what, with what risk, for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class Level(Enum):
    """How much a finding matters: all well; worth knowing; needs its mend first."""

    OK = "ok"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found out: `about` (a few words), `what` (a sentence), `mend` where something is to do."""

    level: Level
    about: str
    what: str
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long something will take, as a range, and on what that rests (`learned` or `estimated`)."""

    low: timedelta
    high: timedelta
    basis: str


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """One restore, before anything happens."""

    ref: str
    database: str  # the fleet's name
    target: str  # the fresh database's name on the server
    host: str | None
    port: int | None
    system_identifier: str | None
    server_version: str
    live_bytes: int | None  # None: the live database does not exist
    live_sessions: int | None
    archive_bytes: int
    archive_created_at: datetime | None
    archive_server_version: str | None
    age: timedelta | None  # data lost if used
    client: str  # path of pg_restore
    client_version: str
    jobs: int
    tables: tuple[str, ...]  # selected ones; empty: all
    staging_bytes: int
    estimate: Estimate
    findings: tuple[Finding, ...]
    commands: tuple[str, ...]  # what a person would type, without secrets
    roles: tuple[str, ...] = ()  # statements that make the roles that the server misses

    @property
    def stops(self) -> tuple[Finding, ...]:
        """The findings that must be mended before this can run."""
        return tuple(f for f in self.findings if f.level is Level.STOP)
