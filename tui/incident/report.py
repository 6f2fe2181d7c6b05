"""The report of an incident: what happened, when, what was lost, what was run, what was checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tui.files import write_whole
from tui.incident.book import Book
from tui.jobs.watch import view
from tui.model import codec
from tui.model.amounts import UNKNOWN, count, duration, limit
from tui.model.errors import PgdrError
from tui.model.fleet import Fleet
from tui.model.incident import Incident, Step
from tui.model.progress import Progress
from tui.model.text import clean, rfc3339


def write(book: Book, state: Path, incident: Incident, fleet: Fleet) -> Path:
    """Writes the report as Markdown beside the incident and returns its path."""
    path = book.report_path(incident.id)
    write_whole(path, markdown(incident, fleet, _job(state, incident)))
    return path


def load(state: Path, incident: Incident, fleet: Fleet) -> str:
    """The report as Markdown, made from what is on disk now."""
    return markdown(incident, fleet, _job(state, incident))


def as_json(state: Path, incident: Incident, fleet: Fleet) -> dict[str, Any]:
    """The report as plain data: the incident's fields, the times that matter, the job's outcome."""
    job = _job(state, incident)
    document: dict[str, Any] = codec.plain(incident)
    rto, lost = recovery_time(incident), data_lost(incident)
    target = fleet.database(incident.database)
    document.update(
        rto_s=rto.total_seconds() if rto else None,
        rpo_s=lost.total_seconds() if lost else None,
        rto_target_s=target.rto.total_seconds() if target else None,
        rpo_target_s=target.rpo.total_seconds() if target else None,
        errors=[codec.plain(e) for e in job.errors] if job else [],
    )
    return document


def recovery_time(incident: Incident) -> timedelta | None:
    """From the declaration until the restored database was in place (swapped), None before that."""
    ended = incident.swap.at if incident.swap and not incident.swap.undone_at else None
    return ended - incident.declared_at if ended else None


def data_lost(incident: Incident) -> timedelta | None:
    """From the backup that was used to the declaration: the most that can have been lost."""
    return incident.declared_at - incident.backup_at if incident.backup_at else None


def markdown(incident: Incident, fleet: Fleet, job: Progress | None) -> str:
    """Given an incident, its fleet and its restore's job, returns the report."""
    database = fleet.database(incident.database)
    name = clean(incident.database)
    rto, lost = recovery_time(incident), data_lost(incident)
    lines = [
        f"# Incident {incident.id}: {_md(name)}",
        "",
        f"- Fleet: {_md(clean(fleet.name))}",
        f"- Declared: {rfc3339(incident.declared_at)} by {_md(clean(incident.operator))}",
        f"- Closed: {_moment(incident.closed_at)}",
        f"- Outcome: {_md(clean(incident.outcome or 'still open'))}",
        f"- Backup used: {_md(clean(incident.ref or 'none'))}, taken {_moment(incident.backup_at)}",
        f"- Data lost at most: {duration(lost)}" + (f" (RPO {limit(database.rpo)})" if database else ""),
        f"- Recovered after: {duration(rto)}" + (f" (RTO {limit(database.rto)})" if database else ""),
        f"- Restore: {incident.verdict.value if incident.verdict else 'none'}"
        + (f", {count(job.rows)} rows" if job and job.rows is not None else ""),
        f"- Health address: {_md(clean(incident.health or 'not asked'))}",
        "",
        "## Steps",
        "",
        "| step | status | began | took | outcome |",
        "|---|---|---|---|---|",
    ]
    for record in incident.steps:
        took = record.ended_at - record.began_at if record.ended_at and record.began_at else None
        lines.append(
            f"| {record.step.value} | {record.status.value} | {_moment(record.began_at)} | {duration(took)} "
            f"| {_md(clean(record.note))} |"
        )
    lines += ["", "## What was found", ""]
    lines += [f"- {f.level.value}: {_md(clean(f.what))}" for f in incident.findings] or ["- Nothing."]
    if incident.counts:
        lines += ["", "| table | rows in the last manifest | rows found |", "|---|---|---|"]
        lines += [
            f"| {_md(clean(f'{c.schema}.{c.name}'))} | {count(c.expected)} | {count(c.found)} |"
            for c in incident.counts
        ]
    lines += ["", "## Checks of the restored database", ""]
    if incident.checks:
        lines += ["| check | passed | expected | found |", "|---|---|---|---|"]
        lines += [
            "| "
            + " | ".join((_md(clean(c.name)), _passed(c.passed), _md(clean(c.expected)), _md(clean(c.found))))
            + " |"
            for c in incident.checks
        ]
    else:
        lines.append("None were run.")
    if job and job.errors:
        lines += ["", "## What pg_restore complained of", ""]
        lines += [
            f"- {_md(clean(e.entry or ''))} {_md(clean(e.message, 400))} {e.meaning}" for e in job.errors
        ]
    if incident.swap:
        kept = f"kept as {clean(incident.swap.kept_as)}" if incident.swap.kept_as else "not there"
        lines += ["", "## Swap", "", f"The old database is {_md(kept)}."]
        if incident.swap.undone_at:
            lines.append(f"Undone at {_moment(incident.swap.undone_at)}.")
    lines += ["", "## Timeline (UTC)", ""]
    lines += [
        f"- {rfc3339(e.at)} {_md(clean(e.operator))}, {e.kind}: "
        + (f"`{clean(e.text)}`" if e.kind == "command" else _md(clean(e.text)))
        for e in incident.timeline
    ]
    skipped = [r for r in incident.steps if r.status.value == "skipped" and r.step is not Step.RESTORE]
    lines += ["", "## Follow-ups", ""]
    lines += [f"- {r.step.value} was gone past: {_md(clean(r.note))}" for r in skipped]
    if incident.swap and incident.swap.kept_as and not incident.swap.undone_at:
        lines.append(f"- Drop {_md(clean(incident.swap.kept_as))} once nobody needs it.")
    lines += ["- Find the cause, and what would have shown it earlier.", ""]
    return "\n".join(lines)


def _job(state: Path, incident: Incident) -> Progress | None:
    if incident.job is None:
        return None
    try:
        return view(state, incident.job).picture(incident.closed_at or incident.declared_at)
    except PgdrError:
        return None  # its directory was removed; the incident itself holds what matters


def _md(text: str) -> str:
    for char in "\\`*_[]<>|#":
        text = text.replace(char, "\\" + char)
    return text


def _moment(moment: datetime | None) -> str:
    return rfc3339(moment.replace(microsecond=0)) if moment else UNKNOWN


def _passed(passed: bool | None) -> str:
    return {True: "yes", False: "NO", None: "not asked"}[passed]
