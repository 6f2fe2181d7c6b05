"""The tour: a disaster made from inside the app on the real demo, and hints followed to the report."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.demo.conftest import SCALE
from tests.looks.flaws import flaws
from tests.recovery_screens.seen import text_of, until
from tui.app import PgdrApp
from tui.demo import hints
from tui.demo.disasters import DISASTERS, hurt
from tui.demo.hints import Seen, hint
from tui.demo.start import prepare
from tui.demo.tour import STORIES, VARIABLE, Tour, offering, tour_of
from tui.model.errors import PgdrError
from tui.model.keys import all_keys
from tui.process import Command, start
from tui.widgets.tour_line import TourLine, with_keys

EXCHANGE = "crypto_exchange"


def said(pilot: Pilot[int]) -> str:
    """The hint that is on the screen."""
    lines = list(pilot.app.screen.query(TourLine))
    return " ".join(lines[0].plain.split()) if lines else ""


async def told(pilot: Pilot[int], *words: str) -> None:
    """Waits for a hint with these words, and for a screen on which it covers nothing."""
    await until(pilot, lambda: all(word in said(pilot) for word in words), 60)
    for _ in range(100):  # a screen may still be laid out
        if not (found := flaws(pilot.app)):
            break
        await pilot.pause(0.05)
    assert found == []


async def test_a_first_recovery_by_the_hints(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screens.tour_ways._LOOKS_S", 0.05)
    with prepare(made, SCALE) as demo, offering(partial(hurt, demo)) as its:
        (demo.state / "tour").unlink(missing_ok=True)
        before = demo.servers[EXCHANGE].sql("SELECT count(*) FROM users", EXCHANGE)
        app = PgdrApp(demo.fleet, demo.state, operator="new", tour=Tour(its))
        async with app.run_test(size=(80, 24)) as pilot:
            await follow(pilot)
        after = demo.servers[EXCHANGE].sql("SELECT count(*) FROM users", EXCHANGE)
        assert int(before) - 5 <= int(after) <= int(before)


async def follow(pilot: Pilot[int]) -> None:
    """From the offer to the end, by what is said."""
    await until(pilot, lambda: "A tour: your first recovery" in text_of(pilot))
    await pilot.press("down", "enter")
    await until(pilot, lambda: "Make the disaster" in text_of(pilot))
    await pilot.press("tab", "enter")
    await told(pilot, "the database is dropped", "r on its row")
    await until(pilot, lambda: "MISSING" in text_of(pilot))
    await pilot.press("r")
    await told(pilot, "tab goes to the action")
    await pilot.press("tab", "enter")
    await told(pilot, "enter accepts the proposal")
    await pilot.press("f2")  # left, and taken up where it is
    await until(pilot, lambda: said(pilot) == "")
    await pilot.press("f2")
    await told(pilot, "enter accepts the proposal")
    await pilot.press("enter")
    await told(pilot, "enter picks it")
    await pilot.press("q")  # the recovery is left, and gone on with
    await told(pilot, "still open", "r on crypto_exchange")
    await pilot.press("r")
    await until(pilot, lambda: "ADVISED" in text_of(pilot) and "rows" in text_of(pilot))
    await told(pilot, "enter picks it")
    await pilot.press("enter")
    await told(pilot, "s sends it")
    await pilot.press("s")
    await told(pilot, "enter goes on to the restore")
    await pilot.press("enter")
    await told(pilot, "enter starts it")
    await pilot.press("enter")
    await told(pilot, "type the name")
    await pilot.press(*EXCHANGE, "enter", "enter")
    await told(pilot, "enter goes on to the checks")
    await pilot.press("enter")
    await told(pilot, "enter goes on to putting it in place")
    await pilot.press("enter")
    await told(pilot, "enter puts the restored database")
    await pilot.press("enter")
    await told(pilot, "type the name")
    await pilot.press(*EXCHANGE, "enter", "enter")
    await told(pilot, "c closes the incident")
    await pilot.press("c")
    await told(pilot, "“recovered”")
    await pilot.press("down", "enter")
    await told(pilot, "enter shows the report")
    await pilot.press("enter")
    await told(pilot, "esc goes back")
    await pilot.press("escape", "q")
    await told(pilot, "Recovered", "v proves", "d rehearses")
    await pilot.press("f2")
    await until(pilot, lambda: said(pilot) == "")


def test_every_disaster_has_a_story_and_every_hint_fits_and_names_keys_that_there_are() -> None:
    assert STORIES.keys() == DISASTERS.keys()
    known = dict(all_keys())
    texts = re.findall(r'"((?:[^"\\]|\\.)*)"', Path(hints.__file__).read_text(encoding="utf-8"))
    named = {key for text in texts for key in re.findall(r"\{([a-z_]+\.[a-z_]+)\}", text)}
    assert len(named) > 20 and named <= known.keys()
    pages = [*hints._STEPS, *hints._ELSEWHERE, "confirm", "resume", "fleet"]
    for page in pages:
        scopes = {name for name in known if name.partition(".")[0] in (page, "candidates")}
        for keys in (frozenset[str](), *(frozenset({name}) for name in scopes)):
            for made in (None, *STORIES):
                shown = with_keys(hint(Seen(page, keys, made=made)), {})
                assert "{" not in shown and 20 < len(shown) <= 152, shown


def test_the_app_inherits_the_way_to_the_demo_and_hands_it_to_nobody() -> None:
    code = (
        "import json, os\nfrom tui.demo.tour import VARIABLE, tour_of\n"
        "from tui.model.errors import PgdrError\n"
        "tour = tour_of(os.environ)\nsaid = [tour.made, VARIABLE in os.environ]\n"
        "said.append(os.get_inheritable(tour._channel.fileno()))\n"
        "said.append(tour.make('dropped-database'))\n"
        "try: tour.make('nonsense')\nexcept PgdrError as error: said.append(error.mend)\n"
        "print(json.dumps([*said, tour.made]))"
    )

    def hurting(kind: str) -> str:
        if kind not in STORIES:
            raise PgdrError("No.", None, "Choose another.")
        return f"{kind} ist geschehen."

    with offering(hurting) as its:
        command = Command((sys.executable, "-c", code), {VARIABLE: f"{its.fileno()}:bad-migration"})
        child = start(command, stderr=None, pass_fds=(its.fileno(),))
        out, _ = child.communicate(timeout=60)
    assert json.loads(out) == [
        "bad-migration",
        False,
        False,
        "dropped-database ist geschehen.",
        "Choose another.",
        "dropped-database",
    ]


@pytest.mark.parametrize("value", [None, "", "x", "987654:"])
def test_elsewhere_there_is_no_tour(value: str | None) -> None:
    environ = {} if value is None else {VARIABLE: value}
    assert tour_of(environ) is None and environ == {}
