"""Taking a backup: pg_dump and the manifest see the same snapshot; the manifest is written last.

In order: a snapshot is opened and exported; pg_dump writes the archive from it while every table is
counted in it; the archive, the roles beside it, and then the manifest go to each store. What has a
manifest is complete; a failure at any point takes away what was stored.
"""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from tui.files import private_directory
from tui.model.backup import ArchiveFormat, Manifest
from tui.model.errors import PgdrError, Refused
from tui.model.event import BytesMoved, LogLine, Phase, PhaseBegan
from tui.model.fleet import Database, Endpoint, Fleet
from tui.model.text import clean, clean_lines
from tui.operations.catalogue import GLOBALS, MANIFEST, key_for, write_manifest
from tui.operations.report import Clock, Report, Stop, Stopped
from tui.places.open import open_place
from tui.postgres import commands
from tui.postgres.connection import environment
from tui.postgres.counting import TableName
from tui.postgres.errors import explain
from tui.postgres.facts import server_facts
from tui.postgres.programs import dump_program
from tui.postgres.snapshot import Snapshot
from tui.process import Command, run, start
from tui.stores.store import ObjectMissing, Store, StoreMissing

MANIFEST_VERSION = 1
SELECTIONS = ("full", "schema", "data", "tables")

_CHUNK = 1 << 20
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was taken: where it lies (a ref for each store) and what is in it."""

    refs: tuple[str, ...]
    manifest: Manifest
    duration_s: float


def back_up(
    fleet: Fleet,
    database: Database,
    stores: Sequence[Store],
    *,
    staging: Path,
    report: Report,
    stop: Stop,
    now: Clock,
    selection: str = "full",
    tables: tuple[TableName, ...] = (),
    application: str = "pgdr backup",
) -> BackedUp:
    """Backs `database` up into each of `stores`, in one pass over the database.

    `selection` is one of SELECTIONS; `tables` (schema, name) goes with "tables". `staging` is a
    directory for the archive until it is stored: written to a file it has its offsets, so that it can
    be read by ranges and restored in parallel later; that costs its size in disk.

    Raises Stopped when `stop` says so, Unreachable or PgdrError when the server, pg_dump or a store
    fails. Nothing that looks like a backup is left then.
    """
    began = time.monotonic()
    endpoint = open_place(database)
    server_major = server_facts(endpoint).version_num // 10000
    program = dump_program("pg_dump", fleet.programs, endpoint, server_major)
    archive = private_directory(staging) / "archive.dump"
    env = environment(endpoint, None, application=application)

    def heed_stop() -> None:
        if stop():
            raise Stopped

    try:
        with Snapshot(endpoint, database.dbname, application=application) as snapshot:
            moment = now()
            report(PhaseBegan(Phase.DUMP))
            command = commands.dump(
                program,
                env,
                database.dbname,
                file=archive,
                snapshot=snapshot.id,
                schema_only=selection == "schema",
                data_only=selection == "data",
                tables=tables,
                role=database.backup.role,
            )
            with _dumping(command, archive, report, stop):
                # Counted while pg_dump reads the same pages: most of them come from memory the second time
                found = snapshot.facts(on_wait=heed_stop, only=_counted(selection, tables))
        key = key_for(database.dbname, moment)
        manifest = Manifest(
            version=MANIFEST_VERSION,
            key=key,
            database=database.dbname,
            created_at=moment,
            duration_s=time.monotonic() - began,
            size_bytes=archive.stat().st_size,
            sha256=_sha256(archive, heed_stop),
            format=ArchiveFormat.CUSTOM,
            dump_version=program.version,
            selection=selection,
            **{field.name: getattr(found, field.name) for field in fields(found)},
        )
        globals_sql = _globals(fleet, endpoint, server_major, env, report)
        report(PhaseBegan(Phase.STORE))
        refs = _store_everywhere(stores, archive, manifest, globals_sql, report, heed_stop)
    finally:
        archive.unlink(missing_ok=True)
    return BackedUp(refs, manifest, time.monotonic() - began)


def _counted(selection: str, tables: tuple[TableName, ...]) -> tuple[TableName, ...] | None:
    """Which tables the manifest counts; None: all. An archive without rows has none to compare."""
    return () if selection == "schema" else tables or None


@contextmanager
def _dumping(command: Command, archive: Path, report: Report, stop: Stop) -> Iterator[None]:
    """pg_dump runs while the `with` counts; leaving it waits for its end. Raises PgdrError when it fails."""
    report(LogLine(command.shown))
    process = start(command, stdout=subprocess.DEVNULL)
    said: list[str] = []

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(clean(line.decode("utf-8", "replace").rstrip("\n"), 500))
            report(LogLine(said[-1]))

    reader = threading.Thread(target=read, name="pg_dump-output")
    reader.start()
    try:
        yield
        while process.poll() is None:
            if stop():
                raise Stopped
            report(BytesMoved(Phase.DUMP, archive.stat().st_size if archive.exists() else 0, None))
            _wait(process)
    except BaseException:
        process.terminate()
        process.wait()
        reader.join()
        raise
    reader.join()
    if process.returncode != 0:
        raise _dump_failed(said)


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_LOOK_EVERY_S)
    except subprocess.TimeoutExpired:
        return


def _dump_failed(said: list[str]) -> PgdrError:
    text = "\n".join(said[-5:])
    known = explain(text)
    return PgdrError(
        "pg_dump failed; no backup was stored.",
        clean_lines(text) or None,
        known[0].solution if known else "See its messages above.",
    )


def _sha256(path: Path, heed_stop: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            heed_stop()
            digest.update(chunk)
    return digest.hexdigest()


def _globals(
    fleet: Fleet, endpoint: Endpoint, server_major: int, env: dict[str, str], report: Report
) -> bytes | None:
    """Roles and tablespaces as SQL, without passwords; None, told in the log, when they may not be read."""
    program = dump_program("pg_dumpall", fleet.programs, endpoint, server_major)
    done = run(commands.dump_globals(program, env, endpoint.maintenance_db), timeout_s=60)
    if done.code != 0:
        report(LogLine(f"The roles could not be dumped: {clean(done.stderr, 300)}"))
        return None
    return done.stdout


def _store_everywhere(
    stores: Sequence[Store],
    archive: Path,
    manifest: Manifest,
    globals_sql: bytes | None,
    report: Report,
    heed_stop: Callable[[], None],
) -> tuple[str, ...]:
    """The archive, the roles, and last the manifest into each store; on failure all is taken away again."""
    key = manifest.key
    stored: list[tuple[Store, str]] = []
    for store in stores:
        _refuse_to_replace(store, key)
    try:
        for store in stores:
            stored.append((store, key))
            store.write(key, _chunks(archive, report, heed_stop))
            if globals_sql is not None:
                stored.append((store, key + GLOBALS))
                store.put(key + GLOBALS, globals_sql)
            stored.append((store, key + MANIFEST))
            write_manifest(store, manifest)
    except BaseException:
        for store, name in reversed(stored):
            _take_away(store, name)
        raise
    return tuple(f"{store.name}:{key}" for store in stores)


def _refuse_to_replace(store: Store, key: str) -> None:
    """Two machines may back one database up in the same second: neither must replace the other's backup,
    nor take it away when its own fails."""
    try:
        store.stat(key)
    except (ObjectMissing, StoreMissing):
        return
    raise Refused(
        f"The store {clean(store.name)} has a backup {clean(key, 200)} already: another pgdr took it in the"
        " same second.",
        mend="Nothing was stored by this one. Take it again if two are wanted.",
    )


def _take_away(store: Store, key: str) -> None:
    try:
        store.delete(key)
    except PgdrError:
        return  # the store that fails to store may fail to delete; without a manifest it isn't complete


def _chunks(archive: Path, report: Report, heed_stop: Callable[[], None]) -> Iterator[bytes]:
    total, done = archive.stat().st_size, 0
    with archive.open("rb") as file:
        while chunk := file.read(_CHUNK):
            heed_stop()
            yield chunk
            done += len(chunk)
            report(BytesMoved(Phase.STORE, done, total))
