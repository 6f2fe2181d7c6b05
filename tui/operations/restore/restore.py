"""Restoring a backup into a fresh database, with everything that happens told as events.

In order: fetch (only what isn't on this machine), create, pg_restore with its workers, the database's own
settings and rights, ANALYZE. The live database isn't touched. One that was interrupted is gone on with: what
is done in its database stays, see resume.py.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tui.files import private_directory, write_whole
from tui.model.backup import ArchiveFormat, Contents, Manifest, Verdict
from tui.model.errors import ArchiveError, PgdrError, Unreachable
from tui.model.event import ErrorSeen, Item, ItemsDone, ItemsListed, LogLine, Phase, PhaseBegan, TargetMade
from tui.model.facts import ServerFacts
from tui.model.fleet import Database, Endpoint, Fleet
from tui.model.plan import Level
from tui.model.text import clean, clean_lines
from tui.model.verdict import ErrorClass, RestoreError
from tui.operations.catalogue.catalogue import Description, describe, split_ref
from tui.operations.catalogue.directory import place
from tui.operations.plan.estimate import part_of, restore_estimate
from tui.operations.plan.learn import Taken, expecting, phase_seconds
from tui.operations.plan.plan import archive_major, created_as
from tui.operations.records import Timing, add_timing, timings
from tui.operations.report import Clock, Report, Stop, Stopped
from tui.operations.restore.fetch import archive_here, changed, discard
from tui.operations.restore.plain_look import looked_through, text_of
from tui.operations.restore.plain_run import PlainRun
from tui.operations.restore.resume import Before, go_on
from tui.operations.restore.run import Run
from tui.operations.restore.stream_run import Source, StreamRun, streamed
from tui.places.open import open_place
from tui.postgres import commands
from tui.postgres.archive.items import items, use_list
from tui.postgres.archive.positions import Positions, spans
from tui.postgres.catalog.schemas import make_schemas, missing_schemas
from tui.postgres.checks.checks import analyze
from tui.postgres.connection import connect, environment, failures
from tui.postgres.databases.databases import (
    apply_properties,
    create,
    drop,
    identity,
    mark_unfinished,
    target_lock,
    terminate,
)
from tui.postgres.databases.remains import end_jobs
from tui.postgres.facts.facts import server_facts
from tui.postgres.facts.locales import database_comment, database_locale
from tui.postgres.programs import restore_program
from tui.postgres.progress.watch import Watcher
from tui.postgres.sql_session import SqlSession
from tui.postgres.troubles.errors import verdict as judge_all
from tui.process import Command
from tui.stores.open import open_store


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to."""

    target: str
    verdict: Verdict
    duration_s: float
    items: int
    rows: int | None
    fetched_bytes: int
    errors: tuple[RestoreError, ...]


