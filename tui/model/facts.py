"""What was seen of servers and databases at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Status(Enum):
    """What became of the attempt to reach a database."""

    UP = "up"
    DOWN = "down"  # nothing answers at host and port
    MISSING = "missing"  # the server answers; the database does not exist
    REFUSED = "refused"  # the server answers and says no: password, pg_hba, too many connections


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One server: where it really is, what it is, what it can do."""

    host: str | None
    port: int | None
    user: str
    version_num: int  # 180006
    version: str  # "18.6"
    system_identifier: str | None
    in_recovery: bool
    is_superuser: bool
    can_create_db: bool
    max_connections: int
    connections: int
    max_locks: int  # max_locks_per_transaction * (max_connections + max_prepared_transactions)
    data_directory: str | None
    databases: tuple[str, ...]
    roles: tuple[str, ...]
    tablespaces: tuple[str, ...]
    extensions: dict[str, str]  # available ones: name to default version
    free_bytes: int | None = None  # of the data directory's disk, where this machine can see it


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table of a live database; `rows` is the planner's estimate, None where never analyzed."""

    schema: str
    name: str
    size_bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One client session in a database."""

    pid: int
    user: str | None
    application: str
    client: str | None
    state: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What one look at a database of the fleet found. `why` is the cause when it isn't up."""

    database: str  # the fleet's name
    status: Status
    seen_at: datetime
    why: str | None = None
    mend: str | None = None
    host: str | None = None
    port: int | None = None
    server_version: str | None = None
    size_bytes: int | None = None
    sessions: int | None = None
    read_only: bool = False
    in_recovery: bool = False
    kind: str | None = None  # of what kept it from being reached: timeout, full, starting, password …
