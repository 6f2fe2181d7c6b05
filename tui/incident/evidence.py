"""What an assessment found, as facts that a proposal can rest on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class Reach(Enum):
    """What became of the attempt to reach the database."""

    UP = "up"
    MISSING = "missing"  # the server answers and has no such database
    BROKEN = "broken"  # a DROP DATABASE was cut off: it is there and can't be used
    DOWN = "down"
    HUNG = "hung"  # something takes the connection and says nothing
    STARTING = "starting"
    FULL = "full"  # out of connections
    NO_DISK = "no disk"
    CLOSED = "closed"  # takes no connections, by its own setting
    REFUSED = "refused"  # the login


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A question of the fleet's own that was answered otherwise than it should be, and the known tables that
    it asks of."""

    name: str
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found. Tables are "schema.table", columns "schema.table.column", as the catalog has them:
    whoever shows them cleans them. What is empty or None was not seen, maybe because nobody could look.

    `other_server`: another cluster answers there than the one that was backed up. `others_down` and
    `others_up` are the fleet's other servers. `stores_lost` are on-site stores that can't be read, of
    `stores_onsite`.
    `waited` is how long it has been known to be away. `backup_at` is the newest good backup's time, which the
    comparison is with; `clean_at` that of the newest one that passed all checks when it was verified;
    `seen_at` when the database was last seen up. `lost_after` and `lost_by` are two backups' times between
    which what is missing went, where the newest one has lost it already. `changed_at` is a moment
    at which the damage was certainly there, by the server's own files or commits.
    """

    now: datetime
    reach: Reach = Reach.UP
    where: str = ""
    in_recovery: bool = False
    read_only: bool = False
    other_server: bool = False
    others_down: tuple[str, ...] = ()
    others_up: tuple[str, ...] = ()
    stores_lost: tuple[str, ...] = ()
    stores_onsite: int = 0
    waited: timedelta | None = None
    seen_at: datetime | None = None
    backup_at: datetime | None = None
    clean_at: datetime | None = None
    lost_after: datetime | None = None
    lost_by: datetime | None = None
    changed_at: datetime | None = None
    tables: tuple[str, ...] = ()  # those that the backup has rows of
    gone: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    shrunk: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()  # the server can't read them from its disk
    checksum_failures: int = 0
    new_tables: tuple[str, ...] = ()
    columns_gone: tuple[str, ...] = ()
    columns_new: tuple[str, ...] = ()
    indexes_gone: tuple[str, ...] = ()  # of tables that are there
    constraints_gone: tuple[str, ...] = ()
    others_gone: tuple[str, ...] = ()  # views, functions and the like, in words
    failed: tuple[FailedCheck, ...] = ()