def restore(
    fleet: Fleet,
    state: Path,
    database: Database,
    ref: str,
    target: str,
    *,
    tables: tuple[str, ...] = (),
    workers: int,
    staging: Path,
    application: str,
    operator: str,
    report: Report,
    stop: Stop,
    keep: Stop,
    now: Clock,
    was: Before | None = None,
) -> Restored:
    """Restores `ref` into the new database `target` on the server of `database`; with `was`, goes on with
    the restore that was interrupted there.

    `staging` is a directory for a downloaded archive; it stays when the restore could be gone on with.
    `application` marks the job's sessions on the server, `operator` is who is named to others that want
    `target` too. When `stop` says so it ends in order, and drops `target` unless `keep`.

    Raises Stopped then; Refused when another restore works on `target`, or `target` isn't what `was` had
    made; ArchiveError, Unreachable or PgdrError when it can't be done at all. A restore that ran and went
    wrong is no exception: its verdict says so.
    """
    began = time.monotonic()
    spec, key = split_ref(fleet, ref)
    store = open_store(spec)
    description = describe(store, key, fleet, to_restore=True)
    contents, manifest = _readable(description), description.manifest
    size = description.backup.size_bytes
    learned = timings(state, database.name)
    plain = contents.format is ArchiveFormat.PLAIN
    if plain or contents.format is ArchiveFormat.TAR:  # which pg_restore reads forwards, alone
        workers = 1
    todo = expecting(items(contents, size, manifest, tables), size, learned)
    blocks = streamed(store, key, contents, size, manifest, {item.dump_id for item in todo})
    remote = place(store, key) is None
    part = part_of(contents, size, todo, fleet.encryption, selected=bool(tables), streams=blocks is not None)
    estimate = restore_estimate(part, remote, learned, overlaps=blocks is not None)
    low, high = estimate.low.total_seconds(), estimate.high.total_seconds()
    report = taken = Taken(report)
    report(ItemsListed(todo, low, high, estimate.basis, phase_seconds(part.loaded_bytes, learned)))
    endpoint = open_place(database)
    facts = server_facts(endpoint)
    client = None
    if not plain:
        made_by = archive_major(contents)
        client = restore_program(fleet.programs, endpoint, facts.version_num // 10000, made_by)
    with target_lock(endpoint, target, application=f"{application} {operator}"), ExitStack() as opened:
        left = was.staging if was else ()
        if blocks is None:
            chosen_ids = [item.dump_id for item in todo] if tables else None
            archive = archive_here(
                store, key, size, manifest, staging, left, report, stop, contents, fleet, chosen_ids
            )
            if contents.is_partial:  # plain SQL: now all of it is here
                try:
                    contents = looked_through(archive.path, key, fleet, contents, stop)
                except BaseException:
                    discard(staging)
                    raise
                todo = expecting(items(contents, size, manifest), size, learned)
                report(ItemsListed(todo, low, high, estimate.basis, phase_seconds(size, learned)))
            if (contents.layers and not plain) or contents.format is ArchiveFormat.DIRECTORY:
                # Not taken up again, and what was encrypted is in clear on disk only as long as it must be
                opened.callback(discard, staging)
        else:
            for directory in left:
                discard(directory)
        done = _made_ready(endpoint, target, facts, contents, manifest, todo, was, report)
        # Said before anything is in it, so that no death of this process can leave it looking finished
        _mark(endpoint, target, f"the restore of {ref} was not finished.", report)
        loaded = time.monotonic()
        ids = [item.dump_id for item in todo if item.dump_id not in done]
        env = environment(endpoint, None, application=application)

        def command(archive: Path | None, use_list: Path | None, workers: int) -> Command:
            made = done and archive is not None  # what is there already is made anew; data is only added
            assert client is not None
            return commands.restore(
                client, env, archive, target, jobs=workers, use_list=use_list, clean=bool(made)
            )

        run: Run | StreamRun | PlainRun
        if plain:
            text = opened.enter_context(text_of(archive.path, key, fleet))
            session = SqlSession(endpoint, target, application)
            counted = manifest is not None
            run = PlainRun(session, contents, ids, text, report, stop, tell_positions=not counted)
        elif blocks is None:
            chosen = _use_list(staging, contents, ids) if tables or done else None
            positions = Positions(archive.path, spans(contents, size, manifest))
            run = Run(command(archive.path, chosen, workers), contents, ids, positions, report, stop)
        else:
            source = Source(
                partial(store.read, key), contents, blocks, manifest.toc_sha256 if manifest else None
            )
            run = StreamRun(
                source,
                todo,
                done,
                staging=staging,
                workers=workers,
                command_for=command,
                report=report,
                stop=stop,
            )
        try:
            run.watch(Watcher(endpoint, target, application))
        except Stopped:
            _stopped(endpoint, target, keep(), staging)
            raise
        errors = [e for e in was.errors if e.dump_id in done] if was else []
        errors += run.account_for()
        if blocks is None and not tables and (hurt := changed(archive, manifest)) is not None:
            report(ErrorSeen(hurt))
            errors.append(hurt)
        judged = judge_all(tuple(errors), run.code or 0)
        if judged is Verdict.FAILED:
            _end_sessions(endpoint, target, report)
        else:
            if not tables:
                errors += _properties(endpoint, target, manifest, facts.roles, report)
                judged = judge_all(tuple(errors), run.code or 0)
            report(PhaseBegan(Phase.ANALYZE))
            analyze(endpoint, target, application=application)
            if not tables and not done:
                seconds = time.monotonic() - loaded
                fetch_s = archive.seconds if blocks is None else 0.0
                timing = Timing(now(), size, workers, fetch_s, seconds, taken.phases(), taken.items())
                _learn(state, database, timing, report)
            discard(staging)
        _mark(endpoint, target, _unfit(ref, judged, tables, manifest), report, database_comment(contents))
    fetched = run.fetched_bytes if isinstance(run, StreamRun) else archive.bytes
    return _restored(target, judged, began, todo, manifest, fetched, errors)


def _stopped(endpoint: Endpoint, target: str, keep: bool, staging: Path) -> None:
    """Ends the job's sessions and, unless it is to be kept, drops what was made. Raises PgdrError when the
    server doesn't let that be done: pg_restore has ended all the same."""
    try:
        terminate(endpoint, target)
        if not keep:
            drop(endpoint, target, force=True, restored=True)
    except PgdrError as error:
        raise type(error)(
            f'Stopped as asked, but "{clean(target)}" could not be {"left" if keep else "dropped"} in order.',
            str(error),
            "It is marked as unfinished. When the server answers: pgdr kept shows it, pgdr drop drops it.",
        ) from None
    if not keep:
        discard(staging)


def _readable(description: Description) -> Contents:
    stops = [f for f in description.problems if f.level is Level.STOP]
    if description.contents is None or stops:
        raise ArchiveError(
            stops[0].what if stops else "The archive can't be read.",
            mend=(stops[0].mend if stops else None) or "Pick another backup.",
        )
    return description.contents


def _made_ready(
    endpoint: Endpoint,
    target: str,
    facts: ServerFacts,
    contents: Contents,
    manifest: Manifest | None,
    todo: tuple[Item, ...],
    was: Before | None,
    report: Report,
) -> frozenset[int]:
    """The fresh database, made, or as an interrupted restore left it; returns the items that are done."""
    system = facts.system_identifier
    done = go_on(endpoint, target, system, contents, todo, was, report) if was else frozenset()
    if was and done:
        report(ItemsDone(tuple(i.dump_id for i in todo if i.dump_id in done), was.job))
        for error in was.errors:
            if error.dump_id in done:
                report(ErrorSeen(error))
    else:
        report(PhaseBegan(Phase.CREATE))
        create(endpoint, target, created_as(database_locale(contents), manifest, facts.roles))
    with connect(endpoint) as connection, failures(f'"{clean(target)}" could not be looked for.'):
        oid = identity(connection, target)
    if oid is None:
        raise PgdrError(f'The database "{clean(target)}" is gone again.', mend="See who else works there.")
    report(TargetMade(target, oid, system))
    make_schemas(endpoint, target, missing_schemas(contents, todo))
    return done


def _use_list(staging: Path, contents: Contents, ids: list[int]) -> Path:
    path = private_directory(staging) / "use.list"
    write_whole(path, use_list(contents, ids))
    return path


def _restored(
    target: str,
    judged: Verdict,
    began: float,
    todo: tuple[Item, ...],
    manifest: Manifest | None,
    fetched_bytes: int,
    errors: list[RestoreError],
) -> Restored:
    return Restored(
        target=target,
        verdict=judged,
        duration_s=time.monotonic() - began,
        items=len(todo),
        rows=sum(i.rows or 0 for i in todo if i.desc == "TABLE DATA") if manifest else None,
        fetched_bytes=fetched_bytes,
        errors=tuple(errors),
    )


def _learn(state: Path, database: Database, timing: Timing, report: Report) -> None:
    """For the next estimate. That it can't be written down makes no good restore a failed one."""
    try:
        add_timing(state, database.name, timing)
    except PgdrError as error:
        report(LogLine(clean(str(error), 500)))


def _unfit(ref: str, judged: Verdict, tables: tuple[str, ...], manifest: Manifest | None) -> str | None:
    """Why what was restored can't take the live database's place, None when it can."""
    if judged is Verdict.FAILED:
        return f"the restore of {ref} failed."
    if tables:
        return f"it holds only what was asked for of {ref}: {', '.join(tables)}."
    if manifest is not None and manifest.selection != "full":
        return f"{ref} is no backup of the whole database ({manifest.selection})."
    return None


def _mark(
    endpoint: Endpoint, target: str, why: str | None, report: Report, comment: str | None = None
) -> None:
    """What a swap looks at. A role that may not comment on its database loses that guard, not the restore."""
    try:
        mark_unfinished(endpoint, target, why, comment)
    except Unreachable:
        raise
    except PgdrError as error:
        report(LogLine(clean(str(error), 500)))


def _end_sessions(endpoint: Endpoint, target: str, report: Report) -> None:
    """After a pg_restore that was killed the server may go on with its last statements; nobody wants them."""
    try:
        end_jobs(endpoint, target)
    except PgdrError as error:
        report(LogLine(clean(str(error), 500)))


def _properties(
    endpoint: Endpoint, target: str, manifest: Manifest | None, roles: tuple[str, ...], report: Report
) -> list[RestoreError]:
    """What belongs to the database itself and is not restored without --create: its rights and settings."""
    if manifest is None:
        return []
    try:
        apply_properties(
            endpoint,
            target,
            manifest.acl,
            manifest.settings,
            manifest.role_settings,
            manifest.connection_limit,
        )
    except Unreachable:
        raise
    except PgdrError as error:
        told = RestoreError(
            entry="DATABASE",
            dump_id=None,
            message=clean_lines(str(error)),
            error_class=ErrorClass.PERMISSION,
            harmless=True,
            meaning="The data is all there; a right or setting of the database itself could not be set.",
            mend="Set it by hand after the swap (GRANT … ON DATABASE, ALTER DATABASE … SET).",
        )
        report(ErrorSeen(told))
        return [told]
    return []
