"""Freezing a database of the fleet and thawing it: what was before is written down first, and put back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tui.model.errors import PgdrError, Refused
from tui.model.fleet import Database, Endpoint
from tui.model.paused import FreezeHow, FreezeView, FrozenDatabase, PauseState
from tui.model.text import clean
from tui.operations.pause.pause import Cause
from tui.operations.pause.paused import alone_with, at_work, forget_frozen, frozen, write_frozen
from tui.operations.report import Clock
from tui.places.open import open_place
from tui.postgres.connection import DatabaseMissing, where
from tui.postgres.databases import freeze as server
from tui.postgres.databases.databases import target_lock
from tui.postgres.databases.freeze import Writes


@dataclass(frozen=True, slots=True)
class Froze:
    """What a freeze came to: what was written down, how many sessions were ended, and who may still write."""

    record: FrozenDatabase
    sessions_ended: int
    sessions_left: int
    exempt: tuple[str, ...]


def freeze(
    state: Path, database: Database, how: FreezeHow, cause: Cause, now: Clock, *, end_sessions: bool = True
) -> Froze:
    """Keeps writes out of the live database. With `end_sessions` those that are in it are ended, but for
    backups; else they go on as they are, and may write. Frozen already, it is frozen this way from now on.

    Raises DatabaseMissing when it isn't there, PgdrError when the role may not or a session doesn't end,
    Refused when another pgdr works on it; and as `connect` does.
    """
    endpoint = open_place(database)
    with alone_with(state, "freeze", database.name), target_lock(endpoint, database.dbname):
        there = _required(endpoint, database)
        earlier = next((r for r in frozen(state, database.name) if _is(r, there)), None)
        record = FrozenDatabase(
            database=database.name,
            dbname=there.dbname,
            oid=there.oid,
            system_identifier=there.system_identifier or "",
            how=how,
            state=PauseState.PAUSING,
            at=earlier.at if earlier else now(),
            operator=cause.operator,
            why=cause.why,
            # What it was before the first freeze is what it will be again.
            setting=earlier.setting if earlier else there.setting,
            connections=earlier.connections if earlier else there.connections,
            incident=cause.incident,
        )
        write_frozen(state, record)
        try:
            setting, connections = _frozen(record)
            ended = server.put(
                endpoint,
                record.oid,
                record.dbname,
                setting=setting,
                connections=connections,
                end_sessions=end_sessions,
            )
        except PgdrError as error:
            _note_failure(state, endpoint, record, error, earlier)
            raise
        record = replace(record, state=PauseState.PAUSED)
        write_frozen(state, record)
        after = server.writes(endpoint, record.dbname, record.oid)
        return Froze(record, ended, after.sessions if after else 0, after.exempt if after else ())


def thaw(state: Path, database: Database) -> FrozenDatabase:
    """Gives what is frozen of a database its own setting and its connections back, as they were; returns what
    was written down. Where the live one isn't frozen, it is the one that a swap has put aside.

    Raises Refused when nothing of it is frozen, or what was is not on this server any more; PgdrError when
    the role may not; and as `connect` does. It stays written down then.
    """
    endpoint = open_place(database)
    with alone_with(state, "freeze", database.name):
        records = frozen(state, database.name)
        if not records:
            raise Refused(
                f"{clean(database.name)} was not frozen by pgdr here.",
                mend="What is frozen here: pgdr paused",
            )
        record = records[0]
        with target_lock(endpoint, database.dbname):
            there = server.writes(endpoint, record.dbname, record.oid)
            if there is None or not _is(record, there):
                raise _gone(endpoint, record)
            write_frozen(state, replace(record, state=PauseState.RESUMING))
            try:
                server.put(
                    endpoint,
                    record.oid,
                    there.dbname,
                    setting=record.setting,
                    connections=record.connections,
                    end_sessions=False,
                )
            except PgdrError as error:
                said = " ".join(part for part in (error.what, error.why) if part)
                write_frozen(state, replace(record, state=PauseState.FAILED, what=said))
                raise
        forget_frozen(state, record)
        return replace(record, dbname=there.dbname)


def give_up(state: Path, database: str, reason: str) -> FrozenDatabase:
    """Leaves what is frozen of a database as it is, such as one of a server that is lost, for a reason.
    Raises Refused when nothing of it is frozen."""
    with alone_with(state, "freeze", database):
        records = frozen(state, database)
        if not records:
            raise Refused(f"{clean(database)} was not frozen by pgdr here.", mend="See: pgdr paused")
        record = replace(records[0], gone_past=clean(reason))
        write_frozen(state, record)
        return record


def closed_ones(state: Path, database: Database, endpoint: Endpoint) -> tuple[str, ...]:
    """The present names of those of a database that were frozen by letting nobody in: a swap keeps them so,
    whatever their names become. None when a record can't be read: that is no reason not to recover."""
    try:
        records = [r for r in frozen(state, database.name) if r.how is FreezeHow.NO_CONNECTIONS]
    except PgdrError:
        return ()
    there = ((record, server.writes(endpoint, record.dbname, record.oid)) for record in records)
    return tuple(one.dbname for record, one in there if one is not None and _is(record, one))


