"""`init`: a first configuration, from a bucket, a directory or a server."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model import codec
from tui.model.amounts import size
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.fleet import BackupPolicy, Database, Endpoint, Fleet, StoreSpec
from tui.model.text import clean
from tui.verbs.context import Context

if TYPE_CHECKING:
    from tui.operations.first_run.look import InStore


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Writes it, or prints it for `--output -`. Exit code 5 when what it names can't be reached; it is
    written all the same where only a store didn't answer."""
    from tui.config.load import load_text
    from tui.config.starter import FORMS, starter_text, store_at, write_first
    from tui.files import private_directory, write_whole

    console = context.console
    path = _path(context, arguments.output)
    if path is not None:
        context.refuse_if_read_only("Writing a configuration")
        if os.path.lexists(path) and not arguments.force:
            raise Refused(
                f"{clean(str(path))} is there already; it stays.",
                mend="Replace it with --force, write elsewhere with --output FILE, or see it: --output -",
            )
    named = any(said is not None for said in (arguments.host, arguments.port, arguments.user))
    if arguments.where is None and not named and not os.environ.get("PGHOST"):
        raise UsageError(
            "Say where backups lie, or which server has the databases.",
            mend=f"pgdr init {FORMS}; or --host HOST.",
        )
    spec = None
    if arguments.where is not None:
        spec = store_at(
            arguments.where,
            endpoint_url=arguments.endpoint_url,
            region=arguments.region,
            profile=arguments.profile,
        )
    databases = _databases(context, arguments, spec) if named or arguments.where is None else ()
    fleet = Fleet(name=_name(path), source=path, databases=databases, stores=(spec,) if spec else ())
    text = starter_text(fleet)
    load_text(text, path or Path("pgdr.toml").absolute())  # what can't be read again is not written
    problem, seen = _look(spec) if spec else (None, None)
    if path is not None:
        if arguments.force:
            private_directory(path.parent)
            write_whole(path, text)
        else:
            write_first(path, text)
    following = _next(context, path, fleet)
    if console.json_wanted:
        console.json(
            {
                "path": str(path) if path else None,
                "stores": [{"name": spec.name, "kind": _kind(spec)}] if spec else [],
                "databases": [d.name for d in databases],
                "backups": seen.backups if seen else None,
                "backups_of": list(seen.databases) if seen else None,
                "newest_backup_at": codec.plain(seen.newest) if seen and seen.newest else None,
                "errors": [{"store": spec.name, "what": problem.what, "mend": problem.mend}]
                if spec and problem
                else [],
                "text": text if path is None else None,
                "next": following,
            }
        )
    if path is None:
        console.line(text.rstrip("\n"))
    else:
        console.line(f"{path} is written.")
    if seen is not None and spec is not None:
        console.narrate(_told(spec, seen))
    if problem is not None:
        console.narrate(f"pgdr: {problem}")
    console.narrate(f"Next: {following}")
    return problem.exit_code if problem else 0


def _path(context: Context, output: str | None) -> Path | None:
    """Where it goes: where it will be looked for first. None for standard output."""
    if output == "-":
        return None
    said = output or context.config or os.environ.get("PGDR_CONFIG") or "pgdr.toml"
    return Path(said).expanduser().absolute()


def _name(path: Path | None) -> str:
    stem = path.stem if path else "pgdr"
    return stem if stem.strip() and stem.isprintable() else "pgdr"


def _databases(
    context: Context, arguments: argparse.Namespace, spec: StoreSpec | None
) -> tuple[Database, ...]:
    from tui.postgres.facts.found import found_databases

    endpoint = Endpoint(host=arguments.host, port=arguments.port, user=arguments.user)
    found = found_databases(endpoint)
    if not found:
        context.console.narrate("The server answers; it has no database but postgres and the templates.")
    for one in found:
        context.console.narrate(f"found {one.name}  {size(one.size_bytes)}")
    policy = BackupPolicy(stores=(spec.name,) if spec else ())
    return tuple(
        Database(name=one.name, dbname=one.name, service=one.name, endpoint=endpoint, backup=policy)
        for one in found
    )


def _look(spec: StoreSpec) -> tuple[PgdrError | None, InStore | None]:
    """What is in the store, as far as its first pages tell; or why that can't be known."""
    from tui.operations.first_run.look import look_into

    try:
        return None, look_into(spec)
    except PgdrError as error:
        return error, None


def _told(spec: StoreSpec, seen: InStore) -> str:
    if not seen.backups:
        return f"The store {spec.name} was read; it holds no backup."
    return f"The store {spec.name} holds {seen.words}."


def _next(context: Context, path: Path | None, fleet: Fleet) -> str:
    verb = "check" if fleet.databases else "backups"
    looked_for = path is not None and context.config is None and path == Path("pgdr.toml").absolute()
    by_variable = path is not None and os.environ.get("PGDR_CONFIG") == str(path)
    if path is None or looked_for or by_variable:
        return f"pgdr {verb}"
    return f"pgdr --config {shlex.quote(str(path))} {verb}"


def _kind(spec: StoreSpec) -> str:
    return {"LocalStore": "local", "S3Store": "s3", "AzureStore": "azure", "GcsStore": "gcs"}[
        type(spec).__name__
    ]
