"""The messages of a recovery, written from facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from tui.model.amounts import in_words, minute
from tui.model.text import rfc3339
from tui.notify.message import Message

_UNKNOWN = "unknown"


def declared(
    fleet: str, database: str, operator: str, eta: timedelta | None, last_backup: datetime | None
) -> Message:
    """A recovery has begun: how long it should take from now, and up to when the data will be there."""
    return Message(
        title=f"DR INITIATED: {fleet}",
        text=f"Database recovery in progress. ETA: {_span(eta)}. Last backup: {_moment(last_backup)}. "
        f"Database: {database}. Operator: {operator}.",
        fields=_fields("initiated", fleet, database, operator, last_backup) | {"eta": _span(eta)},
    )


def ready(fleet: str, database: str, operator: str, data_until: datetime | None, checks: str) -> Message:
    """The restored database is there and was checked (`checks`: "14 of 14 passed"), not yet in use."""
    return Message(
        title=f"DR READY: {fleet}",
        text=f"The database is restored and about to be put in place. Checks: {checks}. "
        f"Data up to: {_moment(data_until)}. Database: {database}. Operator: {operator}.",
        priority="high",
        tags=("hourglass_flowing_sand",),
        fields=_fields("ready", fleet, database, operator, data_until) | {"checks": checks},
    )


def resolved(
    fleet: str, database: str, operator: str, took: timedelta, data_until: datetime | None
) -> Message:
    """The service is back: how long it took, and from when data must be entered again."""
    return Message(
        title=f"DR RESOLVED: {fleet}",
        text=f"Database recovery complete after {in_words(took)}. Data up to: {_moment(data_until)}; "
        f"what was entered later is not in it. Database: {database}. Operator: {operator}.",
        priority="default",
        tags=("white_check_mark",),
        fields=_fields("resolved", fleet, database, operator, data_until) | {"took": in_words(took)},
    )


def _fields(
    event: str, fleet: str, database: str, operator: str, backup: datetime | None
) -> dict[str, str | None]:
    return {
        "event": event,
        "fleet": fleet,
        "database": database,
        "operator": operator,
        "last_backup": rfc3339(backup) if backup else None,
    }


def _span(span: timedelta | None) -> str:
    return _UNKNOWN if span is None else in_words(span)


def _moment(moment: datetime | None) -> str:
    return f"{minute(moment)} UTC" if moment else _UNKNOWN


def backup_failed(fleet: str, failures: Mapping[str, str], operator: str) -> Message:
    """Backups failed: of what, each with a sentence of why."""
    return Message(
        title=f"BACKUP FAILED: {fleet}",
        text="\n".join(f"{name}: {why}" for name, why in failures.items()) + f"\nTaken by: {operator}.",
        priority="high",
        tags=("warning", "backup"),
        fields={
            "event": "backup_failed",
            "fleet": fleet,
            "databases": ", ".join(failures),
            "operator": operator,
        },
    )


def backup_late(fleet: str, late: Mapping[str, str]) -> Message:
    """The RPO of databases is breached, each with a sentence of how: were they lost now, more than may be
    lost would be."""
    return Message(
        title=f"BACKUP LATE: {fleet}",
        text="\n".join(f"{name}: {why}" for name, why in late.items()),
        priority="high",
        tags=("hourglass", "backup"),
        fields={"event": "backup_late", "fleet": fleet, "databases": ", ".join(late)},
    )
