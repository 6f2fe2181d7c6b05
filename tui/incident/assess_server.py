"""Looking at the server: whether the database can be reached, what keeps it, who is at work in it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from tui.incident.evidence import Reach
from tui.incident.parts import Parts
from tui.model import amounts as show
from tui.model.activity import Activity, Session
from tui.model.errors import PgdrError
from tui.model.facts import DatabaseFacts, ServerFacts, Status
from tui.model.fleet import Database
from tui.model.plan import Level
from tui.model.text import clean

_LOW_DISK_BYTES = 500_000_000
_LONG = timedelta(minutes=10)
_LAG_S = 60.0
_KEPT_BYTES = 10_000_000_000  # of WAL for one slot: on its way to a full disk
_YOUNG = timedelta(minutes=30)
_SHOWN = 4

_KINDS = {
    "timeout": Reach.HUNG,
    "starting": Reach.STARTING,
    "full": Reach.FULL,
    "no disk": Reach.NO_DISK,
    "closed": Reach.CLOSED,
    "broken": Reach.BROKEN,
}


def reach_of(facts: DatabaseFacts) -> Reach:
    """What one look at a database came to."""
    if facts.status is Status.UP:
        return Reach.UP
    if facts.status is Status.MISSING:
        return Reach.MISSING
    by_kind = _KINDS.get(facts.kind or "")
    if facts.status is Status.DOWN:
        return by_kind if by_kind is Reach.HUNG else Reach.DOWN
    return by_kind if by_kind not in (None, Reach.HUNG) else Reach.REFUSED


def where_of(database: Database, facts: DatabaseFacts) -> str:
    """How to name the server to a person."""
    host = facts.host or database.endpoint.host or "the default host"
    return clean(f"{host}:{facts.port or ''}".rstrip(":"))


def tell_reached(parts: Parts, database: Database, facts: DatabaseFacts) -> None:
    """Tells whether the database can be reached, and what keeps it."""
    at, name = where_of(database, facts), clean(database.dbname)
    why = f" {facts.why}" if facts.why else ""
    what = {
        Reach.MISSING: f"The server at {at} answers; the database {name} does not exist.",
        Reach.BROKEN: f"{name} at {at} can't be used.{why}",
        Reach.DOWN: f"Nothing answers at {at}.{why}",
        Reach.HUNG: f"Something listens at {at}, but it does not answer.{why}",
        Reach.STARTING: f"The server at {at} is not ready.{why}",
        Reach.FULL: f"The server at {at} is out of connections.{why}",
        Reach.NO_DISK: f"The server at {at} is out of disk.{why}",
        Reach.CLOSED: f"{name} at {at} takes no connections.{why}",
        Reach.REFUSED: f"The server at {at} refuses:{why}",
    }
    reach = reach_of(facts)
    if reach is Reach.MISSING:
        parts.found(Level.STOP, "database", what[reach], "Restore it from a backup.")
    elif reach is not Reach.UP:
        parts.found(Level.STOP, "server", what[reach], facts.mend)
    elif facts.in_recovery:
        parts.found(Level.WARNING, "server", f"{at} answers but is a standby in recovery.", facts.mend)
    elif facts.read_only:
        mend = f'ALTER DATABASE "{name}" RESET default_transaction_read_only, once writing is safe.'
        parts.found(Level.WARNING, "server", f"{name} at {at} answers but is read-only.", mend)
    else:
        said = f"{name} at {at} answers, {show.plural(facts.sessions or 0, 'session')}."
        parts.found(Level.OK, "server", said)


def tell_disk(parts: Parts, facts: ServerFacts) -> bool:
    """Tells what is free on the server's disk, where this machine can see it; returns whether it is full."""
    free = facts.free_bytes
    if free is None:
        return False
    if free >= _LOW_DISK_BYTES:
        parts.found(Level.OK, "disk", f"{show.size(free)} are free on the server's disk.")
        return False
    full = free < 16 << 20  # one file of WAL: less, and the next write may stop the server
    level = Level.STOP if full else Level.WARNING
    what = "The server's disk is full" if full else "The server's disk is nearly full"
    mend = "Make room: old logs, old databases, WAL that an abandoned slot keeps."
    parts.found(level, "disk", f"{what}: {show.size(free)} are free.", mend)
    return full


def tell_activity(parts: Parts, seen: Activity, now: datetime) -> None:
    """Tells who is at work in the database, who copies the server, and what it runs out of."""
    if seen.limit and seen.connections >= seen.limit:
        what = f"All {show.count(seen.limit)} connections are taken."
        parts.found(Level.STOP, "connections", what, "End sessions that are idle, or raise max_connections.")
    elif seen.limit and seen.connections > 0.9 * seen.limit:
        what = f"{show.count(seen.connections)} of {show.count(seen.limit)} connections are taken."
        parts.found(Level.WARNING, "connections", what, "End sessions that are idle.")
    if seen.started_at is not None and now - seen.started_at < _YOUNG:
        what = f"The server was started {show.age(now - seen.started_at)} ago, at {_moment(seen.started_at)}."
        parts.found(Level.WARNING, "server", what, "Its log says why it stopped.")
    if seen.checksum_failures:
        what = (
            f"The server counts {show.plural(seen.checksum_failures, 'checksum failure')} in this database."
        )
        parts.found(Level.STOP, "checksums", what, "Its disk is not to be trusted: restore to another one.")
    _sessions(parts, seen.sessions, now)
    _replication(parts, seen, now)
    if seen.prepared:
        what = f"{show.plural(seen.prepared, 'prepared transaction')} wait to be committed or rolled back."
        parts.found(Level.WARNING, "prepared", what, "They hold locks: see pg_prepared_xacts.")
    if seen.last_commit is not None:
        parts.found(Level.OK, "last commit", f"The server's last commit was at {_moment(seen.last_commit)}.")


