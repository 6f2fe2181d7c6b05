"""The report of an incident: what happened, when, what was lost, what was run, what was checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tui.files import write_whole
from tui.incident import report_sections as sections
from tui.incident import story
from tui.incident.book import Book
from tui.incident.clocks import back_at, data_lost, targets, unavailable, writes_ended
from tui.incident.follow_ups import follow_ups
from tui.incident.markdown import md
from tui.incident.scenarios import known
from tui.jobs.watch import view
from tui.model import codec
from tui.model.errors import PgdrError
from tui.model.fleet import Fleet
from tui.model.incident import Incident
from tui.model.paused import Paused
from tui.model.progress import Progress
from tui.operations.pause.paused import paused

__all__ = ["as_json", "data_lost", "load", "markdown", "recovery_time", "write"]


def write(book: Book, state: Path, incident: Incident, fleet: Fleet) -> Path:
    """Writes the report as Markdown beside the incident and returns its path."""
    path = book.report_path(incident.id)
    write_whole(path, load(state, incident, fleet))
    return path


def load(state: Path, incident: Incident, fleet: Fleet) -> str:
    """The report as Markdown, made from what is on disk now."""
    return markdown(incident, fleet, _job(state, incident), paused(state))


def as_json(state: Path, incident: Incident, fleet: Fleet) -> dict[str, Any]:
    """The report as plain data: the incident's fields, the times that matter, the job's outcome, and the
    sentences that the Markdown has."""
    job, now = _job(state, incident), _until(incident)
    document: dict[str, Any] = codec.plain(incident)
    rto, lost = recovery_time(incident), data_lost(incident)
    database = fleet.database(incident.database)
    promised = targets(fleet, incident, database) if database else (None, None)
    back = back_at(incident)
    document.update(
        rto_s=_seconds(rto),
        rpo_s=_seconds(lost),
        rto_target_s=_seconds(promised[0]),
        rpo_target_s=_seconds(promised[1]),
        errors=[codec.plain(e) for e in job.errors] if job else [],
        scenario_title=known(incident.scenario).title if incident.scenario else None,
        summary=story.summary(incident, fleet, job),
        impact=story.impact(incident, now),
        back_at=codec.plain(back) if back else None,
        unavailable_s=None if incident.drill else _seconds(unavailable(incident, now)),
        data_lost={
            "after": codec.plain(incident.backup_at) if incident.backup_at else None,
            "until": codec.plain(writes_ended(incident)) if incident.backup_at else None,
            "seconds": _seconds(lost),
            "what": story.lost(incident, fleet),
        },
        commands=[
            {"at": codec.plain(e.at), "operator": e.operator, "command": sections.redacted(e.text)}
            for e in incident.timeline
            if e.kind == "command"
        ],
        follow_ups=follow_ups(incident, fleet, job, paused(state)),
    )
    return document


def recovery_time(incident: Incident) -> timedelta | None:
    """From the declaration until the recovered data was in use, None before that."""
    ended = back_at(incident)
    return ended - incident.declared_at if ended else None


def markdown(incident: Incident, fleet: Fleet, job: Progress | None, held: Paused | None = None) -> str:
    """Given an incident, its fleet, its restore's job and what is still paused, returns the report."""
    kind = "Drill" if incident.drill else "Incident"
    restored = incident.verdict.value if incident.verdict else "none"
    lines = [
        f"# {kind} {incident.id}: {md(incident.database)}",
        "",
        *(["**DRILL: a rehearsal. Nothing live was touched.**", ""] if incident.drill else []),
        *_section("Summary", _paragraph(story.summary(incident, fleet, job))),
        *_section(
            "At a glance",
            [
                f"- Fleet: {md(fleet.name)}",
                *(f"- {name}: {md(value)}" for name, value in story.times(incident, fleet)),
                f"- Outcome: {md(incident.outcome or 'still open')}",
                f"- Backup used: {md(incident.ref or 'none')}"
                + (f", taken {story.utc(incident.backup_at)}" if incident.backup_at else ""),
                f"- Restore: {restored}",
                *(f"- Driven at last by: {md(who)}" for who in [incident.driver] if who),
            ],
        ),
        *_section("Impact", _bullets(story.impact(incident, _until(incident))) + sections.counts(incident)),
        *_section("Data lost", _bullets(story.lost(incident, fleet))),
        *_section("Steps", sections.steps(incident)),
        *_section("Services and writes held back", sections.held_back(incident.timeline)),
        *_section("What was run", sections.commands(incident)),
        *_section("Checks of the restored database", sections.checks(incident)),
        *_section("What pg_restore complained of", sections.errors(job)),
        *_section("What differs", sections.differences(incident)),
        *_section("How it was put into use", sections.ending(incident)),
        *_section("Who was told", sections.messages(incident.sent)),
        *_section("Hand-overs", sections.hand_overs(incident.timeline)),
        *_section("Timeline", sections.timeline(incident)),
        *_section(
            "Follow-ups", [f"- [ ] {md(said)}" for said in follow_ups(incident, fleet, job, held or Paused())]
        ),
    ]
    return "\n".join(lines)


def _section(title: str, lines: list[str]) -> list[str]:
    """A section, or nothing where there is nothing to say."""
    while lines and not lines[0]:
        lines = lines[1:]
    return [f"## {title}", "", *lines, ""] if lines else []


def _paragraph(sentences: list[str]) -> list[str]:
    return [md(" ".join(sentences))]


def _bullets(sentences: list[str]) -> list[str]:
    return [f"- {md(sentence)}" for sentence in sentences]


def _job(state: Path, incident: Incident) -> Progress | None:
    if incident.job is None:
        return None
    try:
        return view(state, incident.job).picture(_until(incident))
    except PgdrError:
        return None  # its directory was removed; the incident itself holds what matters


def _until(incident: Incident) -> datetime:
    """The moment that the report speaks of: the end, or the last thing that happened."""
    return incident.closed_at or max((e.at for e in incident.timeline), default=incident.declared_at)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
