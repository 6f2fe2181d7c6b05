"""Putting a restored database in the place of the live one, and taking that back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tui.model.elsewhere import database_at
from tui.model.errors import PgdrError, Refused, Unreachable
from tui.model.fleet import Database
from tui.model.incident import Address, Swap
from tui.model.plan import Finding
from tui.model.text import clean
from tui.operations.pause.freeze import closed_ones, note_names
from tui.operations.records import save_swaps, set_aside_swaps, swaps
from tui.operations.report import Clock
from tui.places.open import open_place
from tui.postgres.databases import swap as server_swap
from tui.postgres.databases.databases import exists, fresh_name, live_size_and_sessions, target_lock
from tui.postgres.facts.facts import server_facts


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """What a swap would do. `live_bytes` is None when there is no live database to put aside."""

    host: str | None
    port: int | None
    system_identifier: str | None
    server_version: str
    live_name: str
    live_bytes: int | None
    live_sessions: int | None
    becomes: str | None
    restored_name: str
    findings: tuple[Finding, ...]
    commands: tuple[str, ...]


def plan_swap(database: Database, restored: str, now: datetime, *, state: Path | None = None) -> SwapPlan:
    """Given a database of the fleet and the name of a restored one on the same server, returns what the
    swap would do; with `state` it knows what of it is frozen. Changes nothing. Raises Refused when the
    restored one isn't there or isn't whole."""
    endpoint = open_place(database)
    _require(database, restored)
    facts = server_facts(endpoint)
    live = live_size_and_sessions(endpoint, database.dbname)
    becomes = fresh_name(database.dbname, "before", now) if live else None
    return SwapPlan(
        host=facts.host,
        port=facts.port,
        system_identifier=facts.system_identifier,
        server_version=facts.version,
        live_name=database.dbname,
        live_bytes=live[0] if live else None,
        live_sessions=live[1] if live else None,
        becomes=becomes,
        restored_name=restored,
        findings=server_swap.obstacles(endpoint, database.dbname),
        commands=server_swap.statements(
            database.dbname,
            restored,
            becomes,
            closed=closed_ones(state, database, endpoint) if state is not None else (),
        ),
    )


def swap_in(
    state: Path,
    database: Database,
    restored: str,
    operator: str,
    now: Clock,
    address: Address | None = None,
) -> Swap:
    """Puts `restored` in the place of the live database, which is kept under a dated name; with `address` on
    the fresh server that listens there.

    Both renames are one transaction; sessions of both are ended. What was done is written down for
    `undo`. Raises Refused when the restored one isn't there, isn't whole, or another pgdr works on the
    database.
    """
    database = database_at(database, address)
    _require(database, restored)
    endpoint = open_place(database)
    moment = now()
    kept = fresh_name(database.dbname, "before", moment)
    # What is there under its own name was never put in place: its swap was begun, and pgdr killed in it.
    earlier = tuple(
        e
        for e in _earlier(state, database, moment)
        if e.undone_at is not None or (e.restored_name, e.address) != (restored, address)
    )
    with target_lock(endpoint, database.dbname):
        closed = closed_ones(state, database, endpoint)
        planned = Swap(
            database=database.name,
            live_name=database.dbname,
            restored_name=restored,
            kept_as=kept if exists(endpoint, database.dbname) else None,
            at=moment,
            duration_s=0.0,
            operator=operator,
            address=address,
        )
        # Written down first: where that can't be done nothing is swapped, and no swap is without its way back
        save_swaps(state, database.name, (*earlier, planned))
        try:
            done = server_swap.swap(endpoint, database.dbname, restored, kept, closed=closed)
        except Unreachable:
            raise  # whether it was done is unknown, so its record stays
        except PgdrError:
            save_swaps(state, database.name, earlier)
            raise
        swap = replace(planned, kept_as=done.kept_as, duration_s=done.duration_s)
        save_swaps(state, database.name, (*earlier, swap))
        note_names(state, database, endpoint)
    return swap


def _earlier(state: Path, database: Database, moment: datetime) -> tuple[Swap, ...]:
    """The swaps before this one. A broken record of them is no reason not to recover: it is put aside."""
    try:
        return swaps(state, database.name)
    except PgdrError:
        set_aside_swaps(state, database.name, moment)
        return ()


def undo(state: Path, database: Database, operator: str, now: Clock) -> Swap:
    """Takes the newest swap of `database` back: the restored one gets its own name again, the kept one
    the live name. Raises Refused when there is no swap, it was undone, or a database of it is gone."""
    done = swaps(state, database.name)
    if not done or done[-1].undone_at is not None:
        raise Refused(
            f"There is no swap of {clean(database.name)} to undo.",
            mend="Swaps are known where they were made: is this the machine and the state directory?",
        )
    last = done[-1]
    endpoint = open_place(database_at(database, last.address))
    with target_lock(endpoint, database.dbname):
        closed = closed_ones(state, database, endpoint)
        there = exists(endpoint, last.kept_as or last.live_name)
        if not there and exists(endpoint, last.restored_name):
            # pgdr was killed: in the swap, before its renames, or after they were taken back. What is as it
            # should be may still be closed to sessions.
            server_swap.open_up(endpoint, (last.live_name, last.restored_name), closed=closed)
        elif last.kept_as is not None and not there:
            raise Refused(
                f"The database that was live before, {clean(last.kept_as)}, is no longer there.",
                mend="It was dropped or renamed; the restored one stays in place.",
            )
        else:
            server_swap.undo(endpoint, last.live_name, last.kept_as, last.restored_name, closed=closed)
        note_names(state, database, endpoint)
    undone = replace(last, undone_at=now(), operator=operator)
    save_swaps(state, database.name, (*done[:-1], undone))
    return undone


def _require(database: Database, restored: str) -> None:
    if restored == database.dbname:
        raise Refused("A database can't take its own place.", mend="Name the restored one.")
    server_swap.require_fit(open_place(database), restored)
