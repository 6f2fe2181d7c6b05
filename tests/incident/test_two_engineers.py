"""Two engineers on one incident, each with an app of their own: one drives, the other watches until taking
over, and nobody's change is lost."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.recovery_screens.answers import PLAN
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.incident.work import acting
from tui.model.errors import Refused
from tui.model.fleet import Database, Fleet
from tui.model.incident import Step, StepStatus, TimelineEntry
from tui.notify.message import Message

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)
EACH = 15


def guide(state: Path, operator: str) -> Guide:
    """A guide of the first incident, as another app would make it."""
    fleet = Fleet("small", source=state / "pgdr.toml", databases=(Database("shop", "shop", "web"),))
    return Guide(fleet, state, Book(state), Book(state).load("1"), operator, lambda: NOW)


def work(state: Path, terminal: str) -> None:
    """Makes decisions that land in the timeline, as one engineer does at several terminals."""
    mine = guide(state, "ann")
    for number in range(EACH):
        mine.skip(Step.NOTIFY if number % 2 else Step.ASSESS, f"{terminal} {number}")


def snatch(state: Path, operator: str) -> None:
    """Takes over again and again, and decides something each time when nobody was quicker."""
    mine = guide(state, operator)
    for number in range(EACH):
        mine.take_over()
        with suppress(Refused):
            mine.skip(Step.NOTIFY, f"{operator} {number}")


def reasons(state: Path) -> list[str]:
    return [entry.text.rpartition(": ")[2] for entry in Book(state).load("1").timeline[1:]]


def test_threads_lose_no_entry(tmp_path: Path) -> None:
    Book(tmp_path).declare("shop", "ann", NOW)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda operator: work(tmp_path, operator), ("ann", "bob", "eve")))
    assert sorted(reasons(tmp_path)) == sorted(
        f"{who} {n}" for who in ("ann", "bob", "eve") for n in range(EACH)
    )


def test_processes_lose_no_entry(tmp_path: Path) -> None:
    Book(tmp_path).declare("shop", "ann", NOW)
    context = multiprocessing.get_context("spawn")
    apps = [context.Process(target=work, args=(tmp_path, operator)) for operator in ("ann", "bob")]
    for app in apps:
        app.start()
    for app in apps:
        app.join(60)
        assert app.exitcode == 0
    found = reasons(tmp_path)
    assert sorted(found) == sorted(f"{who} {n}" for who in ("ann", "bob") for n in range(EACH))
    assert [r for r in found if r.startswith("ann")] == [f"ann {n}" for n in range(EACH)]  # in their order


def test_a_step_that_one_ends_stays_ended_when_the_other_ends_another(tmp_path: Path) -> None:
    Book(tmp_path).declare("shop", "ann", NOW)
    ann, bob = guide(tmp_path, "ann"), guide(tmp_path, "bob")
    ann.skip(Step.ASSESS, "seen already")
    bob.take_over()
    after = bob.skip(Step.NOTIFY, "told by telephone")
    assert [after.record(step).status for step in (Step.ASSESS, Step.NOTIFY)] == [StepStatus.SKIPPED] * 2
    assert ann.incident.record(Step.NOTIFY).status is StepStatus.PENDING
    assert ann.look_again() == after


def test_a_plan_that_the_other_has_overtaken_is_not_carried_out(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.declare("shop", "ann", NOW)
    bob = guide(tmp_path, "bob")
    bob.take_over()
    plan = replace(PLAN, findings=())
    book.change("1", lambda now: replace(now, ref="offsite:another.dump", target=plan.target))
    with pytest.raises(Refused, match="Another engineer has changed"):
        bob.start_restore("shop", plan)
    assert book.load("1").job is None and len(book.load("1").timeline) == 2  # declared, taken over


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path)
    before = book.declare("shop", "ann", NOW)

    def fails(now: object) -> object:
        raise Refused("no")

    with pytest.raises(Refused):
        book.change("1", fails)  # type: ignore[arg-type]
    entry = TimelineEntry(NOW, "ann", "fact", "it goes on")
    after = book.change("1", lambda now: replace(now, timeline=(*now.timeline, entry)))
    assert after == replace(before, timeline=(*before.timeline, entry)) == book.load("1")


def test_only_who_drives_changes_anything_until_it_is_handed_over_and_back(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.declare("shop", "ann", NOW)
    ann, bob = guide(tmp_path, "ann"), guide(tmp_path, "bob")
    assert ann.drives and not bob.drives
    with pytest.raises(Refused, match="ann drives incident 1"):
        bob.skip(Step.ASSESS, "seen already")
    with pytest.raises(Refused):
        bob.close("stood down")
    assert len(book.load("1").timeline) == 1 and book.load("1").closed_at is None
    taken = bob.take_over()
    assert (taken.driving, taken.driver_since, taken.operator) == ("bob", NOW, "ann")
    bob.skip(Step.ASSESS, "seen already")
    assert ann.drives  # as far as ann has read; what counts is what is on disk:
    changes: list[Callable[[], object]] = [
        lambda: ann.skip(Step.NOTIFY, "told"),
        lambda: ann.close("recovered"),
        lambda: ann.swap("shop"),
        lambda: ann.undo("shop"),
        lambda: ann.cancel_restore(keep=False),
        lambda: ann.restore_again(),
        lambda: ann.notify(Message("t", "x")),
    ]
    for change in changes:
        with pytest.raises(Refused, match="bob drives incident 1 since 2026-11-21T03:10:00Z"):
            change()
    assert not ann.look_again().closed_at and not ann.drives
    assert ann.take_over().driving == "ann"
    ann.skip(Step.NOTIFY, "told by telephone")
    with pytest.raises(Refused, match="ann drives"):
        bob.skip(Step.NOTIFY, "too late")
    told = [(e.operator, e.text) for e in book.load("1").timeline[1:]]
    assert told == [
        ("bob", "Took over from ann."),
        ("bob", "Went past assess: seen already"),
        ("ann", "Took over from bob."),
        ("ann", "Went past notify: told by telephone"),
    ]
    assert ann.take_over() == book.load("1") and len(book.load("1").timeline) == 5  # nothing to take


def test_who_takes_over_in_the_middle_of_an_act_finds_it_written_down(tmp_path: Path) -> None:
    Book(tmp_path).declare("shop", "ann", NOW)
    bob = guide(tmp_path, "bob")

    @acting
    def act(mine: Guide) -> None:
        bob.take_over()  # as happens while ann's act is at work outside
        mine.skip(Step.NOTIFY, "it was done")

    ann = guide(tmp_path, "ann")
    act(ann)
    assert [e.text for e in bob.look_again().timeline[1:]] == [
        "Took over from ann.",
        "Went past notify: it was done",
    ]
    with pytest.raises(Refused, match="bob drives"):
        act(ann)


def test_a_closed_one_is_taken_over_by_nobody(tmp_path: Path) -> None:
    Book(tmp_path).declare("shop", "ann", NOW)
    guide(tmp_path, "ann").close("stood down")
    with pytest.raises(Refused, match="is closed"):
        guide(tmp_path, "bob").take_over()


def test_two_who_snatch_it_from_one_another_never_write_while_the_other_drives(tmp_path: Path) -> None:
    Book(tmp_path).declare("shop", "ann", NOW)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda operator: snatch(tmp_path, operator), ("ann", "bob")))
    driver = "ann"
    for entry in Book(tmp_path).load("1").timeline[1:]:
        if entry.text.startswith("Took over"):
            assert entry.text == f"Took over from {driver}."
            driver = entry.operator
        else:
            assert entry.operator == driver
