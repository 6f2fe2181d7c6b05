"""Two apps on one incident: what one does the other sees in seconds; it is handed over with one key."""

from __future__ import annotations

from tests.recovery.world import World, utc_now
from tests.recovery_screens.seen import text_of, until
from tui.app import PgdrApp
from tui.incident.book import Book
from tui.model.incident import Step
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.screen import RecoveryScreen


async def test_an_incident_is_handed_over_and_taken_back(world: World) -> None:
    world.back_up()
    Book(world.state).declare("shop", "ann@db1", utc_now())
    ann = PgdrApp(world.fleet, world.state, operator="ann@db1", incident="1")
    bob = PgdrApp(world.fleet, world.state, operator="bob@db2", incident="1")
    async with ann.run_test(size=(80, 24)) as hers, bob.run_test(size=(200, 50)) as his:
        await until(hers, lambda: isinstance(ann.screen, RecoveryScreen) and "1✔" in text_of(hers))
        await until(his, lambda: isinstance(bob.screen, RecoveryScreen))
        await until(
            his, lambda: "ann@db1 drives, you watch" in text_of(his) and "T takes it over" in text_of(his)
        )
        assert "drives" not in text_of(hers)
        # What ann finds bob sees; he can decide nothing.
        await until(his, lambda: "1✔" in text_of(his))
        await his.press("2")
        await until(his, lambda: "shop" in text_of(his) and "ADVISED" in text_of(his))
        await his.press("enter")
        await his.pause(0.3)
        assert Book(world.state).load("1").ref is None

        await his.press("T")
        await until(
            his, lambda: "Take the incident over" in text_of(his) and "ann@db1, since" in text_of(his)
        )
        await his.press("enter")  # Cancel has the focus
        await until(his, lambda: isinstance(bob.screen, RecoveryScreen))
        assert Book(world.state).load("1").driving == "ann@db1"
        await his.press("T")
        await until(his, lambda: isinstance(bob.screen, ConfirmScreen))
        await his.press("tab", "enter")
        await until(his, lambda: "you watch" not in text_of(his))
        await until(hers, lambda: "bob@db2 drives since" in text_of(hers))
        taken = Book(world.state).load("1")
        assert taken.driving == "bob@db2" and taken.timeline[-1].text == "Took over from ann@db1."

        # Now he picks, and she can't.
        await hers.press("2")
        await until(hers, lambda: "ADVISED" in text_of(hers))
        await hers.press("enter")
        await hers.pause(0.3)
        assert Book(world.state).load("1").ref is None
        await his.press("2")
        await until(his, lambda: "ADVISED" in text_of(his))
        await his.press("enter")
        await until(his, lambda: Book(world.state).load("1").ref is not None)
        await until(hers, lambda: "2✔" in text_of(hers))

        await hers.press("T")
        await until(hers, lambda: isinstance(ann.screen, ConfirmScreen))
        await hers.press("tab", "enter")
        await until(his, lambda: "ann@db1 drives since" in text_of(his))
        await until(hers, lambda: "you watch" not in text_of(hers))
    again = Book(world.state).load("1")
    assert [e.text for e in again.timeline if e.text.startswith("Took")] == [
        "Took over from ann@db1.",
        "Took over from bob@db2.",
    ]
    assert again.current is Step.NOTIFY
    (listed,) = world.answer("incidents")
    assert listed["driver"] == "ann@db1" and listed["driver_since"]


async def test_a_read_only_app_watches_and_takes_nothing_over(world: World) -> None:
    Book(world.state).declare("shop", "ann@db1", utc_now())
    app = PgdrApp(world.fleet, world.state, True, operator="bob@db2", incident="1")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ann@db1 drives, you watch" in text_of(pilot))
        await pilot.press("T")
        await pilot.pause(0.2)
        assert isinstance(app.screen, RecoveryScreen)
