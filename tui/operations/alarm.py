"""Telling the fleet's channels what nobody watched: a backup that failed, or that is late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.model.fleet import Fleet
from tui.model.incident import Sent
from tui.model.text import clean
from tui.notify.send import send_all
from tui.notify.templates import backup_failed as failed_message
from tui.notify.templates import backup_late as late_message
from tui.operations.report import Clock
from tui.operations.verify.due import Lateness


def backup_failed(fleet: Fleet, failures: Mapping[str, str], operator: str, now: Clock) -> tuple[Sent, ...]:
    """Given what could not be backed up (databases, components) and a sentence of why for each, tells every
    channel in one message; returns what became of it. Raises nothing: an alarm must not hide its cause."""
    told = {clean(name, 80): clean(why, 300) for name, why in failures.items()}
    return send_all(fleet.channels, failed_message(fleet.name, told, operator), now) if told else ()


def late(fleet: Fleet, breached: Sequence[Lateness], now: Clock) -> tuple[Sent, ...]:
    """Given the databases whose RPO is breached, tells every channel in one message, as above."""
    told = {clean(b.database, 80): clean(b.why, 300) for b in breached}
    return send_all(fleet.channels, late_message(fleet.name, told), now) if told else ()
