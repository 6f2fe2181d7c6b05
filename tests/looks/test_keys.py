"""Keys are data: what a screen binds is in the table, what is dangerous goes in read-only mode, and a
configuration can give anything another key."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.binding import Binding
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

import tui.screens
import tui.widgets
from tests.looks.world import FLEET, SCREENS, app_of, opened, settle, widgets
from tests.screens.eyes import screen_text, until
from tui.model.keys import DANGEROUS, KEYS, TOGETHER, all_keys
from tui.screens.backups import BackupsScreen
from tui.screens.fleet import FleetScreen
from tui.screens.help import help_on
from tui.widgets.choice import Choice
from tui.widgets.keys import KeyFooter, is_dangerous

# In these lists there is nothing to open.
_LOOKED_AT = {"database", "backup", "kept", "pause", "differences"}
_TAKEN = {"ctrl+a", "ctrl+b", "ctrl+j", "ctrl+o", "ctrl+s"}


def classes(base: type[Any]) -> list[type[Any]]:
    """Every class of the app's own rooms that is a `base`."""
    for package in (tui.screens, tui.widgets):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)

    def below(one: type[Any]) -> Iterator[type[Any]]:
        for sub in one.__subclasses__():
            yield sub
            yield from below(sub)

    return sorted({c for c in below(base) if c.__module__.startswith("tui.")}, key=lambda c: c.__name__)


def test_every_key_that_is_bound_is_in_the_table() -> None:
    known = dict(all_keys())
    for cls in classes(Widget):
        for binding in cls.__dict__.get("BINDINGS", ()):
            assert isinstance(binding, Binding) and binding.id in known, f"{cls.__name__}: {binding}"
            key = known[binding.id]
            assert (binding.key, binding.description) == (key.keys, key.label), cls.__name__


def test_no_key_is_one_that_multiplexers_and_terminals_take() -> None:
    for name, key in all_keys():
        assert not _TAKEN & set(key.keys.split(",")), name


def test_every_table_is_checked_for_keys_that_stand_for_two_things() -> None:
    assert set(KEYS) - {scope for group in TOGETHER for scope in group} - {"choice", "small"} == set()


@pytest.mark.parametrize("name", SCREENS)
async def test_read_only_takes_everything_dangerous_away(name: str, tmp_path: Path) -> None:
    """From the keys, the footer, the help and what ctrl+p finds; READ-ONLY is in the header."""
    app = app_of(tmp_path, read_only=True)
    known = dict(all_keys())
    async with opened(app, name, (80, 24)) as pilot:
        active = [a.binding.id for a in app.screen.active_bindings.values()]
        assert not DANGEROUS & set(active)
        told = help_on(app.screen)
        assert told.page.startswith("# ") and len(told.page) > 100, "it doesn't say what it is for"
        assert told.keys and not DANGEROUS & {key.id for key in told.keys}
        nameless = [key for key in told.keys if key.id not in known and key.key != "tab shift+tab"]
        assert nameless == [], "it isn't of the table"
        assert name not in _LOOKED_AT or "rows.choose" not in {key.id for key in told.keys}
        labels = {key.label for id_, key in all_keys() if id_ in DANGEROUS} - {"verify", "drill"}
        for footer in app.screen.query(KeyFooter):
            assert not labels & {label for _, label in footer.shown()}
            assert "READ-ONLY" in screen_text(app) or not app.screen.query("StatusHeader")
        before = app.screen
        for node in [*widgets(app.screen), app]:
            for bindings in list(node._bindings.key_to_bindings.values()):
                for binding in bindings:
                    if is_dangerous(node, binding.action):
                        assert not await app.run_action(binding.action, node)
        await settle(pilot)
        assert app.screen is before


async def _hold(pilot: Pilot[int], key: str, screen: Screen[Any]) -> None:
    """Repeats a key quicker than a choice takes it for two presses, while the question is there; then waits
    until nothing is waiting for it to be let go."""
    character = {"enter": "\r", "tab": "\t", "space": " "}.get(key, key)
    for _ in range(50):
        if pilot.app.screen is not screen:
            return
        event = events.Key(key, character)
        event.set_sender(pilot.app)
        pilot.app.post_message(event)
        await pilot.pause(0)
    await pilot.pause()
    for _ in range(200):
        if pilot.app.screen is not screen or not any(c._waiting for c in screen.query(Choice)):
            return
        await pilot.pause(0.05)
    raise AssertionError("a choice still waits for the key to be let go")


