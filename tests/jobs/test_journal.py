"""Journals: what was written is read again, whatever happened to the writer."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tui.jobs.journal import Journal, read
from tui.model import codec
from tui.model.event import Entry, Event, Item, ItemsListed, JobEnded, JobState, LogLine, Phase

NOW = datetime(2026, 11, 21, 3, 10, 0, 123456, timezone.utc)


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", lambda: NOW)
    item = Item(7, "TABLE DATA", "public", 'we"ird\nname', Phase.DATA, rows=3)
    events: list[Event] = [ItemsListed((item,), 1.0, 2.0), LogLine("x"), JobEnded(JobState.DONE, None, 1.5)]
    for event in events:
        journal.append(event)
    journal.close()
    entries, _ = read(tmp_path / "journal.jsonl")
    assert entries == [Entry(NOW, event) for event in events]


def test_a_torn_last_line_waits_and_a_foreign_one_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first, last = (codec.entry_line(Entry(NOW, LogLine(t))) for t in ("first", "last"))
    path.write_text(
        first + '{"event": {"event": "OfTheFuture"}, "at": "2026-01-01T00:00:00Z"}\nrubbish\n' + last[:9]
    )
    entries, offset = read(path)
    assert [e.event for e in entries] == [LogLine("first")]
    with path.open("a") as file:
        file.write(last[9:])
    entries, _ = read(path, offset)
    assert [e.event for e in entries] == [LogLine("last")]


def test_a_journal_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == ([], 0)


@given(st.text())
def test_any_text_survives(text: str) -> None:
    entry = Entry(NOW, LogLine(text.encode("utf-8", "replace").decode()))
    line = codec.entry_line(entry)
    assert line.count("\n") == 1
    assert codec.entry_of(line) == entry


def test_a_long_journal_is_read_in_portions(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    texts = [f"line {number} " + "x" * (number % 7 * 40) for number in range(200)]
    path.write_text("".join(codec.entry_line(Entry(NOW, LogLine(text))) for text in texts))
    seen: list[Event] = []
    offset, portions = 0, 0
    while True:
        # less than the longest line: what is one entry is read whole all the same
        entries, after = read(path, offset, 150)
        if after == offset:
            break
        seen += [entry.event for entry in entries]
        offset, portions = after, portions + 1
    assert seen == [LogLine(text) for text in texts] and portions > 50
