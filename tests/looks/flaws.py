"""What is wrong with the layout of a screen: text that is cut without a mark, widgets that overlap or stand
outside of what can be seen."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from textual.app import App
from textual.content import Content
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from tests.looks.world import widgets
from tui.widgets.detail import Detail
from tui.widgets.keys import KeyFooter, useful
from tui.widgets.line_table import LineTable
from tui.widgets.text_lines import TextLines

_NARROW = 36  # cells in which text can still be read


def flaws(app: App[Any]) -> list[str]:
    """Given an app, returns what is wrong with its screen, in words; nothing when all is well."""
    screen = app.screen
    shown = list(widgets(screen))
    leaves = [w for w in shown if not any(c.display for c in w.children) and w is not screen]
    leaves = [w for w in leaves if type(w).__name__ not in ("ToastRack", "Tooltip")]
    found = [f"{_name(w)}: {what}" for w in leaves for what in _cut(w)]
    found += [f"{_name(w)}: {what}" for w in leaves for what in _outside(w, screen)]
    for one, other in combinations(leaves, 2):
        if _visible(one).overlaps(_visible(other)):
            found.append(f"{_name(one)} and {_name(other)} overlap")
    widths = [strip.cell_length for strip in screen._compositor.render_strips(app.size)]
    found += [f"line {n} is {width} wide" for n, width in enumerate(widths) if width != app.size.width]
    return found + _footer(screen)


def _name(widget: Widget) -> str:
    return f"{type(widget).__name__}#{widget.id or ''} {widget.region}"


def _visible(widget: Widget) -> Region:
    """The part of it that isn't scrolled out of sight."""
    region = widget.region
    for around in widget.ancestors:
        if isinstance(around, Widget) and around.is_scrollable:
            region = region.intersection(around.region)
    return region


def _cut(widget: Widget) -> list[str]:
    """Text for which there is no room and no mark."""
    width, height = widget.scrollable_content_region.size
    if isinstance(widget, TextLines | LineTable | Detail) and 0 < width < _NARROW:
        return [f"is only {width} wide"]
    if isinstance(widget, TextLines | LineTable):
        rows = len(widget.lines) if isinstance(widget, TextLines) else len(widget.seen) + 1
        if rows > height and not widget.show_vertical_scrollbar:
            return [f"shows {height} of {rows} lines, and no scrollbar"]
        told = widget.lines if isinstance(widget, TextLines) else ()
        return [f"cuts {row.plain!r} at {width}" for row in told if row.cell_length > width]
    if isinstance(widget, Input):
        return [] if len(widget.value or widget.placeholder) <= width or widget.has_focus else ["is cut"]
    if isinstance(widget, TextArea):
        return []
    if isinstance(widget, Detail) and widget.missing:
        return [] if "…" in widget.render_line(height - 1).text else ["is cut without a word"]
    visual = widget.render()
    if not isinstance(visual, Content):
        return []
    lines = visual.wrap(width) if isinstance(widget, Static) and width else visual.split("\n")
    found = [f"has no room for {row.plain!r}" for row in lines if row.cell_length > width]
    if len(lines) > height and visual.plain.strip():
        found.append(f"shows {height} of {len(lines)} lines: {visual.plain[-60:]!r} is missing")
    return found


def _outside(widget: Widget, screen: Screen[Any]) -> list[str]:
    """Parts that can't be seen, nor scrolled to."""
    region = widget.region
    for around in widget.ancestors:
        if not isinstance(around, Widget):
            break
        if around.show_vertical_scrollbar:
            return []
        if region.area and around.region.intersection(region) != region:
            return [f"stands outside of {_name(around)}"]
        if around is screen:
            break
    return []


def _footer(screen: Screen[Any]) -> list[str]:
    """The footer shows whole keys, `?` among them, and a mark where there is no room for all."""
    for footer in screen.query(KeyFooter):
        drawn = footer.render().plain
        pairs = [f"{key} {label}" for key, label in footer.shown()]
        missing = [pair for pair in pairs if pair not in drawn]
        if missing and "…" not in drawn:
            return [f"the footer has no room for {missing} and doesn't say so"]
        helped = any(active.binding.action == "help" for active in useful(screen))
        if helped and not any(pair.startswith("? ") and pair in drawn for pair in pairs):
            return [f"the footer doesn't tell of ?: {drawn}"]
    return []
