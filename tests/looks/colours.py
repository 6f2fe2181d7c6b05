"""The contrast of what is drawn, as WCAG 2.1 (1.4.3) measures it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from rich.color import Color, ColorSystem, ColorType
from rich.color_triplet import ColorTriplet
from textual.app import App

Seen = tuple[Color | None, int]  # a colour, and which of a palette's it is where it is left to the terminal
Palette = tuple[str, ...]  # the sixteen colours, then the default foreground and background

# What terminals draw the sixteen colours with, from their own sources and documentation.
_DARK: Mapping[str, Palette] = {
    "xterm": (
        *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
        *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
        *("#e5e5e5", "#000000"),
    ),
    "linux": (
        *("#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa"),
        *("#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"),
        *("#aaaaaa", "#000000"),
    ),
    "tango": (
        *("#2e3436", "#cc0000", "#4e9a06", "#c4a000", "#3465a4", "#75507b", "#06989a", "#d3d7cf"),
        *("#555753", "#ef2929", "#8ae234", "#fce94f", "#729fcf", "#ad7fa8", "#34e2e2", "#eeeeec"),
        *("#d3d7cf", "#000000"),
    ),
    "windows": (
        *("#0c0c0c", "#c50f1f", "#13a10e", "#c19c00", "#0037da", "#881798", "#3a96dd", "#cccccc"),
        *("#767676", "#e74856", "#16c60c", "#f9f1a5", "#3b78ff", "#b4009e", "#61d6d6", "#f2f2f2"),
        *("#cccccc", "#0c0c0c"),
    ),
}
# The same with letters in black on white, as xterm begins, and many others are set.
PALETTES = {
    **_DARK,
    **{f"{name}, white": (*palette[:16], "#000000", "#ffffff") for name, palette in _DARK.items()},
}


@lru_cache(4096)
def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """Given two colours, returns their contrast, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    def part(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * part(colour.red) + 0.7152 * part(colour.green) + 0.0722 * part(colour.blue)


def drawn(app: App[Any]) -> Iterator[tuple[str, Seen, Seen]]:
    """Given an app, returns each piece of text on its screen with the colours of its letters and of what is
    behind them, as they are sent to the terminal. Rules and bars are no text."""
    for strip in app.screen._compositor.render_strips(app.size):
        for text, style, _ in strip:
            if style is None or not any(_is_text(char) for char in text):
                continue
            pair = ((style.color, 16), (style.bgcolor, 17))
            yield text, *(reversed(pair) if style.reverse else pair)


def _is_text(char: str) -> bool:
    return not char.isspace() and not 0x2500 <= ord(char) <= 0x259F


def faint(app: App[Any], palette: Palette | None = None, system: ColorSystem | None = None) -> list[str]:
    """Given an app, returns the pieces of text on its screen whose contrast is below 4.5: with the palette
    of a terminal, or after its colours were reduced to what a `system` has."""
    pairs = {(front, back): text.strip() for text, front, back in drawn(app)}
    found = []
    for (front, back), text in pairs.items():
        one, other = _seen(front, palette, system), _seen(back, palette, system)
        if contrast(one, other) < 4.5:
            found.append(f"{text!r} {one.hex} on {other.hex}: {contrast(one, other):.1f}")
    return found


def _seen(seen: Seen, palette: Palette | None, system: ColorSystem | None) -> ColorTriplet:
    colour, default = seen
    if colour is None or colour.type is ColorType.DEFAULT:
        assert palette is not None, "a colour is left to the terminal"
        return _triplet(palette[default])
    if colour.number is not None and colour.number < 16:
        assert palette is not None, "a colour is one of the terminal's sixteen"
        return _triplet(palette[colour.number])
    return (colour.downgrade(system) if system is not None else colour).get_truecolor()


def _triplet(colour: str) -> ColorTriplet:
    return ColorTriplet(int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))
