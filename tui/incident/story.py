"""What a report says in sentences: what happened, what it cost, what was lost. Plain text, unescaped."""

from __future__ import annotations

from datetime import datetime, timedelta

from tui.incident.clocks import back_at, data_lost, targets, unavailable, writes_ended
from tui.incident.scenarios import known
from tui.model.amounts import count, in_words, limit, minute, plural
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepStatus
from tui.model.plan import Level
from tui.model.progress import Progress
from tui.model.scenario import Scenario


def utc(moment: datetime | None) -> str:
    """A moment as a report has it: to the minute, in UTC."""
    return f"{minute(moment)} UTC" if moment else "an unknown time"


def spell(span: timedelta) -> str:
    """A time that was taken or lost, in words; short ones to the second."""
    seconds = max(0, round(span.total_seconds()))
    return plural(seconds, "second") if seconds < 120 else in_words(span)


def summary(incident: Incident, fleet: Fleet, job: Progress | None) -> list[str]:
    """The incident in a few sentences, for those who read no further."""
    database = fleet.database(incident.database)
    about = f" ({database.criticality.value}, {database.environment})" if database else ""
    kind = "a drill" if incident.drill else "an incident"
    said = [
        f"On {utc(incident.declared_at)} {incident.operator} declared {kind} for the database "
        f"{incident.database}{about} of {fleet.name}."
    ]
    if incident.drill:
        said.append("Nothing live was touched, nobody was told, and nothing was paused.")
    if incident.scenario:
        why = incident.scenario_why.strip().rstrip(".")
        said.append(
            f"It was taken for: {known(incident.scenario).title.lower()}" + (f" ({why})." if why else ".")
        )
    if incident.ref:
        rows = f" with {count(job.rows)} rows" if job and job.rows else ""
        what = plural(len(incident.tables), "table") if incident.tables else "The database"
        was = "were" if len(incident.tables) > 1 else "was"
        if incident.verdict:
            said.append(
                f"{what} {was} restored{rows} from the backup {incident.ref} of {utc(incident.backup_at)}."
            )
        else:
            said.append(
                f"The backup {incident.ref} of {utc(incident.backup_at)} was picked; nothing was restored."
            )
    said.append(_outcome(incident, fleet, database))
    said += [_lost_sentence(incident, fleet, database), *_checks_sentence(incident)]
    return [sentence for sentence in said if sentence]


def _outcome(incident: Incident, fleet: Fleet, database: Database | None) -> str:
    back = back_at(incident)
    rto = targets(fleet, incident, database)[0] if database else None
    if back is not None:
        took = back - incident.declared_at
        held = f" (RTO {limit(rto)}: {'held' if took <= rto else 'MISSED'})" if rto is not None else ""
        how = _way(incident)
        return f"{how} at {utc(back)}, {spell(took)} after the declaration{held}."
    if incident.closed_at is not None:
        outcome = incident.outcome or "closed"
        return f"It ended as “{outcome}” at {utc(incident.closed_at)}; no recovered data was put into use."
    return "It is still open, and no recovered data has been put into use yet."


def _way(incident: Incident) -> str:
    if incident.drill:
        return "The rehearsed cutover was done"
    if incident.swap is not None and incident.swap.undone_at is None:
        return "The restored database took the live one's place"
    if incident.merge is not None and incident.merge.undone_at is None:
        return "What was missing was put back into the live tables"
    if incident.handed is not None:
        return "The application was given the restored database's address"
    if incident.scenario is Scenario.RESTART:
        return "It was back by itself, and the incident was closed"
    return "The recovery was closed as successful"


def _lost_sentence(incident: Incident, fleet: Fleet, database: Database | None) -> str:
    lost = data_lost(incident)
    if incident.drill and lost is not None:
        held = _held(incident, fleet, database)
        return f"In earnest at most {spell(lost)} of data would have been lost{held}."
    if lost is None or back_at(incident) is None:
        return ""
    if not lost:
        return "No data was lost."
    if incident.merge is not None and incident.merge.undone_at is None:
        return f"In the rows that were put back, changes of at most {spell(lost)} are lost; the rest stays."
    return f"At most {spell(lost)} of data was lost{_held(incident, fleet, database)}."


def _held(incident: Incident, fleet: Fleet, database: Database | None) -> str:
    lost = data_lost(incident)
    if database is None or lost is None:
        return ""
    rpo = targets(fleet, incident, database)[1]
    return f" (RPO {limit(rpo)}: {'held' if lost <= rpo else 'MISSED'})"


