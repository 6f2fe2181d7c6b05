"""The book: an incident is on disk as it is, whatever is in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tui.incident.book import Book
from tui.model.backup import Verdict
from tui.model.errors import UsageError
from tui.model.incident import Incident, Sent, Step, StepRecord, StepStatus, Swap, TableCount, TimelineEntry
from tui.model.plan import Finding, Level
from tui.model.verdict import Check

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)


def full(incident: Incident) -> Incident:
    hostile = "\x1b[31m'\"; DROP\n| `x` \u202e"
    return replace(
        incident,
        steps=tuple(StepRecord(s, StepStatus.DONE, NOW, NOW + timedelta(minutes=1), hostile) for s in Step),
        findings=(Finding(Level.STOP, hostile, hostile, None),),
        counts=(TableCount("public", hostile, 10, None),),
        ref="local:x.dump",
        backup_at=NOW,
        verdict=Verdict.EXPLAINED,
        checks=(Check(hostile, None, "1", "2"),),
        sent=(Sent(NOW, "ntfy", "t", hostile),),
        swap=Swap("x", "x", "y", None, NOW, 0.002, "me"),
        timeline=(TimelineEntry(NOW, "me", "command", hostile),),
    )


def test_an_incident_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    book = Book(tmp_path)
    incident = full(book.declare("shop", "ann", NOW))
    book.save(incident)
    assert Book(tmp_path).load(incident.id) == incident


def test_two_who_declare_at_once_get_two_numbers(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        declared = list(pool.map(lambda _: Book(tmp_path).declare("shop", "ann", NOW).id, range(16)))
    assert sorted(map(int, declared)) == list(range(1, 17))


def test_an_unclosed_one_is_offered_and_a_closed_one_is_not(tmp_path: Path) -> None:
    book = Book(tmp_path)
    first, second = book.declare("a", "ann", NOW), book.declare("b", "ann", NOW)
    book.save(replace(first, closed_at=NOW, outcome="recovered"))
    assert [i.id for i in book.open_ones()] == [second.id]


@pytest.mark.parametrize("wrong", ["9", "..", "1/../1", "", "x"])
def test_an_unknown_one_is_a_usage_error_that_names_the_known(tmp_path: Path, wrong: str) -> None:
    book = Book(tmp_path)
    book.declare("a", "ann", NOW)
    with pytest.raises(UsageError) as error:
        book.load(wrong)
    assert error.value.mend == "The newest: 1."


def test_a_damaged_one_hides_no_other(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.declare("a", "ann", NOW)
    damaged = book.declare("b", "ann", NOW)
    (tmp_path / "incidents" / f"{damaged.id}.toml").write_text("steps = [")
    assert [i.database for i in book.all()] == ["a"]


def test_the_current_step_is_the_first_that_is_open(tmp_path: Path) -> None:
    incident = Book(tmp_path).declare("a", "ann", NOW)
    assert incident.current is Step.ASSESS
    done = tuple(
        StepRecord(r.step, StepStatus.DONE if r.step in (Step.ASSESS, Step.PICK) else r.status)
        for r in incident.steps
    )
    assert replace(incident, steps=done).current is Step.NOTIFY
