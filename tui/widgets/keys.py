"""The line at the bottom: the few keys that matter here. `?` shows all of them."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

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


# What Textual binds on every screen and nobody looks for.
_EVERYWHERE = {"app.focus_next", "app.focus_previous", "screen.copy_text", "command_palette"}


def useful(screen: Screen[Any]) -> list[ActiveBinding]:
    """Given a screen, returns the bindings that work on it now and that are worth telling."""
    return [
        active
        for active in screen.active_bindings.values()
        if active.enabled
        and active.binding.description
        and not active.binding.system
        and active.binding.action not in _EVERYWHERE
        and active.binding.action.removeprefix("app.") not in _EVERYWHERE
    ]


class KeyFooter(Widget):
    """Two lines: a rule and the shown bindings of the focused widget, the screen and the app.

    A binding is shown when it has `show=True` and its action is enabled (`check_action`). They keep
    the order in which they are declared; where they don't fit, the last ones go, never `?`.
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
        parts: list[Piece] = [" "]
        for pair in pairs:
            if _width(pair) > room:
                break
            room -= _width(pair)
            parts += [Cell(pair[0], STRONG), Cell(f" {pair[1]}", DIM), "  "]
        for key, label in last:
            parts += [Cell(key, STRONG), Cell(f" {label}", DIM)]
        return told(*parts)


def _width(pair: tuple[str, str]) -> int:
    return cell_len(pair[0]) + 1 + cell_len(pair[1]) + 2
