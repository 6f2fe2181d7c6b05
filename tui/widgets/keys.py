"""The keys of the app on Textual's side: bound from the one table of them, and the few that matter now shown
in the line at the bottom. `?` shows all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rich.cells import cell_len
from textual.binding import ActiveBinding, Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from tui.model.keys import DANGEROUS, KEYS, all_keys
from tui.widgets.tones import DIM, STRONG, Cell, Piece, told

_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "exclamation_mark": "!",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "minus": "-",
    "plus": "+",
    "space": "space",
    "up": "↑",
    "down": "↓",
}


def bound(*scopes: str) -> list[BindingType]:
    """Given names of tables of keys, returns their keys as a screen or widget binds them."""
    return [
        Binding(
            key.keys,
            key.does,
            key.label,
            show=key.shown,
            priority=key.everywhere,
            id=f"{scope}.{key.name}",
        )
        for scope in scopes
        for key in KEYS[scope]
    ]


def named(scope: str, bindings: Iterable[BindingType]) -> list[BindingType]:
    """Given bindings that a widget has written down itself, returns them with ids of the table `scope`."""
    return [
        replace(binding, id=f"{scope}.{binding.action.partition('(')[0]}")
        if isinstance(binding, Binding) and binding.id is None
        else binding
        for binding in bindings
    ]


def is_dangerous(node: DOMNode, action: str) -> bool:
    """Given where a key is bound and its action, returns whether it can change anything."""
    return any(
        binding.action == action and binding.id in DANGEROUS
        for bindings in node._bindings.key_to_bindings.values()
        for binding in bindings
    )


def keymap(changed: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Given (id, keys) of a configuration, returns Textual's keymap for them.

    Textual takes a key away from all that have it when one of them gets another; so those that are left
    are told to stay where they are.
    """
    made = dict(changed)
    left = {key for name, own in all_keys() if name in made for key in own.keys.split(",")}
    stay = {name: own.keys for name, own in all_keys() if left & set(own.keys.split(","))}
    return {**stay, **made}


def key_name(binding: Binding) -> str:
    """Given a binding, returns its key as a person knows it: `?`, `esc`, `ctrl+p`, `R`."""
    if binding.key_display:
        return binding.key_display
    *held, key = binding.key.split("+")
    if len(key) == 1 and key.isupper():
        held = []
    elif key.startswith("upper_"):
        key = key.removeprefix("upper_").upper()
    return "+".join([*held, _NAMES.get(key, key)])


def name_of_keys(keys: str) -> str:
    """Given keys with commas between, returns the first as a person knows it."""
    return key_name(Binding(keys.partition(",")[0] or ",", ""))


# What everybody tries, and nobody looks for.
_EVERYWHERE = {"app.focus_next", "app.focus_previous"}


def useful(screen: Screen[Any]) -> list[ActiveBinding]:
    """Given a screen, returns the bindings that work on it now and that are worth telling."""
    return [
        active
        for active in screen.active_bindings.values()
        if active.enabled
        and active.binding.description
        and active.binding.id is not None  # what has none is Textual's own, and called in words of its own
        and active.binding.action not in _EVERYWHERE
    ]


class KeyFooter(Widget):
    """Two lines: a rule and the shown bindings of the focused widget, the screen and the app.

    A binding is shown when it has `show=True` and its action is enabled (`check_action`). They keep
    the order in which they are declared; where they don't fit, the last ones go (a `…` tells so), never `?`.
    """

    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: 2; border-top: solid $border; }
    """

    def on_mount(self) -> None:
        """Redraws when the keys change with the focus or the state of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[Any]) -> None:
        self.refresh()

    def shown(self) -> list[tuple[str, str]]:
        """Returns keys and what they do, in the order in which they matter."""
        seen: dict[str, tuple[str, str]] = {}
        for active in useful(self.screen):
            if active.binding.show:
                seen.setdefault(active.binding.action, (key_name(active.binding), active.binding.description))
        return list(seen.values())

    def render(self) -> Content:
        """Returns the line for the width there is."""
        pairs = self.shown()
        # `?` last, and first in line for the room: it leads to all the others.
        last = [pair for pair in pairs if pair[0] == "?"]
        pairs = [pair for pair in pairs if pair[0] != "?"]
        room = self.size.width - 1 - sum(_width(pair) for pair in last)
        fitting = _fitting(pairs, room)
        if fitting < len(pairs):
            fitting = _fitting(pairs, room - _width(_MORE))
        parts: list[Piece] = [" "]
        for key, label in pairs[:fitting]:
            parts += [Cell(key, STRONG), Cell(f" {label}", DIM), "  "]
        if fitting < len(pairs):
            parts.append(Cell("…  ", DIM))
        for key, label in last:
            parts += [Cell(key, STRONG), Cell(f" {label}", DIM)]
        return told(*parts)


# Stands for the keys that there is no room for.
_MORE = ("", "")


def _fitting(pairs: Sequence[tuple[str, str]], room: int) -> int:
    """How many of the first pairs there is room for."""
    for number, pair in enumerate(pairs):
        room -= _width(pair)
        if room < 0:
            return number
    return len(pairs)


def _width(pair: tuple[str, str]) -> int:
    return cell_len(pair[0]) + 1 + cell_len(pair[1]) + 2
