"""What a job of each kind does. Runs inside the supervisor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.jobs.job import JobSpec
from tui.model.backup import Verdict, Verification
from tui.model.errors import ArchiveError, PgdrError
from tui.model.event import CheckDone, JobKind, JobState, Phase, PhaseBegan
from tui.model.fleet import Database, Fleet
from tui.model.verdict import Check
from tui.operations.backup import back_up
from tui.operations.catalogue import record_verification, split_ref
from tui.operations.report import Clock, Report, Stop
from tui.operations.restore import Restored, restore
from tui.operations.restore_fetch import discard
from tui.operations.resume import Before
from tui.operations.verify import check_archive, check_restored
from tui.places.open import open_place
from tui.postgres.databases import drop
from tui.stores.open import open_store


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended, for its last event."""

    state: JobState
    verdict: Verdict | None
    message: str | None = None
    mend: str | None = None
    ref: str | None = None
    rows: int | None = None
    items: int | None = None
    fetched_bytes: int | None = None
    unreachable: bool = False


def carry_out(
    fleet: Fleet,
    state: Path,
    database: Database,
    spec: JobSpec,
    *,
    staging: Path,
    report: Report,
    stop: Stop,
    keep: Stop,
    now: Clock,
    was: Before | None = None,
) -> Ending:
    """Does what `spec` orders; returns how it ended. `was` is the interrupted restore that it goes on with.

    Raises Stopped, or PgdrError when it can't be done.
    """
    if spec.kind is JobKind.BACKUP:
        stores = [open_store(s) for s in fleet.stores if s.name in spec.stores]
        made = back_up(
            fleet,
            database,
            stores,
            staging=staging,
            report=report,
            stop=stop,
            now=now,
            selection=spec.selection,
            tables=tuple(split_table(t) for t in spec.tables),
        )
        manifest = made.manifest
        return Ending(
            JobState.DONE, Verdict.CLEAN, ref=made.refs[0], rows=manifest.rows, items=len(manifest.tables)
        )
    if spec.ref is None or spec.target is None:
        raise PgdrError("The job's order names no backup or no target.")
    try:
        restored = restore(
            fleet,
            state,
            database,
            spec.ref,
            spec.target,
            tables=spec.tables,
            workers=spec.workers,
            staging=staging,
            application=application(spec.id),
            operator=spec.operator,
            report=report,
            stop=stop,
            keep=keep,
            now=now,
            was=was,
        )
    except ArchiveError as error:
        if spec.kind is not JobKind.VERIFY:
            raise
        # That it can't be restored at all is what the verification found: whoever looks next must know.
        _record(fleet, spec.ref, Verdict.FAILED, (), now)
        why = " ".join(part for part in (error.what, error.why) if part)
        return Ending(JobState.DONE, Verdict.FAILED, why, error.mend)
    if spec.kind is JobKind.VERIFY:
        discard(staging)
        return _verified(fleet, database, spec.ref, restored, report, stop, now)
    return _ending(restored)


def application(job: str) -> str:
    """What the sessions of a job are called on the server."""
    return f"pgdr {job}"[:63]


def split_table(table: str) -> tuple[str, str]:
    """`schema.name`, or a name alone for the schema public, as a pair."""
    schema, dot, name = table.partition(".")
    return (schema, name) if dot else ("public", table)


def _verified(
    fleet: Fleet,
    database: Database,
    ref: str,
    restored: Restored,
    report: Report,
    stop: Stop,
    now: Clock,
) -> Ending:
    """The checks of a verification; its scratch database is dropped, its result kept beside the backup."""
    checks: tuple[Check, ...] = ()
    verdict = restored.verdict
    try:
        if verdict is not Verdict.FAILED:
            report(PhaseBegan(Phase.CHECK))
            checks = check_restored(fleet, database, restored.target, ref, lambda c: report(CheckDone(c)))
            if (whole := check_archive(fleet, ref, stop)) is not None:
                report(CheckDone(whole))
                checks = (*checks, whole)
            if any(c.passed is False for c in checks):
                verdict = Verdict.FAILED
    finally:
        drop(open_place(database), restored.target, force=True)
    _record(fleet, ref, verdict, checks, now)
    ending = _ending(restored)
    return Ending(
        ending.state, verdict, rows=ending.rows, items=ending.items, fetched_bytes=ending.fetched_bytes
    )


def _record(fleet: Fleet, ref: str, verdict: Verdict, checks: tuple[Check, ...], now: Clock) -> None:
    spec, key = split_ref(fleet, ref)
    record_verification(open_store(spec), key, Verification(now(), verdict), checks)


def _ending(restored: Restored) -> Ending:
    serious = [e for e in restored.errors if not e.harmless]
    return Ending(
        JobState.DONE,
        restored.verdict,
        message=serious[0].meaning if serious else None,
        mend=serious[0].mend if serious else None,
        rows=restored.rows,
        items=restored.items,
        fetched_bytes=restored.fetched_bytes,
    )
