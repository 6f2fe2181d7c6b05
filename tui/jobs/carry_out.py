"""What a job of each kind does. Runs inside the supervisor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tui.jobs.job import JobSpec
from tui.model.backup import Verdict
from tui.model.errors import PgdrError
from tui.model.event import BytesMoved, JobKind, JobState, LogLine, Phase, PhaseBegan
from tui.model.fleet import Database, Fleet
from tui.model.text import clean
from tui.operations.backup.backup import back_up
from tui.operations.catalogue.catalogue import split_ref
from tui.operations.copy import copy_backup
from tui.operations.records import Drill, add_drill
from tui.operations.report import Clock, Report, Stop, Stopped
from tui.operations.restore.restore import Restored, restore
from tui.operations.restore.resume import Before
from tui.operations.verify.backup import Verified, verify_backup
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
    refused: bool = False


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
            application=f"pgdr backup {spec.operator}",
        )
        manifest = made.manifest
        return Ending(
            JobState.DONE,
            Verdict.EXPLAINED if made.failed else Verdict.CLEAN,
            message=" ".join(f"{f.store}: {f.error}" for f in made.failed) or None,
            mend="The other stores have it; mend these, then copy it there." if made.failed else None,
            ref=made.refs[0],
            rows=manifest.rows,
            items=len(manifest.tables),
        )
    if spec.kind is JobKind.COPY:
        return _copy(fleet, spec, report, stop)
    if spec.ref is None or spec.target is None:
        raise PgdrError("The job's order names no backup or no target.")
    if spec.kind in (JobKind.VERIFY, JobKind.DRILL):
        judged_at: list[datetime] = []
        verified = verify_backup(
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
            now=now,
            judged=lambda: judged_at.append(now()),
        )
        if spec.kind is JobKind.DRILL:
            _remember(state, spec, verified, judged_at[-1], report)
        ending = _ending(verified.restored) if verified.restored else Ending(JobState.DONE, None)
        mend = verified.mend or ending.mend
        return replace(ending, verdict=verified.verdict, message=verified.message, mend=mend)
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
    return _ending(restored)


def _copy(fleet: Fleet, spec: JobSpec, report: Report, stop: Stop) -> Ending:
    into = fleet.store(spec.stores[0]) if len(spec.stores) == 1 else None
    if spec.ref is None or into is None:
        raise PgdrError("The job's order names no backup, or no store that the configuration knows.")
    source, key = split_ref(fleet, spec.ref)

    def advanced(moved: int, total: int) -> None:
        if stop():
            raise Stopped
        report(BytesMoved(Phase.STORE, moved, total))

    report(PhaseBegan(Phase.STORE))
    done = copy_backup(open_store(source), key, open_store(into), advanced)
    return Ending(JobState.DONE, Verdict.CLEAN, ref=done.copied_to)


def application(job: str) -> str:
    """What the sessions of a job are called on the server."""
    return f"pgdr {job}"[:63]


def split_table(table: str) -> tuple[str, str]:
    """`schema.name`, or a name alone for the schema public, as a pair."""
    schema, dot, name = table.partition(".")
    return (schema, name) if dot else ("public", table)


def _remember(state: Path, spec: JobSpec, verified: Verified, judged_at: datetime, report: Report) -> None:
    """Writes a drill down. That it can't be makes it no failed one."""
    began = spec.began_at or judged_at
    old = (began - spec.data_at).total_seconds() if spec.data_at else None
    took = (judged_at - began).total_seconds()
    made = Drill(
        judged_at,
        took,
        old,
        verified.verdict,
        spec.drill,
        spec.ref,
        spec.operator,
        spec.id,
        _found(verified),
        rto_target_s=spec.rto_s,
    )
    try:
        add_drill(state, spec.database, made)
    except PgdrError as error:
        report(LogLine(clean(str(error), 500)))


def _found(verified: Verified) -> tuple[str, ...]:
    """What a drill found to be wrong, in sentences."""
    serious = [e for e in verified.restored.errors if not e.harmless] if verified.restored else []
    found = [f"{clean(e.entry or 'pg_restore', 200)}: {e.meaning}" for e in serious]
    found += [
        f"{clean(check.name, 200)}: expected {clean(check.expected, 100)}, found {clean(check.found, 200)}"
        for check in verified.checks
        if check.passed is False
    ]
    return tuple(found[:20])


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
