"""The plan of a restore: what will be done, to what, from what, with what risk. It only reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tui.model.amounts import size
from tui.model.backup import ArchiveFormat, Contents, Manifest
from tui.model.errors import ArchiveError, PgdrError
from tui.model.facts import ServerFacts
from tui.model.fleet import Database, Endpoint, Fleet, StoreSpec
from tui.model.plan import Finding, Level, RestorePlan
from tui.model.text import clean
from tui.operations.catalogue.catalogue import GLOBALS, Description, describe, split_ref
from tui.operations.catalogue.directory import place
from tui.operations.plan.archive import about_backup, about_needs, extensions_of
from tui.operations.plan.commands import located, psql_file, restore_commands
from tui.operations.plan.disk import about_disk
from tui.operations.plan.estimate import opening, part_of, rehearsed, restore_estimate
from tui.operations.plan.roles import Globals, about_roles, making, missing_roles, owners
from tui.operations.plan.server import about_server, major, some
from tui.operations.records import drills, timings
from tui.operations.restore.stream_run import streamed
from tui.places.open import open_place
from tui.postgres.archive.items import items
from tui.postgres.catalog.schemas import missing_schemas
from tui.postgres.connection import environment
from tui.postgres.databases.databases import live_size_and_sessions
from tui.postgres.facts.facts import server_facts
from tui.postgres.facts.locales import DatabaseLocale, database_locale
from tui.postgres.facts.restore import restore_facts
from tui.postgres.programs import Program, find_program, is_local, restore_program
from tui.stores.open import open_store
from tui.stores.store import ObjectMissing, Store

_GLOBALS_BYTES = 4 << 20  # roles of a server: what is larger is read by a person


def archive_major(contents: Contents) -> int:
    """The major version of the pg_dump that made an archive: pg_restore must be at least as new."""
    return major(contents.dump_version or contents.server_version)


def _workers(contents: Contents) -> list[Finding]:
    """What can't be restored by several workers, and why."""
    why = {
        ArchiveFormat.TAR: "pg_restore reads a tar from its beginning to its end",
        ArchiveFormat.PLAIN: "plain SQL is carried out statement by statement, by a session of pgdr's own",
    }.get(contents.format)
    return [Finding(Level.OK, "workers", f"One at a time: {why}.")] if why else []


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
    description = describe(store, key, fleet, to_restore=True)
    contents, manifest = _contents_of(description, ref), description.manifest
    archive_bytes = description.backup.size_bytes
    todo = items(contents, archive_bytes, manifest, tables)
    chosen = {item.dump_id for item in todo}
    entries = [e for e in contents.entries if e.dump_id in chosen]
    endpoint = open_place(database)
    env = environment(endpoint, None)
    facts = server_facts(endpoint)
    locale = created_as(database_locale(contents), manifest, facts.roles)
    more = restore_facts(endpoint, locale, owners(entries), extensions_of(entries))
    alone = _workers(contents)
    jobs = 1 if alone else workers or min(fleet.jobs, 8)
    findings: list[Finding] = [*description.problems, *alone]
    client = _client(fleet, endpoint, facts, contents, findings)
    live = live_size_and_sessions(endpoint, database.dbname)
    remote = place(store, key) is None
    streams = streamed(store, key, contents, archive_bytes, manifest, chosen) is not None
    plain = contents.format is ArchiveFormat.PLAIN
    staged = (remote and not streams) or (bool(contents.layers) and not plain)
    part = part_of(contents, archive_bytes, todo, fleet.encryption, selected=bool(tables), streams=streams)
    findings += about_backup(description.backup, contents, manifest, database)
    findings += about_server(
        facts, more, contents, manifest, target=target, maintenance_db=endpoint.maintenance_db, jobs=jobs
    )
    beside = _globals(store, spec, key, env, endpoint)
    findings += about_roles(facts, more, entries, manifest, beside)
    schemas = missing_schemas(contents, todo)
    if schemas:
        said = f"The backup is of single tables, without their schemas: {some(schemas)} will be made first."
        findings.append(Finding(Level.OK, "schemas", said))
    findings += about_needs(facts, more, entries, manifest, locale)
    loaded = tuple((i.schema or "", i.name) for i in todo if i.desc == "TABLE DATA") if tables else ()
    findings += about_disk(
        facts,
        more,
        manifest,
        archive_bytes,
        loaded,
        staging=state / "jobs",
        staged_bytes=part.fetched_bytes if staged else None,
        layers=() if plain else contents.layers,  # SQL is opened as it is sent
    )
    findings += [slow] if (slow := opening(part)) else []
    expected = rehearsed(drills(state, database.name), bool(tables), database.rto)
    findings += [expected] if expected else []
    if streams:
        findings.append(_read_as_it_loads(archive_bytes, part.fetched_bytes))
    created = manifest.created_at if manifest else contents.created_at
    if plain and any(f.level is Level.STOP for f in description.problems):
        client = None  # psql would carry out what is refused here: nobody is shown how
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
        staging_bytes=part.fetched_bytes if staged else 0,
        estimate=restore_estimate(part, remote, timings(state, database.name), overlaps=streams),
        findings=tuple(findings),
        roles=making(facts, missing_roles(facts, entries, manifest), beside),
        commands=restore_commands(
            client,
            env,
            spec,
            key,
            target,
            maintenance_db=endpoint.maintenance_db,
            locale=locale,
            manifest=manifest,
            jobs=jobs,
            chosen=chosen if tables else (),
            schemas=schemas,
            contents=contents,
            encryption=fleet.encryption,
        )
        if client
        else (),
    )