def _checks_sentence(incident: Incident) -> list[str]:
    verify, made = incident.record(Step.VERIFY), []
    if incident.checks:
        passed = sum(check.passed is True for check in incident.checks)
        made = [f"{passed} of {len(incident.checks)} checks of the restored data passed."]
    if verify.status is StepStatus.SKIPPED:
        what = "What had not passed" if incident.checks else "The checks of the restored data"
        made.append(f"{what} was gone past, for this reason: {verify.note.rstrip('.')}.")
    return made


def impact(incident: Incident, now: datetime) -> list[str]:
    """What was damaged, since when, and for how long it was not to be used."""
    said = [f.what for f in incident.findings if f.level in (Level.STOP, Level.WARNING)]
    if not said:
        said.append(
            "The assessment found nothing to be damaged." if incident.findings else "It was not assessed."
        )
    if incident.damaged_at:
        how = f": {incident.damaged_how.rstrip('.')}" if incident.damaged_how else ""
        said.append(f"Damaged since {utc(incident.damaged_at)}{how}.")
    else:
        said.append("Since when it was damaged is not known; the declaration is taken for it.")
    if incident.good_at and incident.good_at <= (incident.damaged_at or incident.declared_at):
        said.append(f"All was seen to be well last at {utc(incident.good_at)}.")
    end = back_at(incident)
    if incident.drill:
        return said
    until = (
        f"until {utc(end)}" if end else "and is not back" if not incident.closed_at else "until it was closed"
    )
    since = min(incident.damaged_at or incident.declared_at, incident.declared_at)
    said.append(f"Not fully usable from {utc(since)} {until}: {spell(unavailable(incident, now))}.")
    return said


def lost(incident: Incident, fleet: Fleet) -> list[str]:
    """What was lost: from when to when, how many rows as far as known, and where it may still be."""
    span = data_lost(incident)
    if span is None or incident.backup_at is None:
        return ["Nothing was restored, so no data was given up." if span is None else "None."]
    database = fleet.database(incident.database)
    ended = writes_ended(incident)
    verb = "would have been" if incident.drill else "is"
    said = [
        f"What was written between {utc(incident.backup_at)} (the backup) and {utc(ended)}, "
        f"{spell(span)} at most, {verb} not in the restored data{_held(incident, fleet, database)}."
    ]
    if incident.merge is not None and incident.merge.undone_at is None:
        tables = incident.merge.tables
        put = sum(t.inserted + t.updated for t in tables)
        said = [
            f"{plural(put, 'row')} of {plural(len(tables), 'table')} were put back as they were at "
            f"{utc(incident.backup_at)}; what was changed in them after that is lost. All other rows stayed."
        ]
    counted = ((c, c.found, c.expected) for c in incident.counts)
    newer = [(c, now - before) for c, now, before in counted if now is not None and before and now > before]
    if newer and incident.merge is None:
        rows = ", ".join(f"{c.schema}.{c.name} {count(more)}" for c, more in newer[:12])
        more = f" and {len(newer) - 12} tables more" if len(newer) > 12 else ""
        said.append(f"At least this many rows were newer than the last manifest: {rows}{more}.")
    elif incident.merge is None and not incident.drill:
        said.append("How many rows that are is not known.")
    if incident.swap and incident.swap.kept_as and not incident.swap.undone_at:
        said.append(
            f"What the old database held is still in {incident.swap.kept_as}: pgdr compare shows what is "
            "newer there, pgdr merge puts rows back."
        )
    return said


def times(incident: Incident, fleet: Fleet) -> list[tuple[str, str]]:
    """The moments and spans that are asked for first, by name."""
    database = fleet.database(incident.database)
    rto, rpo = targets(fleet, incident, database) if database else (None, None)
    back, span = back_at(incident), data_lost(incident)

    def fine(value: timedelta | None) -> str:
        return spell(value) if value is not None else "–"

    return [
        ("Damaged since", utc(incident.damaged_at) if incident.damaged_at else "not known"),
        ("Declared", f"{utc(incident.declared_at)} by {incident.operator}"),
        ("Back in use", utc(back) if back else "–"),
        ("Closed", utc(incident.closed_at) if incident.closed_at else "still open"),
        ("Recovered after", f"{fine(back - incident.declared_at if back else None)} (RTO {limit(rto)})"),
        ("Data lost at most", f"{fine(span)} (RPO {limit(rpo)})"),
    ]
