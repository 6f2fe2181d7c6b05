"""What is sent by changes makes the same screen as what Textual would have sent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyte
from rich.segment import Segment
from rich.style import Style
from textual._compositor import CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tests.looks.world import FLEET, ROOMS, SCREENS, settle
from tests.recovery_screens.pictures import NOW
from tui.app import PgdrApp
from tui.widgets.terminal_cells import TerminalCells

SIZE = (100, 30)


class Terminal:
    """A terminal, and how many bytes it was sent."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(*SIZE)
        self._stream = pyte.Stream(self.screen)
        self.sent = 0

    def feed(self, text: str) -> None:
        """It is sent this."""
        self.sent += len(text.encode())
        # Textual ends a line with a newline before it moves on: at the last one that would scroll.
        self._stream.feed(text.replace("\n", ""))

    @property
    def cells(self) -> list[list[Any]]:
        """Every cell with its colours."""
        return [[self.screen.buffer[y][x] for x in range(SIZE[0])] for y in range(SIZE[1])]


class _Two(PgdrApp):
    """Sends everything to one terminal as Textual would, and to another by changes."""

    def __init__(self, state: Path) -> None:
        super().__init__(FLEET, state, rooms=ROOMS, now=lambda: NOW, operator="anna")
        self.whole, self.changed = Terminal(), Terminal()
        self.seen = TerminalCells()

    def offer_incidents(self) -> None:  # type: ignore[override]
        """Nothing is offered."""

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            changes = self.seen.changes(renderable, self.console)
            assert changes is not None
            self.whole.feed(renderable.render_segments(self.console))
            self.changed.feed(changes.render_segments(self.console))


async def test_every_screen_looks_the_same_for_a_part_of_the_bytes(tmp_path: Path) -> None:
    app = _Two(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for name in ("database", "backups", "restore running", "job failed", "confirm", "drills", "find"):
            screen = SCREENS[name](app)
            assert screen is not None
            app.push_screen(screen)
            await settle(pilot)
            assert app.changed.cells == app.whole.cells, name
            for key in ("down", "down", "l", "pagedown"):
                await pilot.press(key)
            await settle(pilot)
            assert app.changed.cells == app.whole.cells, name
            app.pop_screen()
            await settle(pilot)
            assert app.changed.cells == app.whole.cells, name
        assert app.changed.sent < app.whole.sent / 3


def drawn(cells: TerminalCells, *lines: str) -> str:
    """What is sent when the screen is to be these lines."""
    from rich.console import Console

    red = Style(color="red")
    strips: list[Iterable[Strip]] = [[Strip([Segment(line, red)])] for line in lines]
    changes = cells.changes(LayoutUpdate(strips, Region(0, 0, 20, len(lines))), Console())
    assert changes is not None
    return changes.render_segments(Console())


def test_what_is_there_already_is_not_sent_until_it_is_forgotten() -> None:
    cells = TerminalCells()
    first = drawn(cells, "took 10s", "ready")
    assert "took 10s" in first and "ready" in first
    assert drawn(cells, "took 10s", "ready") == ""
    second = drawn(cells, "took 11s", "ready")
    assert "1" in second and "took" not in second and "ready" not in second
    cells.forget()
    assert "took 11s" in drawn(cells, "took 11s", "ready")


def test_a_line_with_characters_of_uncertain_width_is_sent_whole() -> None:
    cells = TerminalCells()
    drawn(cells, "データ 1 and more text")
    assert "データ 2 and more text" in drawn(cells, "データ 2 and more text")
