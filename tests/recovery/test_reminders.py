"""What a recovery keeps is listed with the day from which it may go; it is never dropped by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.recovery.scenarios import restored
from tests.recovery.world import World, utc_now
from tui.incident.book import Book
from tui.incident.reminders import reminders
from tui.model.scenario import Scenario


def test_the_old_database_is_kept_and_its_removal_remembered(world: World) -> None:
    world.back_up()
    guide = restored(world, Scenario.DATABASE_CORRUPTION)
    guide.verify(lambda c: None)
    swap = guide.swap(world.live.name).swap
    assert swap is not None and swap.kept_as is not None
    guide.close("recovered")

    (kept,) = world.answer("kept", "shop")["kept"]
    assert kept["name"] == swap.kept_as and kept["remove_at"] is not None
    (due,) = [row for row in world.answer("due", "shop") if row["what"] == "drop what was kept"]
    assert (due["overdue"], due["due_at"]) == (False, kept["remove_at"])
    assert f"pgdr drop shop {swap.kept_as}" in due["how"]

    book = Book(world.state)  # a week later
    book.save(replace(book.load("1"), remove_at=utc_now() - timedelta(minutes=1)))
    (due,) = [row for row in world.answer("due", "shop") if row["what"] == "drop what was kept"]
    assert due["overdue"] is True
    assert swap.kept_as in world.databases()
    world.answer("drop", "shop", swap.kept_as, "--confirm", swap.kept_as)
    assert [row for row in world.answer("due", "shop") if row["what"] == "drop what was kept"] == []


def test_what_was_taken_back_is_not_reminded_of(world: World) -> None:
    world.back_up()
    guide = restored(world, Scenario.DATABASE_CORRUPTION)
    guide.verify(lambda c: None)
    guide.swap(world.live.name)
    (told,) = reminders(world.state, ("shop",))
    assert told.at - told.kept_at == timedelta(days=7) and told.operator == "ann@db1"
    assert reminders(world.state, ("kong",)) == ()
    guide.undo(world.live.name)
    assert reminders(world.state, ("shop",)) == ()
