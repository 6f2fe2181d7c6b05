"""Taking a backup: pg_dump and the manifest see the same snapshot; the manifest is written last.

In order: a snapshot is opened and exported; pg_dump's stream goes from it into every store at once while
every table is counted in it; when both have ended well the archive appears in each store, then the roles
beside it, and last the manifest. What has a manifest is complete; a failure at any point leaves nothing,
but of several stores the good ones keep theirs.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from tui.model.backup import ArchiveFormat, Manifest
from tui.model.errors import PgdrError, Refused, Unreachable
from tui.model.event import LogLine, Phase, PhaseBegan
from tui.model.fleet import BackupPolicy, Database, Endpoint, Fleet, LocalStore
from tui.model.text import clean
from tui.operations.backup.directory import DirectoryDump
from tui.operations.backup.fan import StoreFailed
from tui.operations.backup.leftovers import sweep
from tui.operations.backup.stream import Stream
from tui.operations.catalogue.catalogue import GLOBALS, MANIFEST, key_for, write_manifest
from tui.operations.catalogue.directory import TOC
from tui.operations.layers.encryption import check_recipients, encrypted, kind_of
from tui.operations.report import Clock, Report, Stop, Stopped
from tui.places.open import open_place
from tui.postgres import commands
from tui.postgres.archive.compression import compress_argument, plain_suffix
from tui.postgres.catalog.snapshot import Snapshot
from tui.postgres.connection import environment
from tui.postgres.databases.databases import target_lock
from tui.postgres.facts.counting import TableName
from tui.postgres.facts.facts import server_facts
from tui.postgres.programs import dump_program
from tui.process import Finished, run
from tui.stores.store import ObjectMissing, Store, StoreDenied

MANIFEST_VERSION = 1
SELECTIONS = ("full", "schema", "data", "tables")

_GLOBALS_WITHIN_S = 60
_SUFFIXES = {ArchiveFormat.CUSTOM: ".dump", ArchiveFormat.DIRECTORY: ".dir", ArchiveFormat.PLAIN: ".sql"}


@dataclass(frozen=True, slots=True)
class Making:
    """How a backup is made. `inserts` writes rows as INSERT, for seeding other databases; `role_passwords`
    keeps the roles' password hashes beside it."""

    format: ArchiveFormat = ArchiveFormat.CUSTOM
    compression: str | None = None
    encrypt_to: tuple[str, ...] = ()
    inserts: bool = False
    role_passwords: bool = False

    @classmethod
    def by(cls, policy: BackupPolicy) -> Making:
        """As a database's configuration has it."""
        return cls(ArchiveFormat(policy.format), policy.compression, policy.encrypt_to)


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was taken: where it lies (a ref for each store), what is in it, and the stores, if any,
    that it could not be put into."""

    refs: tuple[str, ...]
    manifest: Manifest
    duration_s: float
    failed: tuple[StoreFailed, ...] = ()


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
    making: Making | None = None,
    application: str = "pgdr backup",
) -> BackedUp:
    """Backs `database` up into each of `stores`, in one pass over the database.

    `selection` is one of SELECTIONS; `tables` (schema, name) goes with "tables". `making` is by the
    database's configuration unless it is given. `staging` is a directory for what a directory dump needs
    until it is stored; nothing else touches this machine's disk. Some 100 MB of memory, whatever its size.

    Raises Stopped when `stop` says so; Refused when another backup of it into one of the stores is at work;
    ConfigError or UsageError when it can't be made so; Unreachable or PgdrError when the server, pg_dump or
    every store fails. Nothing that looks like a backup is left then.
    """
    began = time.monotonic()
    making = making or Making.by(database.backup)
    endpoint = open_place(database)
    server_major = server_facts(endpoint).version_num // 10000
    program = dump_program("pg_dump", fleet.programs, endpoint, server_major)
    compress = compress_argument(program, making.compression)
    home = fleet.encryption.gnupg_home
    if making.encrypt_to:
        check_recipients(making.encrypt_to, home)
    env = environment(endpoint, None, application=application)
    failed: list[StoreFailed] = []

    def heed_stop() -> None:
        if stop():
            raise Stopped

    with _reachable(endpoint), ExitStack() as stack:
        for store in stores:
            stack.enter_context(_only_one(fleet, database, endpoint, store, application))
        directory = making.format is ArchiveFormat.DIRECTORY
        sweep(stores, database.dbname, now(), report, directories=directory)
        with Snapshot(
            endpoint, database.dbname, application=application, role=database.backup.role
        ) as snapshot:
            moment = now()
            key = key_for(database.dbname, moment, suffix(making))
            able = _able(stores, f"{key}/{_toc(making)}" if directory else key, failed)
            report(PhaseBegan(Phase.DUMP))
            command = commands.dump(
                program,
                env,
                database.dbname,
                file=staging / "archive" if directory else None,
                format=making.format.value,
                snapshot=snapshot.id,
                compress=compress,
                jobs=database.backup.jobs,
                schema_only=selection == "schema",
                data_only=selection == "data",
                inserts=making.inserts,
                tables=tables,
                role=database.backup.role,
            )
            dump: Stream | DirectoryDump
            recipients = making.encrypt_to
            if directory:
                at = staging / "archive"
                dump = DirectoryDump(command, able, key, report, at, recipients=recipients, gnupg_home=home)
            else:
                scanned = making.format is ArchiveFormat.CUSTOM
                dump = Stream(
                    command, able, key, report, scanned=scanned, recipients=recipients, gnupg_home=home
                )
            stack.enter_context(dump)

            def heed() -> None:
                heed_stop()
                dump.heed()

            # Counted while pg_dump reads the same pages: most of them come from memory the second time
            found = snapshot.facts(on_wait=heed, only=_counted(selection, tables))
            dump.wait(heed)
        made = dump.made(heed_stop)
        manifest = Manifest(
            version=MANIFEST_VERSION,
            key=key,
            database=database.dbname,
            created_at=moment,
            duration_s=time.monotonic() - began,
            size_bytes=made.size_bytes,
            sha256=made.sha256,
            blocks=made.blocks,
            toc_sha256=made.toc_sha256,
            files=made.files,
            format=making.format,
            dump_version=program.version,
            selection=selection,
            compression=making.compression,
            encryption=kind_of(making.encrypt_to),
            recipients=making.encrypt_to,
            **{field.name: getattr(found, field.name) for field in fields(found)},
        )
        roles = _roles(fleet, database, endpoint, server_major, env, making, report)
        report(PhaseBegan(Phase.STORE))
        refs = _finish(dump, able, manifest, roles, failed, heed_stop)
    return BackedUp(refs, manifest, time.monotonic() - began, tuple(failed))


@contextmanager
def _reachable(endpoint: Endpoint) -> Iterator[None]:
    """Asks the server again after a failure: what goes away in the middle of a dump or count says so in many
    ways, and a server that can't be reached is an error of its own."""
    try:
        yield
    except Unreachable:
        raise
    except PgdrError as error:
        try:
            server_facts(endpoint)
        except Unreachable as gone:
            raise Unreachable(error.what, gone.what, gone.mend) from error
        raise