def _sessions(parts: Parts, sessions: tuple[Session, ...], now: datetime) -> None:
    if not sessions:
        parts.found(Level.OK, "sessions", "Nobody is at work in it.")
        return
    groups = Counter(
        (s.application or "unnamed", s.user or "?", s.client or "its own machine") for s in sessions
    )
    shown = [
        f"{number} {clean(app, 40)} ({clean(user, 40)} from {clean(client, 40)})"
        for (app, user, client), number in groups.most_common(_SHOWN)
    ]
    more = len(groups) - _SHOWN
    rest = f" and {show.plural(more, 'other')}" if more > 0 else ""
    states = Counter(s.state or "state not known" for s in sessions)
    how = ", ".join(f"{number} {clean(state, 40)}" for state, number in states.most_common(_SHOWN))
    what = f"{show.plural(len(sessions), 'session')}: {', '.join(shown)}{rest}; {how}."
    parts.found(Level.OK, "sessions", what)
    busy = [s for s in sessions if s.busy_since is not None]
    longest = min(busy, key=lambda s: s.busy_since or now, default=None)
    if longest is not None and longest.busy_since is not None:
        age = now - longest.busy_since
        who = f"{clean(longest.application or 'unnamed', 40)} ({clean(longest.user or '?', 40)})"
        what = f"The longest transaction, of {who}, has run for {show.age(age)}."
        if age > _LONG:
            parts.found(Level.WARNING, "sessions", what, "It holds its locks and keeps old rows from going.")
        else:
            parts.found(Level.OK, "sessions", what)
    waiting = sum(s.waits_for_lock for s in sessions)
    if waiting:
        what = f"{show.plural(waiting, 'session')} {'waits' if waiting == 1 else 'wait'} for a lock."
        parts.found(Level.WARNING, "locks", what, "pg_blocking_pids(pid) says who holds it.")


def _replication(parts: Parts, seen: Activity, now: datetime) -> None:
    if seen.follows and seen.replayed_at is not None:
        what = f"As a standby it has repeated all up to {_moment(seen.replayed_at)}."
        parts.found(Level.OK, "replication", what)
    for standby in seen.standbys:
        name = clean(standby.name or "unnamed", 60)
        client = f" at {clean(standby.client, 60)}" if standby.client else ""
        behind = [f"{show.age(standby.lag_s)}"] if standby.lag_s is not None and standby.lag_s >= 1 else []
        behind += [show.size(standby.behind_bytes)] if standby.behind_bytes else []
        said = f"{' or '.join(behind)} behind" if behind else "up to date"
        what = f"Standby {name}{client}: {clean(standby.state or 'state not known', 40)}, {said}."
        late = (standby.lag_s or 0) > _LAG_S
        mend = "What was deleted here is deleted there as soon as it has caught up." if late else None
        parts.found(Level.WARNING if late else Level.OK, "replication", what, mend)
    for slot in seen.slots:
        kept = f", {show.size(slot.kept_bytes)} of WAL kept for it" if slot.kept_bytes is not None else ""
        if slot.state == "lost":
            what = f"Replication slot {clean(slot.name, 60)} is lost: its standby must be made anew."
            parts.found(Level.WARNING, "replication", what, "Drop it, and make the standby again.")
        elif not slot.active:
            level = Level.STOP if (slot.kept_bytes or 0) > _KEPT_BYTES else Level.WARNING
            what = f"Nobody uses the replication slot {clean(slot.name, 60)}{kept}."
            parts.found(level, "replication", what, "Drop it where its standby is gone: it fills the disk.")


def tell_others(parts: Parts, down: tuple[str, ...], up: tuple[str, ...], own_is_down: bool) -> None:
    """Tells which of the fleet's other servers are down, and, where the own one is, that they answer."""
    if down:
        either = " either" if own_is_down else ""
        what = f"{', '.join(clean(name) for name in down)} can't be reached{either}."
        parts.found(Level.STOP, "other servers", what, "It may be the network, the node or the whole place.")
    elif up and own_is_down:
        what = f"The fleet's other servers answer: {', '.join(clean(name) for name in up)}."
        parts.found(Level.OK, "other servers", what)


def told(error: PgdrError) -> str:
    """An error in one sentence or two."""
    return " ".join(part for part in (error.what, error.why) if part)


def _moment(moment: datetime) -> str:
    return f"{show.minute(moment)} UTC"
