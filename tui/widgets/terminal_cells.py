"""What stands on the terminal, cell by cell, so that only what differs is sent.

Textual draws whole regions anew: a line in which one figure has changed, or all of the screen after a
change of layout. Over a slow line that is what one waits for. Here each update is compared with what
was sent before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

_NEAR = 6  # cells: a gap so narrow is cheaper to send again than to jump over

Cell = tuple[str, str]  # the character and its SGR codes
_UNKNOWN: Cell = ("", "?")  # differs from every cell


class Changes(CompositorUpdate):
    """The sequences that make of what is on the terminal what is wanted."""

    def __init__(self, sequences: str) -> None:
        self._sequences = sequences

    def render_segments(self, console: Console) -> str:
        """Returns them; they are made already."""
        return self._sequences


class TerminalCells:
    """The cells of the terminal as they were sent. It has to see all that is drawn, in its order."""

    def __init__(self) -> None:
        self._lines: list[list[Cell]] = []

    def forget(self) -> None:
        """Nothing is known any more, as after another program has drawn: the next updates are sent whole."""
        self._lines = []

    def changes(self, update: CompositorUpdate, console: Console) -> Changes | None:
        """Given an update of Textual's, returns what of it has to be sent; None for one of a kind that isn't
        known here, which is to be sent as it is."""
        colors = console._color_system or ColorSystem.TRUECOLOR
        if isinstance(update, LayoutUpdate):
            pieces = _of_layout(update)
        elif isinstance(update, ChopsUpdate):
            pieces = _of_chops(update)
        else:
            self.forget()
            return None
        made: list[str] = []
        for y, x, strip in pieces:
            self._put(y, x, strip, colors, made)
        return Changes("".join(made))

    def _put(self, y: int, x: int, strip: Strip, colors: ColorSystem, made: list[str]) -> None:
        cells, single = _cells(strip, colors)
        while len(self._lines) <= y:
            self._lines.append([])
        line = self._lines[y]
        if len(line) < x + len(cells):
            line += [_UNKNOWN] * (x + len(cells) - len(line))
        before = line[x : x + len(cells)]
        if before == cells:
            return
        line[x : x + len(cells)] = cells
        if not single:
            # Terminals don't agree on the width of every character: such a line is sent as a whole.
            made.append(_written(y, x, cells))
            return
        for begin, end in _runs(before, cells):
            made.append(_written(y, x + begin, cells[begin:end]))


def _of_layout(update: LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    for y, strips in enumerate(update.strips, update.region.y):
        yield y, update.region.x, Strip.join(strips)


def _of_chops(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    # As ChopsUpdate.render_segments does it.
    for y, left, right in update.spans:
        chops: Mapping[int, Strip | None] = update.chops[y]
        ends: Sequence[int] = update.chop_ends[y]
        for end, (x, strip) in zip(ends, chops.items(), strict=False):
            if strip is None or x > right or end <= left:
                continue
            whole = right > x >= left and end <= right
            yield y, x, strip if whole else strip.crop(0, min(end, right) - x)


def _cells(strip: Strip, colors: ColorSystem) -> tuple[list[Cell], bool]:
    """The cells of a strip, and whether each holds one character of certain width."""
    cells: list[Cell] = []
    single = True
    for segment in strip:
        ansi = _ansi(segment, colors)
        text = segment.text
        if text.isascii():
            cells += [(char, ansi) for char in text]
            continue
        for char in text:
            width = cell_len(char)
            if width == 1:
                cells.append((char, ansi))
                # Those that many terminals draw in two cells, or in colours of their own, lie above these.
                single = single and ord(char) < 0x2E80
            elif width == 0 and cells:
                cells[-1] = (cells[-1][0] + char, ansi)
                single = False
            else:
                cells += [(char, ansi), *[("", ansi)] * (width - 1)]
                single = False
    return cells, single


def _ansi(segment: Segment, colors: ColorSystem) -> str:
    style = segment.style
    if style is None:
        return ""
    return style._ansi if style._ansi is not None else Strip.render_ansi(style, colors)


def _runs(before: list[Cell], after: list[Cell]) -> Iterator[tuple[int, int]]:
    """Where cells differ, as stretches [begin, end); stretches that lie near each other are one."""
    begin = end = -1
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        if begin >= 0 and index - end > _NEAR:
            yield begin, end
            begin = index
        elif begin < 0:
            begin = index
        end = index + 1
    if begin >= 0:
        yield begin, end


def _written(y: int, x: int, cells: list[Cell]) -> str:
    """The sequences that write these cells from column `x` of line `y` on. Ends with no style."""
    made = [f"\x1b[{y + 1};{x + 1}H"]
    now = ""
    for char, ansi in cells:
        if ansi != now:
            made.append(f"\x1b[0;{ansi}m" if ansi and now else f"\x1b[{ansi}m" if ansi else "\x1b[0m")
            now = ansi
        made.append(char)
    if now:
        made.append("\x1b[0m")
    return "".join(made)