def suffix(making: Making) -> str:
    """What the key of a backup that is made so ends with: `.dump`, `.sql.gz`, `.dump.age`."""
    ending = _SUFFIXES[making.format]
    if making.format is ArchiveFormat.PLAIN:
        ending += plain_suffix(making.compression)
    kind = kind_of(making.encrypt_to)
    return f"{ending}.{kind}" if kind else ending


def _toc(making: Making) -> str:
    kind = kind_of(making.encrypt_to)
    return f"{TOC}.{kind}" if kind else TOC


def _counted(selection: str, tables: tuple[TableName, ...]) -> tuple[TableName, ...] | None:
    """Which tables the manifest counts; None: all. An archive without rows has none to compare."""
    return () if selection == "schema" else tables or None


def _only_one(
    fleet: Fleet, database: Database, endpoint: Endpoint, store: Store, application: str
) -> AbstractContextManager[None]:
    """The lock on this database's backups into this store, held on the server, where every machine sees it.
    In the database itself: a role for backups may have no other that it can connect to."""
    inside = replace(endpoint, maintenance_db=database.dbname)
    name = f"the backup of {database.dbname} into {_whereabouts(fleet, store)}"
    return target_lock(inside, name, application=application)


def _whereabouts(fleet: Fleet, store: Store) -> str:
    """What tells one store from another on every machine, whatever it is called there. No secret."""
    spec = fleet.store(store.name)
    if spec is None:
        return store.name
    if isinstance(spec, LocalStore):
        return f"{spec.path} on {socket.gethostname()}"
    parts = ("endpoint_url", "account", "container", "bucket", "prefix")
    return " ".join(str(getattr(spec, part)) for part in parts if getattr(spec, part, None))


