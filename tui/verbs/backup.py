"""`backup`: take backups, each with its manifest; a failure of one stops no other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.model.amounts import count, duration, plural, size
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.event import BytesMoved, Event, PhaseBegan
from tui.model.fleet import BackupPolicy, Component, Database, Fleet, StoreSpec
from tui.verbs.context import Context, database_named

if TYPE_CHECKING:
    from tui.operations.backup.backup import Making
    from tui.operations.backup.fan import StoreFailed

_KNOWN = ("ref", "refs", "size_bytes", "sha256", "duration_s", "tables", "rows", "error", "failed")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one: its row in the answer, and the error that kept it from being wholly done."""

    row: dict[str, Any]
    error: PgdrError | None = None
    partly: bool = False  # it lies in some of its stores


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Backs up one database after another, the most critical first, then the components. Exit code 0 when
    all succeeded, else that of the failures (5 could not be reached, 4 locked), 1 when they differ or when
    only some of the stores have a backup."""
    context.refuse_if_read_only("Taking a backup")
    fleet, console = context.fleet(), context.console
    databases, components = _chosen(fleet, arguments)
    for name in arguments.store:
        if fleet.store(name) is None:
            known = ", ".join(s.name for s in fleet.stores)
            raise UsageError(f"The configuration names no store {name}.", mend=f"It names {known}.")
    _clear_up(context)
    results = []
    for database in databases:
        results.append(_tried(context, "database", database.name, _database, fleet, database, arguments))
    for component in components:
        results.append(_tried(context, "component", component.name, _component, fleet, component, arguments))
    if console.json_wanted:
        console.json([result.row for result in results])
    if arguments.notify_failure:
        _notify(context, fleet, results)
    if not arguments.quiet:
        _told(context, results)
    codes = {1 if r.partly else r.error.exit_code for r in results if r.error is not None}
    return 0 if not codes else codes.pop() if len(codes) == 1 else 1


def _clear_up(context: Context) -> None:
    """Removes what was staged by those that were killed."""
    from tui.jobs.sweep import sweep

    sweep(context.state_directory(), context.now())


def _notify(context: Context, fleet: Fleet, results: list[Result]) -> None:
    """Tells the fleet's channels what failed; that one can't be told changes nothing of the outcome."""
    from tui.operations.alarm import backup_failed

    failures = {
        str(result.row["database"] or result.row["component"]): str(result.error)
        for result in results
        if result.error is not None
    }
    for sent in backup_failed(fleet, failures, context.operator(), context.now):
        if sent.error is not None:
            context.console.narrate(f"{sent.channel} was not told: {sent.error}")


def _chosen(fleet: Fleet, arguments: argparse.Namespace) -> tuple[list[Database], list[Component]]:
    """What is to be backed up, in the order in which it is."""
    if arguments.all and (arguments.databases or arguments.component):
        raise UsageError("--all is everything there is.", mend="Leave it out, or the names.")
    if not (arguments.all or arguments.databases or arguments.component):
        raise UsageError(
            "What is to be backed up?", mend="Name databases, or --component NAME, or say --all."
        )
    databases = [database_named(fleet, name) for name in dict.fromkeys(arguments.databases)]
    known = {c.name: c for c in fleet.components}
    for name in arguments.component:
        if name not in known:
            raise UsageError(
                f"The configuration names no component {name}.",
                mend=f"It names {', '.join(known)}." if known else "It names none.",
            )
    components = [known[name] for name in dict.fromkeys(arguments.component)]
    if arguments.all:
        databases = list(fleet.databases)
        components = [c for c in fleet.components if c.paths or c.volumes]
    return sorted(databases, key=lambda d: d.criticality.rank), components


def _tried(
    context: Context,
    kind: str,
    name: str,
    do: Callable[..., Result],
    fleet: Fleet,
    what: Database | Component,
    arguments: argparse.Namespace,
) -> Result:
    """Does one; its failure is told at once, and is a row as well."""
    console = context.console
    try:
        result = do(context, fleet, what, arguments)
    except PgdrError as error:
        result = Result(_row(kind, name, error=str(error)), error)
    if result.error is not None:
        console.narrate(f"{name}: {result.error.what} {result.error.why or ''}".rstrip())
        if result.error.mend:
            console.narrate(f"  Next: {result.error.mend}")
    return result


def _database(context: Context, fleet: Fleet, database: Database, arguments: argparse.Namespace) -> Result:
    from tui.jobs.carry_out import split_table
    from tui.operations.backup.backup import back_up
    from tui.operations.report import never
    from tui.stores.open import open_store

    specs = _stores(fleet, database.name, tuple(arguments.store) or database.backup.stores)
    making = _making(database.backup, arguments)
    if making.role_passwords and not making.encrypt_to and arguments.confirm != database.name:
        raise Refused(
            f"The roles' passwords would lie beside the backup of {database.name} for all to read.",
            mend=f"Encrypt the backup (--encrypt-to), or say that it may be so: --confirm {database.name}",
        )
    selection = (
        "schema" if arguments.schema_only else "data" if arguments.data_only
        else "tables" if arguments.table else "full"
    )  # fmt: skip
    with ExitStack() as stack:
        staging = _locked(stack, context, database.name, specs)
        made = back_up(
            fleet,
            database,
            [open_store(s) for s in specs],
            staging=staging,
            report=_reporter(context, database.name),
            stop=never,
            now=context.now,
            selection=selection,
            tables=tuple(split_table(t) for t in arguments.table),
            making=making,
            application=f"pgdr backup {context.operator()}",
        )
    manifest = made.manifest
    error = _some_failed(made.failed)
    row = _row(
        "database",
        database.name,
        ref=made.refs[0],
        refs=list(made.refs),
        size_bytes=manifest.size_bytes,
        sha256=manifest.sha256,
        duration_s=made.duration_s,
        tables=len(manifest.tables),
        rows=manifest.rows,
        error=str(error) if error else None,
        failed=[{"store": f.store, "what": str(f.error)} for f in made.failed],
    )
    return Result(row, error, partly=error is not None)


def _component(context: Context, fleet: Fleet, component: Component, arguments: argparse.Namespace) -> Result:
    from tui.operations.backup.components import back_up_component
    from tui.stores.open import open_store

    specs = _stores(fleet, component.name, tuple(arguments.store) or component.stores)
    with ExitStack() as stack:
        _locked(stack, context, f"component {component.name}", specs)
        made = back_up_component(
            fleet,
            component,
            [open_store(s) for s in specs],
            report=_reporter(context, component.name),
            now=context.now,
        )
    error = _some_failed(made.failed)
    row = _row(
        "component",
        component.name,
        ref=made.refs[0],
        refs=list(made.refs),
        size_bytes=made.manifest.size_bytes,
        sha256=made.manifest.sha256,
        duration_s=made.duration_s,
        error=str(error) if error else None,
        failed=[{"store": f.store, "what": str(f.error)} for f in made.failed],
    )
    return Result(row, error, partly=error is not None)


def _stores(fleet: Fleet, name: str, wanted: tuple[str, ...]) -> list[StoreSpec]:
    names = wanted or tuple(s.name for s in fleet.stores)
    specs = [s for s in fleet.stores if s.name in names]
    if not specs:
        raise UsageError(
            f"{name} has no store to go to.", mend="Name one: --store S, or in its configuration."
        )
    return specs


def _making(policy: BackupPolicy, arguments: argparse.Namespace) -> Making:
    """How it is made: by the configuration, and what the command line says otherwise."""
    from dataclasses import replace
    from pathlib import Path

    from tui.config import backup_values
    from tui.config.values import Unfit
    from tui.model.backup import ArchiveFormat
    from tui.operations.backup.backup import Making

    made = Making.by(policy)
    option = ""
    try:
        if arguments.format is not None:
            made = replace(made, format=ArchiveFormat(arguments.format))
        if arguments.compress is not None:
            option = "--compress"
            made = replace(made, compression=backup_values.compression(arguments.compress, Path()))
        if arguments.encrypt_to:
            option = "--encrypt-to"
            to = tuple(backup_values.recipient(r, Path().absolute()) for r in arguments.encrypt_to)
            made = replace(made, encrypt_to=to)
    except Unfit as unfit:
        raise UsageError(f"{option} {unfit.what}", mend=unfit.mend) from None
    if len({r.startswith("gpg:") for r in made.encrypt_to}) > 1:
        raise UsageError("A backup is encrypted with age or with GPG.", mend="Name recipients of one kind.")
    return replace(made, inserts=arguments.inserts, role_passwords=arguments.with_role_passwords)


def _locked(stack: ExitStack, context: Context, name: str, specs: list[StoreSpec]) -> Path:
    """Takes the locks of this machine, one for each store; returns where a dump may be staged meanwhile."""
    from tui.jobs.lock import backup_lock_path, backup_staging, held
    from tui.model.text import rfc3339

    state = context.state_directory()
    who = {"operator": context.operator(), "job": "a backup", "since": rfc3339(context.now())}
    for spec in specs:
        into = {**who, "job": f"a backup into {spec.name}"}
        stack.enter_context(held(backup_lock_path(state, name, spec.name), into))
    return backup_staging(state, backup_lock_path(state, name, specs[0].name))


def _reporter(context: Context, name: str) -> Callable[[Event], None]:
    """Narrates where a person watches; elsewhere a backup that goes well says nothing on its way."""
    console = context.console

    def report(event: Event) -> None:
        if not sys.stderr.isatty():
            return
        if isinstance(event, PhaseBegan):
            console.narrate(f"{name}: {event.phase.value}")
        elif isinstance(event, BytesMoved):
            console.progress(f"{name}: {event.phase.value} {size(event.done)}")

    return report


def _some_failed(failed: tuple[StoreFailed, ...]) -> PgdrError | None:
    if not failed:
        return None
    stores = ", ".join(f.store for f in failed)
    why = " ".join(str(f.error) for f in failed)
    return PgdrError(f"It could not be put into {stores}; the other stores have it.", why)


def _told(context: Context, results: list[Result]) -> None:
    console = context.console
    if len(results) == 1:
        row = results[0].row
        if row["refs"]:
            held = (
                f", {plural(row['tables'], 'table')}, {plural(row['rows'], 'row')}"
                if row["tables"] is not None
                else ""
            )
            console.line(
                f"{' '.join(row['refs'])}  {size(row['size_bytes'])}{held}, {duration(row['duration_s'])}"
            )
        return
    console.table(
        ("what", "result", "size", "rows", "took", "refs"),
        [
            (
                row["database"] or row["component"],
                "FAILED" if not row["refs"] else "partly" if row["error"] else "done",
                size(row["size_bytes"]),
                count(row["rows"]),
                duration(row["duration_s"]) if row["duration_s"] is not None else "",
                " ".join(row["refs"] or ()),
            )
            for row in (result.row for result in results)
        ],
    )


def _row(kind: str, name: str, **known: Any) -> dict[str, Any]:
    what = {"kind": kind, "database": None, "component": None, kind: name}
    return {**what, **dict.fromkeys(_KNOWN), **known}
