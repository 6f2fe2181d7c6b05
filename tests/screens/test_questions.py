"""The header, the one question that may hurt, and the screen of an error."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from tests.screens.eyes import NARROW, NOW, screen_lines, screen_text
from tui.model.errors import Unreachable
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.widgets.choice import Choice
from tui.widgets.header import Bearings, IncidentClock, StatusHeader

BEARINGS = Bearings("KrystalineX", False, lambda: NOW)
NAME = "crypto_exchange"


class Host(App[int]):
    """An app with a header."""

    def __init__(self, header: StatusHeader | None = None) -> None:
        super().__init__()
        self.header = header or StatusHeader(BEARINGS)
        self.answers: list[bool | None] = []

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        return {"rule": variables["border"], **variables}

    def compose(self) -> ComposeResult:
        yield self.header

    def ask(self, name: str | None = NAME) -> None:
        facts = [("server", "app-database [/x]"), ("live", "crypto_exchange, 14 sessions will be ended")]
        self.push_screen(
            ConfirmScreen("Put [it] in place", facts, action="swap", name=name), self.answers.append
        )


async def test_cancel_has_the_focus_and_enter_confirms_nothing() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.ask()
        await pilot.pause()
        text = screen_text(app)
        assert "[ Cancel ]" in text and "(swap)" in text
        assert "Put [it] in place" in text and "app-database [/x]" in text
        await pilot.press("enter")
        assert app.answers == [False]


async def test_only_the_exact_name_and_the_action_itself_confirm() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.ask()
        await pilot.pause()
        await pilot.press(*"crypto")  # typed while Cancel has the focus: goes to the name
        await pilot.press("enter")
        assert app.answers == [] and "That is not crypto_exchange" in screen_text(app)
        action = app.screen.query_one("#action", Choice)
        assert action.disabled
        await pilot.press(*"_exchangE", "enter")
        assert app.answers == [] and action.disabled
        await pilot.press("backspace", "e")
        assert not action.disabled
        await pilot.press("enter")  # leads to the action, no further
        assert app.answers == [] and app.focused is action
        assert "[ swap ]" in screen_text(app)
        await pilot.press("enter")
        assert app.answers == [True]


async def test_enter_right_behind_the_name_belongs_to_the_name() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.ask()
        await pilot.pause()
        for letter in NAME:  # as a slow line brings them: all at once
            app.post_message(events.Key(letter, letter))
        app.post_message(events.Key("enter", "\r"))
        for _ in range(100):
            await pilot.pause(0.02)
            if app.answers or app.focused is app.screen.query_one("#action", Choice):
                break
        assert app.answers == [] and app.focused is app.screen.query_one("#action", Choice)
        await pilot.press("enter")
        assert app.answers == [True]


async def test_going_back_on_the_name_closes_the_action_again() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.ask()
        await pilot.pause()
        await pilot.press(*NAME, "backspace")
        assert app.screen.query_one("#action", Choice).disabled
        await pilot.press("escape")
        assert app.answers == [False]


async def test_a_pasted_name_is_taken() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.ask()
        await pilot.pause()
        app.screen.post_message(events.Paste(f"{NAME}\n"))
        await pilot.pause()
        assert app.screen.query_one("#typed", Input).value == NAME
        assert app.answers == []


async def test_a_hostile_name_is_typed_as_it_is_shown() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.ask("db\x1b")
        await pilot.pause()
        await pilot.press(*"db\\x1b", "enter", "enter")
        assert app.answers == [True]


async def test_without_a_name_it_takes_a_move_to_the_action() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.ask(None)
        await pilot.pause()
        await pilot.press("right", "enter")
        assert app.answers == [True]


async def test_an_error_says_what_why_what_is_safe_and_what_next() -> None:
    app = Host()
    copied = []

    def copy(name: str, text: str) -> str:
        copied.append(text)
        return f"copied {name}"

    error = Unreachable("Nothing answers at 127.0.0.1:5433.", "Connection refused [/b].", "Start the server.")
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(ErrorScreen.of(BEARINGS, error, lines=["last \x1b[2J line"], copy=copy))
        await pilot.pause()
        text = screen_text(app)
        for said in (
            "✖ Nothing answers",
            "refused [/b]",
            "Nothing was changed.",
            "Start the",
            "last \\x1b[2J",
        ):
            assert said in text
        await pilot.press("y")
        assert "Start the server." in copied[0]
        await pilot.press("escape")
        assert not isinstance(app.screen, ErrorScreen)


async def test_a_mistake_of_the_program_is_called_so() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(ErrorScreen.of(BEARINGS, KeyError("x")))
        await pilot.pause()
        assert "pgdr itself went wrong: KeyError" in screen_text(app)


@pytest.mark.parametrize("width", [72, 80, 120, 200])
@pytest.mark.parametrize("read_only", [True, False])
async def test_the_header_tells_place_mode_and_time_at_any_width(width: int, read_only: bool) -> None:
    header = StatusHeader(
        replace(BEARINGS, read_only=read_only), "backups", connected="127.0.0.1:5433 · 41 MB · 6 sessions"
    )
    app = Host(header)
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        line = screen_lines(app)[0]
        assert len(line) == width
        assert "KrystalineX › backups" in line and "2026-11-21 03:12 UTC" in line
        assert ("READ-ONLY" in line) is read_only and ("WRITE" in line) is not read_only
        assert ("6 sessions" in line) is (width >= 120)


async def test_an_incident_s_clock_runs_against_its_objective() -> None:
    begun = NOW - timedelta(minutes=11)
    header = StatusHeader(BEARINGS, incident=IncidentClock("7", NAME, begun, timedelta(minutes=30)))
    app = Host(header)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        line = screen_lines(app)[0]
        told = "INCIDENT 7 crypto_exchange declared 03:01 RTO 30m · 11m used WRITE 03:12"
        assert " ".join(line.split()) == told
        header.incident = IncidentClock("7", "a_very_long_name_" * 4, begun, timedelta(minutes=10))
        await pilot.pause()
        line = screen_lines(app)[0]
        assert "…" in line and "RTO 10m · 11m used OVER" in line and "03:12" in line and len(line) == 80


async def test_a_name_that_arrives_all_at_once_as_over_a_slow_line_is_taken_whole() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.ask()
        await pilot.pause()
        for char in NAME:  # without a pause between them
            app.post_message(events.Key("underscore" if char == "_" else char, char))
        for _ in range(100):
            await pilot.pause(0.02)
            if app.screen.query_one(Input).has_focus:
                break
        assert app.screen.query_one(Input).value == NAME
        assert not app.screen.query_one("#action", Choice).disabled
