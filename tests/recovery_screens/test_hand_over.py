"""An incident that two engineers have open: what one does the other sees in seconds; one key hands it over.

The other engineer is a guide of its own, which is all that another app is to this one: two apps can't share a
process, as Textual knows one app at a time.
"""

from __future__ import annotations

from tests.recovery.world import World, utc_now
from tests.recovery_screens.seen import text_of, until
from tui.app import PgdrApp
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.model.incident import Step
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.screen import RecoveryScreen


def other(world: World, operator: str) -> Guide:
    """The first incident in the hands of another engineer."""
    book = Book(world.state)
    return Guide(world.fleet, world.state, book, book.load("1"), operator, utc_now)


def picked(world: World, guide: Guide) -> None:
    """Picks the advised backup."""
    guide.pick(next(c for c in guide.candidates()[0] if c.advised))


async def test_who_is_overtaken_sees_it_and_can_change_nothing_until_taking_it_back(world: World) -> None:
    world.back_up()
    Book(world.state).declare("shop", "ann@db1", utc_now())
    ann = PgdrApp(world.fleet, world.state, operator="ann@db1", incident="1")
    async with ann.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(ann.screen, RecoveryScreen) and "1✔" in text_of(pilot))
        assert "drives" not in text_of(pilot)
        bob = other(world, "bob@db2")
        bob.take_over()
        await until(pilot, lambda: "bob@db2 drives since" in text_of(pilot))
        assert "T takes it over" in text_of(pilot)
        await pilot.press("2")
        await until(pilot, lambda: "ADVISED" in text_of(pilot))
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert Book(world.state).load("1").ref is None
        picked(world, bob)  # and she sees it
        await until(pilot, lambda: "2✔" in text_of(pilot))
        await pilot.press("T")
        await until(
            pilot, lambda: "Take the incident over" in text_of(pilot) and "bob@db2, since" in text_of(pilot)
        )
        await pilot.press("enter")  # Cancel has the focus
        await until(pilot, lambda: isinstance(ann.screen, RecoveryScreen))
        assert Book(world.state).load("1").driving == "bob@db2"
        await pilot.press("T")
        await until(pilot, lambda: isinstance(ann.screen, ConfirmScreen))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "you watch" not in text_of(pilot))
    again = Book(world.state).load("1")
    assert again.driving == "ann@db1" and again.current is Step.NOTIFY
    assert [e.text for e in again.timeline if e.text.startswith("Took")] == [
        "Took over from ann@db1.",
        "Took over from bob@db2.",
    ]
    (listed,) = world.answer("incidents")
    assert listed["driver"] == "ann@db1" and listed["driver_since"]


async def test_a_second_engineer_watches_then_drives(world: World) -> None:
    world.back_up()
    Book(world.state).declare("shop", "ann@db1", utc_now())
    ann = other(world, "ann@db1")
    bob = PgdrApp(world.fleet, world.state, operator="bob@db2", incident="1")
    async with bob.run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: "ann@db1 drives, you watch" in text_of(pilot))
        assert "1✔" not in text_of(pilot)  # a watcher's app begins nothing by itself
        ann.assess(lambda finding: None)
        await until(pilot, lambda: "1✔" in text_of(pilot))
        picked(world, ann)
        await until(pilot, lambda: "2✔" in text_of(pilot))
        await pilot.press("T")
        await until(pilot, lambda: isinstance(bob.screen, ConfirmScreen))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "you watch" not in text_of(pilot))
        await pilot.press("4")
        await until(pilot, lambda: "restore…" in text_of(pilot))
    assert Book(world.state).load("1").target is not None and ann.look_again().driving != "ann@db1"


async def test_a_read_only_app_watches_and_takes_nothing_over(world: World) -> None:
    Book(world.state).declare("shop", "ann@db1", utc_now())
    app = PgdrApp(world.fleet, world.state, True, operator="bob@db2", incident="1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ann@db1 drives, you watch" in text_of(pilot))
        await pilot.press("T")
        await pilot.pause(0.2)
        assert isinstance(app.screen, RecoveryScreen)
