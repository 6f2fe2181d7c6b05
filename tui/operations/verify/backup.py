"""Verifying a backup: it is there, it can be read, restored to a scratch database, its counts are the
manifest's, and the application can connect. The scratch database is dropped, whatever happens.

A drill of a recovery is the same, with its time taken (see drill.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tui.model.amounts import plural
from tui.model.backup import Manifest, Verdict, Verification
from tui.model.errors import ArchiveError, PgdrError, Refused
from tui.model.event import CheckDone, Event, LogLine, Phase, PhaseBegan, TargetMade
from tui.model.fleet import Database, Endpoint, Fleet
from tui.model.text import clean
from tui.model.verdict import Check, ErrorClass
from tui.operations.catalogue.catalogue import read_manifest, record_verification, split_ref
from tui.operations.catalogue.directory import place, stored_bytes
from tui.operations.report import Clock, Report, Stop, never
from tui.operations.restore.fetch import discard
from tui.operations.restore.restore import Restored, restore
from tui.operations.verify.verify import check_archive, check_restored
from tui.places.open import open_place
from tui.postgres.databases.databases import drop, mark_unfinished, target_lock
from tui.postgres.databases.kept import kept_databases
from tui.stores.open import open_store
from tui.stores.store import ObjectMissing, Store

_PURPOSES = ("verify", "drill")
_READ = "The archive can be read to its end"
_RESTORED = "It can be restored"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification came to. `restored` is None when it couldn't be restored at all, for the reason in
    `message`."""

    verdict: Verdict
    checks: tuple[Check, ...]
    restored: Restored | None = None
    message: str | None = None
    mend: str | None = None


def verify_backup(
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
    now: Clock,
    judged: Callable[[], None] = lambda: None,
) -> Verified:
    """Restores `ref` into the scratch database `target` on the server of `database`, asks every check, drops
    it, and records the outcome beside the backup (not of single `tables`). Scratch databases that killed
    ones left are dropped first. `judged` is called when all is asked, before anything is cleared away.

    Raises Stopped, UsageError, and Unreachable or PgdrError when it can't be tried; nothing is left then. A
    backup that can't be restored is no error but a failed verdict.
    """
    spec, key = split_ref(fleet, ref)
    store, endpoint = open_store(spec), open_place(database)
    checks: list[Check] = []

    def tell(check: Check) -> None:
        checks.append(check)
        report(CheckDone(check))

    drop_stale(database, report)
    manifest, unread = _manifest(store, key)
    here = _is_here(store, key)
    tell(_present(store, key, manifest))
    if unread is not None:
        tell(unread)
    restored, why = None, None
    with _scratch(endpoint, target, report) as watched:
        try:
            restored = restore(
                fleet,
                state,
                database,
                ref,
                target,
                tables=tables,
                workers=workers,
                staging=staging,
                application=application,
                operator=operator,
                report=watched,
                stop=stop,
                keep=never,
                now=now,
            )
        except ArchiveError as error:
            why = error
        discard(staging)
        tell(_restores(restored, why))
        if not tables:
            tell(_readable(fleet, ref, here, manifest, restored, why, stop))
        if restored is not None and restored.verdict is not Verdict.FAILED:
            _mark(endpoint, target, report)
            report(PhaseBegan(Phase.CHECK))
            # The manifest that can't be read is told already: what follows is asked without one
            asked = None if unread else ref
            check_restored(fleet, database, target, asked, tell, tables=tables)
            if database.app_role is None:
                tell(_no_application())
        judged()
    verdict = restored.verdict if restored else Verdict.FAILED
    if any(check.passed is False for check in checks):
        verdict = Verdict.FAILED
    kept = None if tables else _record(store, key, Verification(now(), verdict), checks, operator, report)
    message = " ".join(p for p in (why.what, why.why) if p) if why else _serious(restored) or kept
    return Verified(verdict, tuple(checks), restored, message, why.mend if why else None)


def drop_stale(database: Database, report: Report) -> tuple[str, ...]:
    """Drops the scratch databases of verifications and drills that ended without doing so (killed, the
    machine went down), on whatever machine; returns their names.

    They are told by their names, by the mark on them, by having no sessions, and by a lock on the server that
    whoever works on one holds. Raises as `connect` does.
    """
    endpoint = open_place(database)
    dropped = []
    for kept in kept_databases(endpoint, database.dbname):
        if kept.purpose not in _PURPOSES or kept.unfit is None or kept.sessions:
            continue
        try:
            # A restore into one, for a drill that a person goes through, holds the lock on its own name.
            with target_lock(endpoint, _lock_name(kept.name)), target_lock(endpoint, kept.name):
                drop(endpoint, kept.name, restored=True)
        except PgdrError as error:  # at work, or something holds it: the next one tries again
            if not isinstance(error, Refused):
                report(LogLine(clean(str(error), 300)))
            continue
        report(LogLine(f"{clean(kept.name)} was left by one that was killed: dropped."))
        dropped.append(kept.name)
    return tuple(dropped)