@pytest.mark.parametrize("name", ["confirm", "confirm without a name", "choose", "reason"])
async def test_a_held_key_confirms_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty repeats of it as the question opens; and where all that is asked for has been typed."""
    monkeypatch.setattr(Choice, "PAUSE_S", 0.5)
    app = app_of(tmp_path)
    answers: list[Any] = []
    typed = {"confirm": ("#typed", "crypto_exchange"), "reason": ("Input", "told by phone")}.get(name)
    waited = False
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("enter", "space", "y", "tab"):
            for text in (None, typed) if typed else (None,):
                screen = SCREENS[name](app)
                assert screen is not None
                app.push_screen(screen, answers.append)
                await pilot.pause()
                if text is not None:
                    named = screen.query_one(text[0], Input)
                    named.value = text[1]
                    named.focus()
                    await pilot.press("enter")  # in the name: to the action
                    waited |= screen.focused is not None and screen.focused.id == "action"
                await _hold(pilot, key, screen)
                assert all(answer in (None, False, 0) for answer in answers), (key, text, answers)
                if app.screen is screen:
                    await pilot.press("escape")
                await pilot.pause()
    assert waited or typed is None, "no key was held on the action itself"


async def test_one_press_that_is_let_go_confirms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choice, "PAUSE_S", 1.0)
    app = app_of(tmp_path)
    answers: list[Any] = []
    async with app.run_test(size=(80, 24)) as pilot:
        screen = SCREENS["confirm"](app)
        assert screen is not None
        app.push_screen(screen, answers.append)
        await pilot.pause()
        await pilot.press(*"crypto_exchange", "enter", "enter")
        assert answers == [] and "> swap <" in screen_text(app)
        await until(pilot, lambda: answers == [True], "it was let go")


async def test_a_configuration_gives_other_keys(tmp_path: Path) -> None:
    fleet = replace(FLEET, keys=(("fleet.backups", "f3"), ("app.help", "f2"), ("job.leave", "w")))
    app = app_of(tmp_path, fleet=fleet)
    async with app.run_test(size=(160, 24)) as pilot:
        await settle(pilot)
        assert "f3 backups" in screen_text(app) and "f2 keys" in screen_text(app)
        await pilot.press("b")
        assert isinstance(app.screen, FleetScreen)
        await pilot.press("f2")
        await settle(pilot)
        assert re.search(r"^ f3 +Shows the backups", screen_text(app), re.MULTILINE)
        await pilot.press("escape", "f3")
        await settle(pilot)
        assert isinstance(app.screen, BackupsScreen)


async def test_what_shares_a_key_keeps_it_when_one_of_them_moves(tmp_path: Path) -> None:
    """Two keys of a step are on enter, one at a time: moving one leaves the other where it was."""
    shared = [id_ for id_, key in all_keys() if key.keys == "enter" and id_.startswith("restore.")]
    if len(shared) < 2:
        pytest.fail("no two keys of the restore step are on enter any more: take another pair")
    app = app_of(tmp_path, fleet=replace(FLEET, keys=((shared[0], "f5"),)))
    async with opened(app, "restore", (80, 24)) as pilot:
        pane = app.screen.query_one("#restore")
        bound = pane._bindings.copy()
        bound.apply_keymap(app._keymap)
        assert shared[0] not in {b.id for b in bound.key_to_bindings.get("enter", [])}
        assert shared[1] in {b.id for b in bound.key_to_bindings["enter"]}
        assert [b.id for b in bound.key_to_bindings["f5"]] == [shared[0]]
        await pilot.pause()


def test_every_screen_has_a_page_of_its_own() -> None:
    for cls in classes(Screen):
        if cls.__name__ in (
            "ListScreen",
            "DrivenScreen",
            "SmallScreen",
        ):  # no screen by itself; nothing to explain
            continue
        name = getattr(cls, "help_page", None)
        names = (
            ["assess", "pick", "notify", "restore", "verify", "resume"]
            if isinstance(name, property)
            else [name]
        )
        for one in names:
            path = Path(tui.screens.__path__[0]) / "pages" / f"{one}.md"
            assert one and path.is_file(), f"{cls.__name__} has no page {one}"
