"""Two engineers on one incident, each with an app of their own: nobody's change is lost."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.recovery_screens.scripted import PLAN
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.model.errors import Refused
from tui.model.fleet import Database, Fleet
from tui.model.incident import Step, StepStatus, TimelineEntry

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)
EACH = 15


def guide(state: Path, operator: str) -> Guide:
    """A guide of the first incident, as another app would make it."""
    fleet = Fleet("small", source=state / "pgdr.toml", databases=(Database("shop", "shop", "web"),))
    return Guide(fleet, state, Book(state), Book(state).load("1"), operator, lambda: NOW)


def work(state: Path, operator: str) -> None:
    """Makes decisions that land in the timeline."""
    mine = guide(state, operator)
    for number in range(EACH):
        mine.skip(Step.NOTIFY if number % 2 else Step.ASSESS, f"{operator} {number}")


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
    after = bob.skip(Step.NOTIFY, "told by telephone")
    assert [after.record(step).status for step in (Step.ASSESS, Step.NOTIFY)] == [StepStatus.SKIPPED] * 2
    assert ann.incident.record(Step.NOTIFY).status is StepStatus.PENDING
    assert ann.look_again() == after


def test_a_plan_that_the_other_has_overtaken_is_not_carried_out(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.declare("shop", "ann", NOW)
    bob = guide(tmp_path, "bob")
    plan = replace(PLAN, findings=())
    book.change("1", lambda now: replace(now, ref="offsite:another.dump", target=plan.target))
    with pytest.raises(Refused, match="Another engineer has changed"):
        bob.start_restore("shop", plan)
    assert book.load("1").job is None and len(book.load("1").timeline) == 1


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