def _able(stores: Sequence[Store], key: str, failed: list[StoreFailed]) -> list[Store]:
    """The stores that answer and don't have `key`; of the others why not is put into `failed`.

    Two machines may back one database up in the same second: neither must replace the other's backup, nor
    take it away when its own fails. Raises the first store's error when none is left.
    """
    able = []
    for store in stores:
        try:
            _refuse_to_replace(store, key)
            able.append(store)
        except PgdrError as error:
            failed.append(StoreFailed(store.name, error))
    if not able and failed:
        raise failed[0].error
    return able


def _refuse_to_replace(store: Store, key: str) -> None:
    try:
        store.stat(key)
    except (ObjectMissing, StoreDenied):  # credentials that may only write can't ask; writing tells the rest
        return
    raise Refused(
        f"The store {clean(store.name)} has a backup {clean(key, 200)} already: another pgdr took it in the"
        " same second.",
        mend="Nothing was stored by this one. Take it again if two are wanted.",
    )


def _roles(
    fleet: Fleet,
    database: Database,
    endpoint: Endpoint,
    server_major: int,
    env: dict[str, str],
    making: Making,
    report: Report,
) -> dict[str, bytes]:
    """Roles and tablespaces as SQL, by the ends of the keys beside the archive; none, told in the log, when
    they may not be read.

    Encrypted backups have them in clear too, since a plan names the roles that a server misses, but their
    passwords only encrypted. Passwords that were asked for and can't be read are an error.
    """
    program = dump_program("pg_dumpall", fleet.programs, endpoint, server_major)

    def dumped(passwords: bool) -> Finished:
        role = database.backup.role
        command = commands.dump_globals(program, env, endpoint.maintenance_db, passwords=passwords, role=role)
        return run(command, timeout_s=_GLOBALS_WITHIN_S)

    made: dict[str, bytes] = {}
    kind = kind_of(making.encrypt_to)
    if making.role_passwords:
        done = dumped(passwords=True)
        if done.code != 0:
            raise PgdrError(
                "The roles' passwords could not be read; no backup was stored.",
                clean(done.stderr, 300),
                "A superuser may read them. Leave out --with-role-passwords, or connect as one.",
            )
        if kind is None:
            return {GLOBALS: done.stdout}
        home = fleet.encryption.gnupg_home
        made[f"{GLOBALS}.{kind}"] = b"".join(encrypted((done.stdout,), making.encrypt_to, home))
    done = dumped(passwords=False)
    if done.code != 0:
        report(LogLine(f"The roles could not be dumped: {clean(done.stderr, 300)}"))
        return made
    return {**made, GLOBALS: done.stdout}


def _finish(
    dump: Stream | DirectoryDump,
    able: list[Store],
    manifest: Manifest,
    roles: dict[str, bytes],
    failed: list[StoreFailed],
    heed_stop: Callable[[], None],
) -> tuple[str, ...]:
    """The archive appears, then the roles, and last the manifest in each store that has not failed.

    Of one that fails now all is taken away again; of all, when it is stopped or when none is left."""
    stored: list[Store] = []
    try:
        whole = dump.finish(heed_stop)
        failed += dump.failed
        for store in whole:
            heed_stop()
            try:
                for ending, text in roles.items():
                    store.put(manifest.key + ending, text)
                write_manifest(store, manifest)
                stored.append(store)
            except PgdrError as error:
                failed.append(StoreFailed(store.name, error))
                _take_away(store, manifest.key, roles)
                dump.take_away(store)
        if not stored:
            raise failed[0].error
    except BaseException:
        for store in able:
            _take_away(store, manifest.key, roles)
            dump.take_away(store)
        raise
    return tuple(f"{store.name}:{manifest.key}" for store in stored)


def _take_away(store: Store, key: str, roles: Collection[str]) -> None:
    """What lies beside the archive; the archive itself is the dump's to remove."""
    for ending in (MANIFEST, *roles):
        try:
            store.delete(key + ending)
        except PgdrError:
            continue  # the store that fails to store may fail to delete; without a manifest it isn't complete
