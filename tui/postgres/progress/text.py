"""The words in which a job's progress is told. All that comes from outside is cleaned."""

from __future__ import annotations

from datetime import datetime

from tui.model.amounts import about, clock_s, count, duration, size
from tui.model.event import Item, Phase
from tui.model.incident import Sent
from tui.model.text import clean
from tui.model.verdict import RestoreError

_ACTIVITIES = {
    "TABLE DATA": "loading",
    "BLOBS": "loading",
    "INDEX": "indexing",
    "CONSTRAINT": "constraint",
    "FK CONSTRAINT": "foreign key",
    "MATERIALIZED VIEW DATA": "refreshing",
}

STRETCHES = {
    Phase.FETCH: "fetching",
    Phase.CREATE: "creating",
    Phase.ANALYZE: "analyzing",
    Phase.CHECK: "checking",
    Phase.DUMP: "dumping",
    Phase.COUNT: "counting",
    Phase.STORE: "storing",
}


def activity(item: Item) -> str:
    """Given an item, returns what a worker does with it: loading, indexing, constraint, …"""
    return _ACTIVITIES.get(item.desc) or clean(item.desc.lower(), 40)


def full_name(item: Item) -> str:
    """Given an item, returns `schema.name`."""
    if item.desc == "BLOBS":
        return "large objects"
    return clean(f"{item.schema}.{item.name}" if item.schema else item.name, 200)


def rows_of(done: int | None, expected: int | None) -> str:
    """Returns `7.9M of 12.0M rows`, or what of it is known."""
    if done is None:
        return ""
    return f"{about(done)} of {about(expected)} rows" if expected is not None else f"{about(done)} rows"


def bytes_of(done: int, total: int | None) -> str:
    """Returns `120 MB of 247 MB`, or what of it is known."""
    if not done and total is None:
        return ""
    return f"{size(done)} of {size(total)}" if total is not None else size(done)


def log_line(at: datetime, text: str) -> str:
    """A line of the log with its time in UTC: `03:25:41 creating INDEX wallets_user_id_idx`."""
    return f"{clock_s(at)} {text}"


def launched(item: Item) -> str:
    """What the log says when an item begins."""
    verb = "loading" if item.phase is Phase.DATA else "creating"
    return f"{verb} {clean(item.desc, 40)} {full_name(item)}"


def finished(item: Item, seconds: float, rows: int | None, failed: bool) -> str:
    """What the log says when an item ends."""
    known = [f"{count(rows)} rows"] if rows is not None and item.desc == "TABLE DATA" and not failed else []
    word = "FAILED" if failed else "finished"
    return f"{word} {clean(item.desc, 40)} {full_name(item)} ({', '.join([*known, duration(seconds)])})"


def told(error: RestoreError) -> str:
    """What the log says of an error."""
    word = "explained" if error.harmless else "error"
    first = clean(error.message.partition("\n")[0], 300)
    return f"{word}: {first}" + (f" [{clean(error.entry, 200)}]" if error.entry else "")


def told_channel(sent: Sent) -> str:
    """Given one message to one channel, returns what became of it."""
    outcome = f"was not told: {clean(sent.error)}" if sent.error else f"was told: {clean(sent.title)}"
    return f"{clean(sent.channel, 40)} {outcome}"
