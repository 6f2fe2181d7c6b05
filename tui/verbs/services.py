"""`services`: what uses the databases, how each is, and whether writes are let in."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tui.model import codec
from tui.model.text import clean
from tui.verbs.context import Context, database_named

if TYPE_CHECKING:
    from tui.model.fleet import Database, Fleet
    from tui.model.paused import FreezeView, ServiceView
    from tui.operations.pause.pausing import Pausing


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Asks them, of one database or of all. Whatever they are, the exit code is 0: it only looks."""
    fleet, console = context.fleet(), context.console
    chosen = [database_named(fleet, arguments.database)] if arguments.database else list(fleet.databases)
    services: list[dict[str, Any]] = []
    databases: list[dict[str, Any]] = []
    for database in chosen:
        pausing = pausing_of(context, fleet, database)
        writes, seen = pausing.writes(), pausing.services()
        databases.append(freeze_json(database.name, writes))
        services += [service_json(database.name, view) for view in seen]
        console.line(f"{clean(database.name)}: {told_freeze(writes)}")
        for view in seen:
            console.line(f"  {told(view)}")
        if not seen:
            console.line("  It names no services.")
    if not arguments.database:
        for spec in fleet.services:
            if not any(spec.name in database.services for database in fleet.databases):
                console.narrate(f"{clean(spec.name)} is named by no database.")
    if console.json_wanted:
        console.json({"services": services, "databases": databases})
    return 0


def pausing_of(context: Context, fleet: Fleet, database: Database, why: str = "by hand") -> Pausing:
    """What pauses and freezes one database for who runs this verb; what is done is told on stderr."""
    from tui.operations.pause.pause import Cause
    from tui.operations.pause.pausing import Pausing

    def note(kind: str, text: str) -> None:
        if kind != "error":  # told once, at the end
            context.console.narrate(f"{kind:8} {text}")

    cause = Cause(context.operator(), why, database.name)
    return Pausing(fleet, context.state_directory(), database, cause, context.now, note)


def told(view: ServiceView) -> str:
    """One service on a line."""
    return f"{clean(view.name)}  {view.state.value}" + (f"  {clean(view.what)}" if view.what else "")


def told_freeze(view: FreezeView) -> str:
    """A database's writes on a line."""
    words = {"running": "takes writes", "paused": "FROZEN", "stopped": "closed"}
    said = words.get(view.state.value, view.state.value)
    exempt = ", ".join(map(clean, view.exempt))
    more = f"; may write all the same: {exempt}" if view.exempt and view.state.value == "paused" else ""
    return said + (f" ({clean(view.what)}{more})" if view.what and view.what != said else more)


def service_json(database: str | None, view: ServiceView) -> dict[str, Any]:
    """One service as JSON."""
    recorded = codec.plain(view.recorded) if view.recorded is not None else None
    return {
        "service": view.name,
        "database": database,
        "kind": view.kind or None,
        "state": view.state.value,
        "what": view.what or None,
        "healthy": view.healthy,
        "paused": recorded,
    }


def freeze_json(database: str, view: FreezeView) -> dict[str, Any]:
    """A database's writes as JSON."""
    return {
        "database": database,
        "dbname": view.dbname,
        "state": view.state.value,
        "what": view.what or None,
        "read_only": view.read_only,
        "connections": view.connections,
        "sessions": view.sessions,
        "exempt": list(view.exempt),
        "frozen": codec.plain(view.recorded) if view.recorded is not None else None,
    }
