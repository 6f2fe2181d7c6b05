"""The plan of a restore: what will be done, to what, from what, with what risk. It only reads."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tui.model.amounts import size, sizes
from tui.model.backup import ArchiveFormat, Contents, Manifest
from tui.model.errors import ArchiveError, PgdrError
from tui.model.facts import ServerFacts
from tui.model.fleet import Database, Endpoint, Fleet
from tui.model.plan import Finding, Level, RestorePlan
from tui.model.text import clean
from tui.operations.catalogue import Description, describe, split_ref
from tui.operations.estimate import restore_estimate
from tui.operations.records import timings
from tui.places.open import open_place
from tui.postgres import commands
from tui.postgres.connection import environment
from tui.postgres.databases import live_size_and_sessions
from tui.postgres.facts import server_facts
from tui.postgres.programs import Program, restore_program
from tui.stores.open import open_store
from tui.stores.store import Store

# A database on disk against its compressed archive, when no manifest says: 856 MB of 247 MB was measured,
# and archives of text compress better still.
_SWELLS = 6
# Sorting for indexes and the WAL of a load come on top of the database itself.
_HEADROOM = 1.3


def archive_major(contents: Contents) -> int:
    """The major version of the pg_dump that made an archive: pg_restore must be at least as new."""
    version = contents.dump_version or contents.server_version or ""
    digits = version.split(".")[0].split(" ")[0]
    return int(digits) if digits.isdecimal() else 0


def plan_restore(
    fleet: Fleet,
    state: Path,
    database: Database,
    ref: str,
    *,
    target: str,
    tables: tuple[str, ...] = (),
    workers: int | None = None,
    now: datetime,
) -> RestorePlan:
    """Given a backup's ref and the fresh database's name, returns the plan of restoring one into the other.

    Raises UsageError when there is no such store, ArchiveError when there is nothing to restore from,
    Unreachable when the store or the server can't be asked.
    """
    spec, key = split_ref(fleet, ref)
    store = open_store(spec)
    description = describe(store, key)
    contents = _contents_of(description, ref)
    endpoint = open_place(database)
    facts = server_facts(endpoint)
    jobs = workers or min(fleet.jobs, 8)
    findings: list[Finding] = list(description.problems)
    client = _client(fleet, endpoint, facts, contents, findings)
    live = live_size_and_sessions(endpoint, database.dbname)
    manifest, archive_bytes = description.manifest, description.backup.size_bytes
    local = store.path(key)
    staging = 0 if local else archive_bytes
    findings += _about_server(facts, target, jobs)
    findings += _about_archive(facts, contents, manifest, database)
    findings += _about_disk(facts, manifest, archive_bytes)
    created = manifest.created_at if manifest else contents.created_at
    return RestorePlan(
        ref=ref,
        database=database.name,
        target=target,
        host=facts.host,
        port=facts.port,
        system_identifier=facts.system_identifier,
        server_version=facts.version,
        live_bytes=live[0] if live else None,
        live_sessions=live[1] if live else None,
        archive_bytes=archive_bytes,
        archive_created_at=created,
        archive_server_version=contents.server_version,
        age=now - created,
        client=str(client.path) if client else "",
        client_version=client.version if client else "",
        jobs=jobs,
        tables=tables,
        staging_bytes=staging,
        estimate=restore_estimate(archive_bytes, local is None, timings(state, database.name)),
        findings=tuple(findings),
        commands=_commands(client, endpoint, store, key, target, jobs) if client else (),
    )


def _contents_of(description: Description, ref: str) -> Contents:
    if description.contents is not None:
        return description.contents
    stops = [f for f in description.problems if f.level is Level.STOP]
    raise ArchiveError(
        stops[0].what if stops else f"{clean(ref)} can't be read as an archive.",
        mend=(stops[0].mend if stops else None) or "Pick another backup: pgdr backups",
    )


def _client(
    fleet: Fleet, endpoint: Endpoint, facts: ServerFacts, contents: Contents, findings: list[Finding]
) -> Program | None:
    server_major, made_by = facts.version_num // 10000, archive_major(contents)
    try:
        client = restore_program(fleet.programs, endpoint, server_major, made_by)
    except PgdrError as error:
        findings.append(Finding(Level.STOP, "client", error.what, error.mend))
        return None
    newer = f" It is newer than the server ({facts.version}): an unknown setting may be explained away."
    findings.append(
        Finding(
            Level.OK,
            "client",
            f"pg_restore {client.version} reads archives of pg_dump {contents.dump_version or made_by}."
            + (newer if client.major > server_major else ""),
        )
    )
    return client


def _about_server(facts: ServerFacts, target: str, jobs: int) -> list[Finding]:
    findings = []
    if facts.in_recovery:
        findings.append(
            Finding(
                Level.STOP,
                "server",
                "The server is a standby: nothing can be written to it.",
                "Restore onto the primary, or promote this one: SELECT pg_promote()",
            )
        )
    if not (facts.can_create_db or facts.is_superuser):
        findings.append(
            Finding(
                Level.STOP,
                "rights",
                f"The role {clean(facts.user)} may not create databases.",
                f'As a superuser: ALTER ROLE "{clean(facts.user)}" CREATEDB',
            )
        )
    if target in facts.databases:
        findings.append(
            Finding(Level.STOP, "target", f"A database {clean(target)} exists already.", "Use a fresh name.")
        )
    free = facts.max_connections - facts.connections
    if free < jobs + 2:
        findings.append(
            Finding(
                Level.STOP if free < 3 else Level.WARNING,
                "connections",
                f"{free} of {facts.max_connections} connections are free; the restore wants {jobs + 2}.",
                "Use fewer workers (--jobs), or end sessions that are not needed.",
            )
        )
    return findings


def _about_archive(
    facts: ServerFacts, contents: Contents, manifest: Manifest | None, database: Database
) -> list[Finding]:
    findings = []
    if manifest and manifest.database != database.dbname:
        findings.append(
            Finding(
                Level.WARNING,
                "database",
                f"The backup is of {clean(manifest.database)}, not of {clean(database.dbname)}.",
                "Make sure that it is the one you want.",
            )
        )
    owners = {e.owner for e in contents.entries if e.owner}
    roles = sorted((owners | set(manifest.roles if manifest else ())) - set(facts.roles) - {"public"})
    if roles:
        findings.append(
            Finding(
                Level.WARNING,
                "roles",
                f"Roles missing on the server: {_some(roles)}. Their objects go to {clean(facts.user)}.",
                "Create them first (CREATE ROLE), or restore the globals kept beside the backup with psql.",
            )
        )
    spaces = sorted({e.tablespace for e in contents.entries if e.tablespace} - set(facts.tablespaces))
    if spaces:
        findings.append(
            Finding(
                Level.WARNING,
                "tablespaces",
                f"Tablespaces missing: {_some(spaces)}. Their tables go to the default one.",
                "Create them first (CREATE TABLESPACE).",
            )
        )
    wanted = {e.name for e in contents.entries if e.desc == "EXTENSION"}
    absent = sorted(wanted - set(facts.extensions) - {"plpgsql"})
    if absent:
        findings.append(
            Finding(
                Level.STOP,
                "extensions",
                f"Extensions not available on the server: {_some(absent)}.",
                "Install their packages on the server.",
            )
        )
    if contents.format is ArchiveFormat.PLAIN:
        findings.append(Finding(Level.STOP, "archive", "This is plain SQL.", "Restore it with psql."))
    return findings


def _about_disk(facts: ServerFacts, manifest: Manifest | None, archive_bytes: int) -> list[Finding]:
    needed = int((manifest.database_bytes if manifest else archive_bytes * _SWELLS) * _HEADROOM)
    if facts.free_bytes is None:
        said = f"About {size(needed)} are needed; the server's free disk can't be seen from here."
        return [Finding(Level.OK, "disk", said)]
    room, free = sizes(needed, facts.free_bytes)
    if facts.free_bytes < needed:
        return [
            Finding(
                Level.STOP,
                "disk",
                f"About {room} are needed, {free} are free.",
                "Make room on the server's data disk, or restore onto another server.",
            )
        ]
    return [Finding(Level.OK, "disk", f"About {room} needed, {free} free.")]


def _commands(
    client: Program, endpoint: Endpoint, store: Store, key: str, target: str, jobs: int
) -> tuple[str, ...]:
    """What a person would type, in order. The environment holds no secret in what is shown."""
    env = environment(endpoint, None)
    path = store.path(key)
    shown = commands.restore(client, env, path or Path("archive.dump"), target, jobs=jobs).shown
    fetch = () if path else (f"# fetch {clean(store.name)}:{clean(key)} to archive.dump",)
    create = f"CREATE DATABASE {commands.quoted(clean(target))} TEMPLATE template0"
    return (*fetch, f"# in psql: {create}", shown, f"# in psql, connected to {clean(target)}: ANALYZE")


def _some(names: list[str]) -> str:
    shown = ", ".join(clean(n, 60) for n in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")