def _read_as_it_loads(archive_bytes: int, wanted: int) -> Finding:
    said = f"about {size(wanted)} of its {size(archive_bytes)}" if wanted < archive_bytes else size(wanted)
    return Finding(Level.OK, "fetching", f"It is read as it loads ({said}); nothing is staged on disk.")


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
    if contents.format is ArchiveFormat.PLAIN:
        return _psql(fleet, endpoint, facts, made_by, findings)
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


def _psql(
    fleet: Fleet, endpoint: Endpoint, facts: ServerFacts, made_by: int, findings: list[Finding]
) -> Program | None:
    """The program of the commands for a person; pgdr itself sends plain SQL without one."""
    server = facts.version_num // 10000
    if made_by > server:
        said = f"The SQL is pg_dump {made_by}'s, newer than the server ({facts.version}): what that doesn't"
        said += " know fails, and is judged."
        findings.append(
            Finding(Level.WARNING, "client", said, f"Restore onto PostgreSQL {made_by} or newer.")
        )
    try:
        return find_program("psql", fleet.programs, 0, prefer=server, local=is_local(endpoint))
    except PgdrError:
        return None  # only for showing: nothing needs it


def created_as(locale: DatabaseLocale, manifest: Manifest | None, roles: Collection[str]) -> DatabaseLocale:
    """Given how an archive's database was created, its manifest and the server's roles, returns how the fresh
    one is to be: as the manifest says where there is one, with its owner where there is such a role."""
    owner = manifest.owner if manifest else locale.owner
    return replace(
        locale,
        encoding=(manifest.encoding if manifest else None) or locale.encoding,
        collate=(manifest.collate if manifest else None) or locale.collate,
        ctype=(manifest.ctype if manifest else None) or locale.ctype,
        owner=owner if owner in roles else None,
    )


def _globals(
    store: Store, spec: StoreSpec, key: str, env: dict[str, str], endpoint: Endpoint
) -> Globals | None:
    """The roles beside a backup. Without them the plan has statements of its own, so no trouble is told."""
    try:
        text = store.read(key + GLOBALS, 0, _GLOBALS_BYTES).decode("utf-8", "replace")
    except ObjectMissing:
        return None
    path, fetch = located(spec, key + GLOBALS, "globals.sql")
    return Globals(text, " && ".join((*fetch, psql_file(env, endpoint.maintenance_db, path))))
