"""`backup`: take backups, each with its manifest; a failure of one database stops no other."""

from __future__ import annotations

import argparse
from typing import Any

from tui.model.amounts import duration, plural, size
from tui.model.errors import PgdrError, UsageError
from tui.model.event import BytesMoved, Event, PhaseBegan
from tui.model.fleet import Database, Fleet
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Backs up one database after another, the most critical first. Exit code 0 when all succeeded, else that
    of the failures (5 could not be reached, 4 locked), 1 when they differ."""
    context.refuse_if_read_only("Taking a backup")
    fleet, console = context.fleet(), context.console
    databases = sorted(
        {name: database_named(fleet, name) for name in arguments.databases}.values(),
        key=lambda d: d.criticality.rank,
    )
    for name in arguments.store:
        if fleet.store(name) is None:
            known = ", ".join(s.name for s in fleet.stores)
            raise UsageError(f"The configuration names no store {name}.", mend=f"It names {known}.")
    results = []
    failures: list[PgdrError] = []
    for database in databases:
        try:
            results.append(_one(context, fleet, database, arguments))
        except PgdrError as error:
            failures.append(error)
            console.narrate(f"{database.name}: {error.what} {error.why or ''}".rstrip())
            if error.mend:
                console.narrate(f"  Next: {error.mend}")
            results.append(_row(database, error=str(error)))
    if console.json_wanted:
        console.json(results)
    codes = {failure.exit_code for failure in failures}
    return 0 if not codes else codes.pop() if len(codes) == 1 else 1


def _one(context: Context, fleet: Fleet, database: Database, arguments: argparse.Namespace) -> dict[str, Any]:
    from tui.jobs.carry_out import split_table
    from tui.jobs.job import jobs_directory
    from tui.jobs.lock import held, target_lock_path
    from tui.model.text import rfc3339
    from tui.operations.backup import back_up
    from tui.operations.report import never
    from tui.stores.open import open_store

    console, state = context.console, context.state_directory()
    names = tuple(arguments.store) or database.backup.stores or tuple(s.name for s in fleet.stores)
    stores = [open_store(s) for s in fleet.stores if s.name in names]
    if not stores:
        raise UsageError(
            f"{database.name} has no store to go to.", mend="Name one: --store S, or in its backup."
        )
    selection = (
        "schema" if arguments.schema_only else "data" if arguments.data_only
        else "tables" if arguments.table else "full"
    )  # fmt: skip

    def report(event: Event) -> None:
        if isinstance(event, PhaseBegan):
            console.narrate(f"{database.name}: {event.phase.value}")
        elif isinstance(event, BytesMoved):
            console.progress(f"{database.name}: {event.phase.value} {size(event.done)}")

    who = {"operator": context.operator(), "job": "a backup", "since": rfc3339(context.now())}
    with held(target_lock_path(state, "backup", database.name), who):
        made = back_up(
            fleet,
            database,
            stores,
            staging=jobs_directory(state).parent / "staging" / database.name.replace("/", "%2F"),
            report=report,
            stop=never,
            now=context.now,
            selection=selection,
            tables=tuple(split_table(t) for t in arguments.table),
        )
    manifest = made.manifest
    console.line(
        f"{' '.join(made.refs)}  {size(manifest.size_bytes)}, {plural(len(manifest.tables), 'table')}, "
        f"{plural(manifest.rows, 'row')}, {duration(made.duration_s)}"
    )
    return _row(
        database,
        ref=made.refs[0],
        refs=list(made.refs),
        size_bytes=manifest.size_bytes,
        sha256=manifest.sha256,
        duration_s=made.duration_s,
        tables=len(manifest.tables),
        rows=manifest.rows,
    )


def _row(database: Database, **known: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("ref", "refs", "size_bytes", "sha256", "duration_s", "tables", "rows", "error"))
    return {"database": database.name, **empty, **known}