def note_names(state: Path, database: Database, endpoint: Endpoint) -> None:
    """Writes down, after a swap or its undo, what those that are frozen are called now, and which of them is
    the live one. What can't be asked or read stays as it is: a thaw finds its database by its oid."""
    try:
        for record in frozen(state, database.name):
            there = server.writes(endpoint, record.dbname, record.oid)
            if there is not None and _is(record, there):
                aside = there.dbname != database.dbname
                write_frozen(state, replace(record, dbname=there.dbname, aside=aside))
    except PgdrError:
        return


def view(state: Path, database: Database) -> FreezeView:
    """Whether a database takes writes: what its server says now beside what was written down. Never raises:
    what fails is told."""
    record: FrozenDatabase | None = None
    try:
        record = next(iter(frozen(state, database.name)), None)
        there = server.writes(open_place(database), database.dbname)
    except PgdrError as error:
        return FreezeView(database.dbname, PauseState.UNKNOWN, str(error), record)
    if there is None:
        what = f"The server answers; there is no database {clean(database.dbname)}."
        return FreezeView(database.dbname, PauseState.UNKNOWN, what, record)
    now, what = _state(there, record, at_work(state, "freeze", database.name))
    return FreezeView(
        database.dbname, now, what, record, there.read_only, there.connections, there.sessions, there.exempt
    )


def statements(database: Database, how: FreezeHow, there: FreezeView | None = None) -> tuple[str, ...]:
    """What a freeze runs, as SQL that a person can run."""
    own = there.recorded.setting if there and there.recorded else None
    if how is FreezeHow.READ_ONLY:
        return server.statements(database.dbname, "on", True)[:1]
    return server.statements(database.dbname, own, False)[1:]


def thawing(record: FrozenDatabase) -> tuple[str, ...]:
    """What thawing it runs, as SQL that a person can run."""
    both = server.statements(record.dbname, record.setting, record.connections)
    return both[:1] if record.how is FreezeHow.READ_ONLY else both[1:]


def _frozen(record: FrozenDatabase) -> tuple[str | None, bool]:
    """The setting and whether it takes connections, while it is frozen."""
    if record.how is FreezeHow.READ_ONLY:
        return "on", record.connections
    return record.setting, False


def _is(record: FrozenDatabase, there: Writes) -> bool:
    """Whether it is the same database of the same server, as far as the server says which it is."""
    known = (record.system_identifier, there.system_identifier)
    return record.oid == there.oid and (not all(known) or known[0] == known[1])


def _required(endpoint: Endpoint, database: Database) -> Writes:
    there = server.writes(endpoint, database.dbname)
    if there is None:
        raise DatabaseMissing(
            f'The database "{clean(database.dbname)}" does not exist on {where(endpoint)}.',
            None,
            "There is nothing to freeze.",
        )
    return there


def _note_failure(
    state: Path, endpoint: Endpoint, record: FrozenDatabase, error: PgdrError, earlier: FrozenDatabase | None
) -> None:
    """A freeze that was refused has changed nothing, and is forgotten; what else it did nobody knows yet."""
    try:
        there = server.writes(endpoint, record.dbname, record.oid)
    except PgdrError:
        there = None
    before = (record.setting, record.connections)
    if earlier is None and there is not None and (there.setting, there.connections) == before:
        forget_frozen(state, record)
        return
    said = " ".join(part for part in (error.what, error.why) if part)
    write_frozen(state, replace(record, state=PauseState.FAILED, what=said))


def _gone(endpoint: Endpoint, record: FrozenDatabase) -> Refused:
    return Refused(
        f"The database that was frozen, {clean(record.dbname)}, is no longer on {where(endpoint)}.",
        "It was dropped, or another server answers there now.",
        f"Go past it with a reason: pgdr thaw {clean(record.database)} --give-up REASON",
    )


def _state(there: Writes, record: FrozenDatabase | None, at_it: bool) -> tuple[PauseState, str]:
    if not there.connections:
        said = "takes no connections"
    else:
        said = "new sessions are read-only" if there.read_only else "takes writes"
    if record is None or not _is(record, there):
        if there.connections and not there.read_only:
            return PauseState.RUNNING, said
        return PauseState.STOPPED, f"{said}, but not by pgdr here"
    if at_it and record.state in (PauseState.PAUSING, PauseState.RESUMING):
        return record.state, said
    if record.state is PauseState.FAILED:
        return PauseState.FAILED, f"{record.what} Now: {said}."
    setting, connections = _frozen(record)
    if (there.setting, there.connections) == (setting, connections):
        return PauseState.PAUSED, said
    if record.state is PauseState.PAUSED:
        return PauseState.FAILED, f"It was frozen, and someone else has changed that: {said}."
    word = "Freezing" if record.state is PauseState.PAUSING else "Thawing"
    return PauseState.FAILED, f"{word} it was cut off. Now: {said}."