@contextmanager
def _scratch(endpoint: Endpoint, target: str, report: Report) -> Iterator[Report]:
    """Holds the lock on a scratch database, and drops it in the end when it was made in between: one of that
    name that was there before is another's. Gives the report through which its making is seen."""
    made = False

    def watched(event: Event) -> None:
        nonlocal made
        made = made or isinstance(event, TargetMade)
        report(event)

    with target_lock(endpoint, _lock_name(target)):
        try:
            yield watched
        finally:
            if made:
                drop(endpoint, target, force=True, restored=True)


def _lock_name(target: str) -> str:
    """The restore holds the lock on the name itself, but not while the checks are asked."""
    return f"the scratch database {target}"


def _mark(endpoint: Endpoint, target: str, report: Report) -> None:
    """What a swap refuses, and by which a stale one is known."""
    try:
        mark_unfinished(endpoint, target, "it is a scratch database.")
    except PgdrError as error:  # a role that may not comment: only the clearing up after a kill needs it
        report(LogLine(clean(str(error), 300)))


def _is_here(store: Store, key: str) -> bool:
    try:
        return place(store, key) is not None
    except ObjectMissing:
        return True  # a directory without its table of contents: what is missing is told below


def _manifest(store: Store, key: str) -> tuple[Manifest | None, Check | None]:
    try:
        return read_manifest(store, key), None
    except ArchiveError as error:
        found = clean(f"{error.what} {error.why or ''}".strip(), 300)
        return None, Check("The manifest can be read", False, "yes", found, error.mend)


def _present(store: Store, key: str, manifest: Manifest | None) -> Check:
    size = manifest.size_bytes if manifest else None
    found = stored_bytes(store, key)
    same = found > 0 if size is None else found == size
    return Check(
        "The backup is there and not empty",
        same,
        f"{size:,} bytes" if size is not None else "more than 0 bytes",
        f"{found:,} bytes",
        None if same else "Use another copy, or another backup.",
    )


def _restores(restored: Restored | None, why: ArchiveError | None) -> Check:
    expected = "no error that matters"
    if restored is None:
        said = " ".join(p for p in (why.what, why.why) if p) if why else "not done"
        return Check(_RESTORED, False, expected, clean(said, 300), why.mend if why else None)
    serious = [e for e in restored.errors if not e.harmless]
    if restored.verdict is Verdict.FAILED:
        first = serious[0] if serious else None
        found = f"{first.entry or 'pg_restore'}: {first.message.splitlines()[0]}" if first else "it failed"
        return Check(_RESTORED, False, expected, clean(found, 300), first.mend if first else None)
    found = f"{plural(restored.items, 'item')}"
    if restored.errors:
        found += f", {plural(len(restored.errors), 'error')} that lost nothing"
    return Check(_RESTORED, True, expected, found)


def _readable(
    fleet: Fleet,
    ref: str,
    here: bool,
    manifest: Manifest | None,
    restored: Restored | None,
    why: ArchiveError | None,
    stop: Stop,
) -> Check:
    """Of an archive on this machine the hash of all of it; one from elsewhere was held against its manifest
    as it was read, which isn't done twice; without a hash, pg_restore's coming to its end is what tells."""
    if here and (whole := check_archive(fleet, ref, stop)) is not None:
        return Check(_READ, whole.passed, whole.expected, whole.found, whole.mend)
    mend = "It is damaged where it lies: use another copy, or another backup."
    if restored is None:
        said = " ".join(p for p in (why.what, why.why) if p) if why else "not read"
        return Check(_READ, False, "all of it", clean(said, 300), why.mend if why else mend)
    broken = [e for e in restored.errors if e.error_class is ErrorClass.ARCHIVE]
    if broken:
        return Check(_READ, False, "all of it", clean(broken[0].message.splitlines()[0], 300), mend)
    if restored.verdict is Verdict.FAILED:
        return Check(_READ, None, "all of it", "the restore ended before its end")
    hashed = manifest is not None and bool(manifest.sha256)
    found = "all of it, with the manifest's hash" if hashed else "all of it; no hash to hold it against"
    return Check(_READ, True, "all of it", found)


def _no_application() -> Check:
    said = "not asked: the configuration names no app_role"
    return Check("application role", None, "it may log in and connect", said, "Say app_role in it.")


def _serious(restored: Restored | None) -> str | None:
    serious = [e for e in restored.errors if not e.harmless] if restored else []
    return serious[0].meaning if serious else None


def _record(
    store: Store, key: str, verification: Verification, checks: list[Check], operator: str, report: Report
) -> str | None:
    """Keeps the outcome beside the backup; returns what to say when the store doesn't take it."""
    try:
        record_verification(store, key, verification, checks, operator)
    except PgdrError as error:
        said = f"The result could not be kept beside the backup: {clean(str(error), 300)}"
        report(LogLine(said))
        return said
    return None
