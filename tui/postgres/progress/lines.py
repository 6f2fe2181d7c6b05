"""The lines of a job's picture, each from one item or phase at work."""

from __future__ import annotations

from datetime import datetime

from tui.model.event import JobEnded, JobStarted, Phase, StatementSeen
from tui.model.progress import IndexLine, TableLine, WorkerLine
from tui.model.text import clean
from tui.postgres.progress import text as words
from tui.postgres.progress.work import Stretch, Work


def table_line(work: Work) -> TableLine:
    """Given a table's data at work, returns its line."""
    item = work.item
    return TableLine(
        item.schema or "", item.name, _state(work, "loading"), work.rows_done, item.rows, item.weight_bytes
    )


def index_line(work: Work) -> IndexLine:
    """Given an index or constraint at work, returns its line."""
    item = work.item
    return IndexLine(
        item.schema or "", item.name, item.table, _state(work, "building"), work.stage, work.fraction
    )


def _state(work: Work, at_work: str) -> str:
    if work.failed:
        return "failed"
    if work.finished_at is not None:
        return "done"
    return at_work if work.launched_at is not None else "waiting"


def worker_line(work: Work, now: datetime) -> WorkerLine:
    """Given a running item, returns what its worker is at."""
    return WorkerLine(
        slot=work.slot,
        activity=words.activity(work.item),
        what=words.full_name(work.item),
        detail=work.detail,
        fraction=work.fraction,
        rows_per_s=work.rows_pace.per_s(now) if work.rows_pace else None,
        bytes_per_s=work.bytes_pace.per_s(now) if work.bytes_pace else None,
        left_s=work.left_s(now),
        running_s=_seconds(work.launched_at, now),
    )


def stretch_line(
    stretch: Stretch, slot: int, now: datetime, seen: StatementSeen | None, started: JobStarted | None
) -> WorkerLine:
    """Given a running phase that has no items, and the statement last seen in it, returns its line."""
    what = None
    if started is not None:
        what = started.ref if stretch.phase is Phase.FETCH else started.target or started.database
    if seen is not None and seen.table is not None:
        what = f"{seen.schema}.{seen.table}" if seen.schema else seen.table
    return WorkerLine(
        slot=slot,
        activity=words.STRETCHES.get(stretch.phase, stretch.phase.value),
        what=clean(what or "", 200),
        detail=words.bytes_of(stretch.done, stretch.total),
        fraction=stretch.fraction if stretch.total else None,
        rows_per_s=None,
        bytes_per_s=stretch.pace.per_s(now),
        left_s=stretch.left_s(now),
        running_s=_seconds(stretch.began_at, now),
    )


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def duration(ended: JobEnded | None, started_at: datetime | None, until: datetime) -> float | None:
    """Given how a job ended, or when it began and the moment until which it is told, returns its seconds."""
    if ended is not None:
        return ended.duration_s
    return max(0.0, (until - started_at).total_seconds()) if started_at else None
