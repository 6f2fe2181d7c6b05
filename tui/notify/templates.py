"""The messages of a recovery, written from facts, in this program's words or in the fleet's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tui.model.text import clean, clean_lines
from tui.model.wording import Occasion, Wording, fill
from tui.notify.facts import Facts
from tui.notify.message import Message


@dataclass(frozen=True, slots=True)
class _Own:
    """This program's own words for an occasion, and how loud they are. `event` is the occasion's name for
    programs; priority and tags that are None are the channel's own: those of a disaster."""

    event: str
    title: str
    text: str
    priority: str | None = None
    tags: tuple[str, ...] = ()
    closes: bool = False


_WHO = " Database: {database}. Operator: {operator}."
_OWN: Mapping[Occasion, _Own] = {
    Occasion.DECLARED: _Own(
        "initiated",
        "🔴 DR INITIATED: {fleet}",
        "Database recovery in progress. ETA: {eta}. Last backup: {last_backup}." + _WHO,
    ),
    Occasion.PROGRESS: _Own(
        "progress",
        "🟠 DR IN PROGRESS: {fleet}",
        "Database recovery is at: {step}. Restored: {progress}. Should be ready: {ready_at}; it must be by "
        "{deadline}." + _WHO,
        "default",
        ("hourglass_flowing_sand",),
    ),
    Occasion.DELAYED: _Own(
        "delayed",
        "🔴 DR DELAYED: {fleet}",
        "Database recovery takes longer than planned. Should be ready: {ready_at}; it had to be by "
        "{deadline}. Restored: {progress}." + _WHO,
        "high",
        ("warning",),
    ),
    Occasion.READY: _Own(
        "ready",
        "🟡 DR READY: {fleet}",
        "The database is restored and about to be put in place. Checks: {checks}. Data up to: {last_backup}."
        + _WHO,
        "high",
        ("hourglass_flowing_sand",),
    ),
    Occasion.RESOLVED: _Own(
        "resolved",
        "🟢 DR RESOLVED: {fleet}",
        "Database recovery complete after {took}. Data lost: {data_lost}." + _WHO,
        "default",
        ("white_check_mark",),
        closes=True,
    ),
    Occasion.STOOD_DOWN: _Own(
        "stood_down",
        "⚪ DR STOOD DOWN: {fleet}",
        "Database recovery was stood down after {elapsed}. {reason}" + _WHO,
        "default",
        ("white_check_mark",),
        closes=True,
    ),
}
DRILL = "DRILL"


def draft(occasion: Occasion, facts: Facts, wordings: Iterable[Wording] = ()) -> Message:
    """Given what is to be told, the facts, and the fleet's own wordings, returns the message. In a drill
    its title and text begin with DRILL, whatever the wording."""
    own = _OWN[occasion]
    said = next((w for w in wordings if w.occasion is occasion), Wording(occasion))
    words = facts.words()
    title = " ".join(fill(said.title or own.title, words).split())
    text = "\n".join(line.rstrip() for line in fill(said.text or own.text, words).splitlines())
    text = text.replace("  ", " ") if said.text is None else text
    if facts.drill:
        title, text = f"{DRILL}: {title}", f"{DRILL}, nothing has happened. {text}"
    return Message(
        title=clean(title),
        text=clean_lines(text),
        priority=own.priority,
        tags=own.tags,
        fields=facts.fields(own.event),
        thread=facts.thread,
        closes=own.closes,
    )


def trial(fleet: str, operator: str) -> Message:
    """A message that says that it is only a trial of the channel."""
    return Message(
        title=f"TEST: {clean(fleet)}",
        text=f"A test by {clean(operator)}: nothing has happened. In a disaster you would be told here.",
        priority="default",
        tags=("test_tube",),
        fields={"event": "test", "fleet": clean(fleet), "operator": clean(operator)},
    )


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
