"""`pause`: stop the services of a database, or some by name, so that they can be resumed as they were."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.fleet import Database, Fleet
from tui.model.text import clean
from tui.verbs.context import Context, database_named
from tui.verbs.services import pausing_of, service_json, told

if TYPE_CHECKING:
    from tui.model.paused import PauseEvent, ServiceView
    from tui.operations.pause.pausing import Pausing


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Does it when `--confirm` names the database, the one service, or for several services the fleet. Else
    exit code 4. 1 when one could not be paused: the others are all the same."""
    context.refuse_if_read_only("Pausing")
    fleet = context.fleet()
    database, names = chosen(fleet, arguments)
    confirm = database.name if database else names[0] if len(names) == 1 else fleet.name
    work = hands(context, fleet, database, names, arguments.reason or "by hand")
    if arguments.confirm != confirm:
        for view in work.services():
            context.console.narrate(told(view))
            for command in view.stops if view.state.value == "running" else ():
                context.console.narrate(f"    {command}")
        raise Refused(
            "Nothing was paused: stopping services needs its confirmation.",
            mend=f"Add --confirm {shlex.quote(confirm)} to do it.",
        )
    return each(context, work, names, work.pause)


def chosen(fleet: Fleet, arguments: argparse.Namespace) -> tuple[Database | None, list[str]]:
    """The database and the services that are meant, in the order in which they are stopped. Raises UsageError
    when neither is named, or something that there isn't."""
    if arguments.database:
        if arguments.service:
            raise UsageError("A database or services: one of the two.", mend="Leave one of them out.")
        database = database_named(fleet, arguments.database)
        return database, list(database.services)
    if not arguments.service:
        raise UsageError("What is meant?", mend="Name a database, or services: --service NAME")
    return None, list(dict.fromkeys(arguments.service))


def hands(context: Context, fleet: Fleet, database: Database | None, names: list[str], why: str) -> Pausing:
    """What pauses and resumes them. Services by name are those of no database in particular."""
    from dataclasses import replace

    if database is not None:
        return pausing_of(context, fleet, database, why)
    nobody = Database(name="", dbname="", service="", services=tuple(names))
    work = pausing_of(context, fleet, nobody, why)
    work.cause = replace(work.cause, database=None)
    return work


def each(
    context: Context, work: Pausing, names: list[str], do: Callable[[str, Callable[[PauseEvent], None]], None]
) -> int:
    """Does it to one after the other, tells how they are then, and returns the exit code."""
    errors: list[PgdrError] = []
    for name in names:
        try:
            do(name, lambda event: None)
        except PgdrError as error:
            errors.append(error)
            if do == work.resume:
                break  # those that come after may need it
    if not names:
        context.console.narrate("There is no service to do it to.")
    return answer(context, work.database.name or None, work.services(), errors)


def answer(
    context: Context, database: str | None, seen: tuple[ServiceView, ...], errors: list[PgdrError]
) -> int:
    """Tells how the services are, and what failed."""
    console = context.console
    if console.json_wanted:
        listed = [{"what": e.what, "why": e.why, "mend": e.mend} for e in errors]
        console.json({"services": [service_json(database, view) for view in seen], "errors": listed})
    for view in seen:
        console.line(told(view))
    for error in errors:
        console.narrate(f"pgdr: {error.what}")
        console.narrate("\n".join(f"  {clean(part)}" for part in (error.why, error.mend) if part))
    return max((error.exit_code for error in errors), default=0)
