"""The words in which a job's progress is told. All that comes from outside is cleaned."""

from __future__ import annotations

from datetime import datetime, timezone

from tui.model.event import Item, Phase
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
    return f"{count(done)} of {count(expected)} rows" if expected is not None else f"{count(done)} rows"


def bytes_of(done: int, total: int | None) -> str:
    """Returns `120 MB of 247 MB`, or what of it is known."""
    if not done and total is None:
        return ""
    return f"{size(done)} of {size(total)}" if total is not None else size(done)


def count(number: int) -> str:
    """Given a count, returns it in at most six characters: `9,999`, `812k`, `7.9M`, `12.0M`."""
    if number < 10_000:
        return f"{number:,}"
    for unit, one in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
        if number < one * 999.5 or unit == "G":
            return f"{number / one:.0f}{unit}" if unit == "k" else f"{number / one:.1f}{unit}"
    raise AssertionError("the last unit takes every number")


def size(number: int) -> str:
    """Given bytes, returns them in decimal units: `512 B`, `71 MB`, `2.1 GB`."""
    for unit, one in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= one * 0.9995:
            return f"{number / one:.1f} {unit}" if number < one * 9.95 else f"{number / one:.0f} {unit}"
    return f"{number} B"


def duration(seconds: float) -> str:
    """Given seconds, returns `0.4s`, `12s`, `1m 12s`, `2h 05m`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def log_line(at: datetime, text: str) -> str:
    """A line of the log with its time in UTC: `03:25:41 creating INDEX wallets_user_id_idx`."""
    return f"{at.astimezone(timezone.utc):%H:%M:%S} {text}"


def launched(item: Item) -> str:
    """What the log says when an item begins."""
    verb = "loading" if item.phase is Phase.DATA else "creating"
    return f"{verb} {clean(item.desc, 40)} {full_name(item)}"


def finished(item: Item, seconds: float, rows: int | None, failed: bool) -> str:
    """What the log says when an item ends."""
    known = [f"{rows:,} rows"] if rows is not None and item.desc == "TABLE DATA" and not failed else []
    word = "FAILED" if failed else "finished"
    return f"{word} {clean(item.desc, 40)} {full_name(item)} ({', '.join([*known, duration(seconds)])})"


def told(error: RestoreError) -> str:
    """What the log says of an error."""
    word = "explained" if error.harmless else "error"
    first = clean(error.message.partition("\n")[0], 300)
    return f"{word}: {first}" + (f" [{clean(error.entry, 200)}]" if error.entry else "")
