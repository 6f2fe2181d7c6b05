"""Restoring a backup into a fresh database, with everything that happens told as events.

In order: fetch (only what isn't on this machine), create, pg_restore with its workers, the database's own
settings and rights, ANALYZE. The live database isn't touched.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tui.files import private_directory, write_whole
from tui.model.backup import Contents, Manifest, Verdict
from tui.model.errors import ArchiveError, PgdrError, Unreachable
from tui.model.event import (
    BytesMoved,
    ErrorSeen,
    Event,
    Item,
    ItemFinished,
    ItemsListed,
    LogLine,
    Phase,
    PhaseBegan,
)
from tui.model.fleet import Database, Endpoint, Fleet
from tui.model.plan import Level
from tui.model.text import clean, clean_lines
from tui.model.verdict import ErrorClass, RestoreError
from tui.operations.catalogue import describe, split_ref
from tui.operations.estimate import restore_estimate
from tui.operations.plan import archive_major, created_as
from tui.operations.records import Timing, add_timing, timings
from tui.operations.report import Clock, Report, Stop, Stopped
from tui.places.open import open_place
from tui.postgres import commands
from tui.postgres.checks import analyze
from tui.postgres.connection import environment
from tui.postgres.databases import (
    apply_properties,
    create,
    drop,
    mark_unfinished,
    target_lock,
    terminate,
)
from tui.postgres.errors import verdict as judge_all
from tui.postgres.facts import server_facts
from tui.postgres.items import items, use_list
from tui.postgres.locales import database_locale
from tui.postgres.programs import restore_program
from tui.postgres.restore_output import RestoreOutput
from tui.postgres.watch import Watcher
from tui.process import Command, start
from tui.stores.open import open_store
from tui.stores.store import Store

_WATCH_EVERY_S = 1.0
_TERM_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to. `unfinished` are items of which pg_restore never said that they were done."""

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
    report: Report,
    stop: Stop,
    keep: Stop,
    now: Clock,
) -> Restored:
    """Restores `ref` into the new database `target` on the server of `database`.

    `staging` is a directory for a downloaded archive, removed at the end. `application` marks the job's
    sessions on the server. When `stop` says so it ends in order, and drops `target` unless `keep`.

    Raises Stopped then; Refused when another restore works on `target`; ArchiveError, Unreachable or
    PgdrError when it can't be done at all. A restore that ran and went wrong is no exception: its
    verdict says so.
    """
    began = time.monotonic()
    spec, key = split_ref(fleet, ref)
    store = open_store(spec)
    description = describe(store, key)
    contents, manifest = description.contents, description.manifest
    stops = [f for f in description.problems if f.level is Level.STOP]
    if contents is None or stops:
        raise ArchiveError(
            stops[0].what if stops else "The archive can't be read.",
            mend=(stops[0].mend if stops else None) or "Pick another backup.",
        )
    size = description.backup.size_bytes
    todo = items(contents, size, manifest, tables)
    estimate = restore_estimate(size, store.path(key) is None, timings(state, database.name))
    low, high = estimate.low.total_seconds(), estimate.high.total_seconds()
    report(ItemsListed(todo, low, high, estimate.basis))
    endpoint = open_place(database)
    facts = server_facts(endpoint)
    client = restore_program(fleet.programs, endpoint, facts.version_num // 10000, archive_major(contents))
    with target_lock(endpoint, target), _staging(staging) as directory:
        path, fetched, fetch_s = _archive(store, key, size, manifest, directory, report, stop)
        report(PhaseBegan(Phase.CREATE))
        create(endpoint, target, created_as(database_locale(contents), manifest, facts.roles))
        # Said before anything is in it, so that no death of this process can leave it looking finished
        _mark(endpoint, target, f"the restore of {ref} was not finished.", report)
        loaded = time.monotonic()
        chosen: Path | None = None
        if tables:
            chosen = directory / "use.list"
            write_whole(chosen, use_list(contents, [item.dump_id for item in todo]))
        env = environment(endpoint, None, application=application)
        command = commands.restore(client, env, path, target, jobs=workers, use_list=chosen)
        run = _Run(command, contents, report, stop)
        try:
            run.watch(Watcher(endpoint, target, application))
        except Stopped:
            _end_in_order(endpoint, target, keep())
            raise
        errors = _account_for(run, todo, contents, report)
        if not tables:
            errors += _properties(endpoint, target, manifest, facts.roles, report)
        judged = judge_all(tuple(errors), run.code or 0)
        if judged is not Verdict.FAILED:
            report(PhaseBegan(Phase.ANALYZE))
            analyze(endpoint, target)
            timing = Timing(now(), size, workers, fetch_s, time.monotonic() - loaded)
            if not tables:
                _learn(state, database, timing, report)
        _mark(endpoint, target, _unfit(ref, judged, tables, manifest), report)
    return Restored(
        target=target,
        verdict=judged,
        duration_s=time.monotonic() - began,
        items=len(todo),
        rows=sum(i.rows or 0 for i in todo if i.desc == "TABLE DATA") if manifest else None,
        fetched_bytes=fetched,
        errors=tuple(errors),
    )


class _Run:
    """One pg_restore: its output read by a thread, the server watched beside it."""

    def __init__(self, command: Command, contents: Contents, report: Report, stop: Stop) -> None:
        self.finished: set[int] = set()
        self.errors: list[RestoreError] = []
        self.code: int | None = None
        self._failure: Exception | None = None
        self._report = report
        self._stop = stop
        self._output = RestoreOutput(contents)
        report(LogLine(command.shown))
        self._process = start(command, stdout=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, name="pg_restore-output")
        self._reader.start()

    def watch(self, watcher: Watcher) -> None:
        """Returns when pg_restore has ended and all it said was told. Raises Stopped after stopping it."""
        try:
            while self._reader.is_alive():
                for event in watcher.poll():
                    self._report(event)
                if self._stop():
                    self._terminate()
                    raise Stopped
                self._reader.join(_WATCH_EVERY_S)
        except BaseException:
            self._terminate()
            raise
        finally:
            watcher.close()
        if self._failure is not None:
            raise self._failure
        self.code = self._process.wait()

    def _read(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        try:
            for line in stream:
                self._tell(self._output.feed(line.decode("utf-8", "replace").rstrip("\n")))
            self._tell(self._output.close())
        except Exception as error:  # noqa: BLE001 - raised again by watch(): a thread's own end is seen by nobody
            self._failure = error
            self._process.terminate()
            stream.read()  # it would wait for ever to be heard

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ItemFinished):
                self.finished.add(event.dump_id)
            elif isinstance(event, ErrorSeen):
                self.errors.append(event.error)
            self._report(event)

    def _terminate(self) -> None:
        """SIGTERM makes pg_restore's leader end its workers; SIGKILL if it doesn't within ten seconds."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_TERM_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_TERM_WITHIN_S)


@contextmanager
def _staging(directory: Path) -> Iterator[Path]:
    private_directory(directory)
    try:
        yield directory
    finally:
        for file in directory.iterdir():
            file.unlink(missing_ok=True)
        directory.rmdir()


def _archive(
    store: Store, key: str, size: int, manifest: Manifest | None, staging: Path, report: Report, stop: Stop
) -> tuple[Path, int, float]:
    """The archive as a file here, the bytes that were fetched for it and how long that took."""
    path = store.path(key)
    if path is not None:
        return path, 0, 0.0
    began = time.monotonic()
    report(PhaseBegan(Phase.FETCH))
    path = staging / "archive.dump"
    try:
        store.fetch(key, path, lambda done: report(BytesMoved(Phase.FETCH, done, size)), stop)
    except PgdrError:
        if stop():
            raise Stopped from None
        raise
    if manifest and manifest.sha256:
        _require_hash(path, manifest.sha256)
    return path, path.stat().st_size, time.monotonic() - began


def _require_hash(path: Path, expected: str) -> None:
    import hashlib

    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ArchiveError(
            "The archive that was fetched is not the one that was backed up: its hash differs.",
            f"Expected sha256 {expected[:16]}…, found {found[:16]}….",
            "Pick another backup; this one is damaged where it lies, or was on the way.",
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


def _mark(endpoint: Endpoint, target: str, why: str | None, report: Report) -> None:
    """What a swap looks at. A role that may not comment on its database loses that guard, not the restore."""
    try:
        mark_unfinished(endpoint, target, why)
    except Unreachable:
        raise
    except PgdrError as error:
        report(LogLine(clean(str(error), 500)))


def _account_for(run: _Run, todo: tuple[Item, ...], contents: Contents, report: Report) -> list[RestoreError]:
    """Every item must have been finished: one of which nothing was heard makes the restore a failed one."""
    errors = list(run.errors)
    silent = [item for item in todo if item.dump_id not in run.finished]
    if silent:
        named = ", ".join(clean(f"{i.desc} {i.name}", 60) for i in silent[:3])
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        error = RestoreError(
            entry=None,
            dump_id=None,
            message=f"pg_restore ended (code {run.code}) without finishing {named}{more}.",
            error_class=ErrorClass.UNKNOWN,
            harmless=False,
            meaning="What was not finished is not in the restored database.",
            mend="See the errors before this one and the log; then restore again.",
        )
        report(ErrorSeen(error))
        errors.append(error)
    return errors


def _properties(
    endpoint: Endpoint, target: str, manifest: Manifest | None, roles: tuple[str, ...], report: Report
) -> list[RestoreError]:
    """What belongs to the database itself and is not restored without --create: its rights and settings."""
    if manifest is None:
        return []
    try:
        apply_properties(endpoint, target, manifest.acl, manifest.settings)
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


def _end_in_order(endpoint: Endpoint, target: str, keep: bool) -> None:
    terminate(endpoint, target)
    if not keep:
        drop(endpoint, target, force=True)
