"""A table that costs what is visible: lines are made when they are looked at.

Textual's DataTable lays out every row (seconds for 10,000 of them); here 200,000 rows are a list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.model.text import clean
from tui.widgets.format import cut
from tui.widgets.keys import bound
from tui.widgets.line_rows import Line, LineRows
from tui.widgets.tones import Cell, Piece

R = TypeVar("R")

_GUTTER = 2  # a space and the cursor's mark
# So long ordering and filtering may hold up the keys at a time; what is left is gone on with after a pause.
_AT_A_TIME_S, _PAUSE_S = 0.015, 0.005


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title and its width in cells.

    `wide` is how far it grows where there is room; `gap` the cells before it. `priority` 0 is never
    dropped; of the others the highest numbers go first on a narrow terminal. A column with `value`, which
    makes of a row what it is ordered by (None comes last), can be ordered by; `down`: the largest first.
    """

    title: str
    width: int
    wide: int = 0
    priority: int = 0
    right: bool = False
    gap: int = 2
    value: Callable[[Any], Any] | None = None
    down: bool = False


def fit(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Given columns and the cells there are, returns (index, width) of those that are shown, in order."""
    room = width - _GUTTER
    kept: list[int] = []
    for index in sorted(range(len(columns)), key=lambda i: (columns[i].priority, i)):
        needed = columns[index].width + columns[index].gap
        if needed > room and columns[index].priority > 0:
            break
        kept.append(index)
        room -= needed
    shown = []
    for index in sorted(kept):
        more = max(0, min(room, columns[index].wide - columns[index].width))
        room -= more
        shown.append((index, columns[index].width + more))
    if room < 0:  # too narrow even for what is never dropped: the last one is cut, and shows it
        index, last = shown[-1]
        shown[-1] = (index, max(1, last + room))
    return shown


class LineTable(ScrollView, Generic[R], can_focus=True, inherit_bindings=False):
    """A table over a list of rows, with a cursor and a filter.

    Given `columns`; `cells`, which makes a row's cells, one a column; `key`, which names a row;
    `words`, the text that the filter looks in; `order`, a sort key (without it rows stay as they
    come). `empty` is what it says while it has no rows; `enter` is what enter does, for the footer: without
    it, enter does nothing here; `opens` says for which rows it does. With `follow`, the cursor is on the last
    row and stays there while rows are added, until someone moves it up.
    """

    DEFAULT_CSS = """
    LineTable { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    LineTable > .line--title { color: $foreground-muted; }
    LineTable > .line--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground;
        text-style: $block-cursor-text-style;
    }
    LineTable > .line--cursor-blurred { text-style: bold; }
    LineTable > .line--good { color: $success; }
    LineTable > .line--warn { color: $warning; text-style: bold; }
    LineTable > .line--bad { color: $error; text-style: bold; }
    LineTable > .line--dim { color: $foreground-muted; }
    LineTable > .line--mark { color: $primary; }
    LineTable > .line--strong { text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line--title",
        "line--cursor",
        "line--cursor-blurred",
        "line--good",
        "line--warn",
        "line--bad",
        "line--dim",
        "line--strong",
        "line--mark",
    }
    BINDINGS: ClassVar[list[BindingType]] = bound("rows")

    class Highlighted(Message):
        """The cursor is on another row, or its row has changed; `row` is None when there is none."""

        def __init__(self, table: LineTable[Any], row: Any) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> LineTable[Any]:
            """The table."""
            return self.table

    class Chosen(Highlighted):
        """Enter was pressed on a row."""

    class Looked(Message):
        """Ordering or filtering that took a while has come to its end: other rows are seen now."""

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Callable[[R], Sequence[Piece]],
        key: Callable[[R], Hashable],
        *,
        words: Callable[[R], str] | None = None,
        order: Callable[[R], Any] | None = None,
        empty: str = "",
        enter: str = "",
        opens: Callable[[R], bool] | None = None,
        follow: bool = False,
        id: str | None = None,  # noqa: A002 (the name Textual gives it)
    ) -> None:
        super().__init__(id=id)
        own = self._bindings.key_to_bindings["enter"]
        self._opens = opens
        self._chooses = bool(enter) or any(binding.id != "rows.choose" for binding in own)
        if all(binding.id == "rows.choose" for binding in own):
            choose = Binding("enter", "choose", enter or "open", show=bool(enter), id="rows.choose")
            self._bindings.key_to_bindings["enter"] = [choose]
        self.columns = tuple(columns)
        self.empty = empty
        self._cells = cells
        self._key = key
        self._model = LineRows[R](words or (lambda row: str(key(row))), order)
        self._by: int | None = None  # the column that it is ordered by
        self._reverse = False
        self._job: Iterator[None] | None = None  # ordering or filtering that isn't done yet
        self._ordering = False  # whether that is ordering
        self._kept: Line[R] | None = None  # where the cursor was when it began
        self._cursor = 0
        self._moved = False  # until a person moves it, the cursor stays on the first row
        self._follow = follow

    # What it holds

    @property
    def rows(self) -> Sequence[R]:
        """All rows, in order."""
        return [line.row for line in self._model.lines]

    @property
    def seen(self) -> Sequence[R]:
        """The rows that the filter lets through."""
        return [line.row for line in self._model.seen]

    @property
    def count(self) -> tuple[int, int]:
        """How many rows are seen, and how many there are."""
        return len(self._model.seen), len(self._model.lines)

    @property
    def cursor_row(self) -> R | None:
        """The row under the cursor."""
        line = self._cursor_line
        return line.row if line is not None else None

    @property
    def _cursor_line(self) -> Line[R] | None:
        return self._model.seen[self._cursor] if self._cursor < len(self._model.seen) else None

    def cursor_text(self) -> str:
        """The row under the cursor as text: a line for each cell, with its column's title."""
        row = self.cursor_row
        if row is None:
            return ""
        cells = [piece if isinstance(piece, str) else piece.text for piece in self._cells(row)]
        told = [
            (column.title, clean(cell)) for column, cell in zip(self.columns, cells, strict=False) if cell
        ]
        width = max(cell_len(title) for title, _ in told) if told else 0
        return "\n".join(f"{title.ljust(width)}  {cell}".strip() for title, cell in told)

    def set_rows(self, rows: Iterable[R]) -> None:
        """Replaces all rows. The cursor stays on the row of the same key."""
        self._finish_ordering()
        kept = self._kept if self._job is not None else self._cursor_line
        self._model.replace(rows)
        self._begin(self._model.look(), kept)

    def add_rows(self, rows: Iterable[R]) -> None:
        """Adds rows in their places. Sorting what is nearly sorted costs one pass, so add in batches."""
        self._finish_ordering()
        if self._follow and self._job is None and self._cursor >= len(self._model.seen) - 1:
            self._moved = False
        kept = self._kept if self._job is not None else self._cursor_line
        self._model.extend(rows)
        self._begin(self._model.look(), kept)

    def put(self, row: R) -> None:
        """Replaces the row of the same key, or adds it at the end."""
        key = self._key(row)
        line = next((line for line in self._model.lines if self._key(line.row) == key), None)
        if line is None:
            self.add_rows([row])
            return
        self._finish_ordering()
        kept = self._kept if self._job is not None else self._cursor_line
        self._model.put(line, row)
        self._begin(self._model.look(), kept)

    def filter(self, text: str) -> None:
        """Shows only rows in which every word of `text` occurs, in either case; all when it is empty. Of many
        rows the first ones are shown at once, and `Looked` tells when all are there."""
        self._finish_ordering()
        kept = self._kept if self._job is not None else self._cursor_line
        self._begin(self._model.look(tuple(text.casefold().split())), kept)

    def order_by(self, column: int | None, *, reverse: bool | None = None) -> None:
        """Orders by the column of that number, which has to have a `value`; by none: as the rows come.
        `reverse` is the way round (None: the column's own)."""
        spec = None if column is None else self.columns[column]
        self._finish_ordering()
        kept = self._kept if self._job is not None else self._cursor_line
        self._by, self._reverse = column, (spec.down if spec else False) if reverse is None else reverse
        self._begin(self._model.order_by(spec.value if spec else None, self._reverse), kept, ordering=True)

    def redraw(self) -> None:
        """Draws again what is visible, when the cells depend on time."""
        self.refresh()

    def go_to(self, key: Hashable) -> bool:
        """Moves the cursor to the row of that key. Returns whether it is there."""
        self._finish()
        for index, line in enumerate(self._model.seen):
            if self._key(line.row) == key:
                self._move_to(index)
                return True
        return False

    # Ordering and filtering, a little at a time

    def _begin(self, job: Iterator[None], kept: Line[R] | None, *, ordering: bool = False) -> None:
        self._job, self._kept, self._ordering = job, kept, ordering
        self._go_on(self._job, at_once=True)

    def _go_on(self, job: Iterator[None], at_once: bool = False) -> None:
        if job is not self._job:
            return  # another has taken its place
        until = time.perf_counter() + _AT_A_TIME_S
        for _ in job:
            if self.is_running and time.perf_counter() > until:
                if not self._ordering:
                    self._show(0)  # the first ones that were found
                self.set_timer(_PAUSE_S, lambda: self._go_on(job))
                return
        self._job = None
        if self._moved and self._kept is not None:
            self._show(self._place_of(self._kept))
        else:
            self._show(max(0, len(self._model.seen) - 1) if self._follow else 0)
        if not at_once:
            self.post_message(self.Looked())

    def _finish_ordering(self) -> None:
        if self._ordering:
            self._finish()

    def _finish(self) -> None:
        """Waits for what isn't done yet."""
        if self._job is not None:
            for _ in self._job:
                pass
            self._go_on(self._job)

    def _show(self, cursor: int) -> None:
        self._cursor = cursor
        self.virtual_size = Size(self._width, len(self._model.seen) + 1)
        self._keep_visible()
        self.refresh()
        self.post_message(self.Highlighted(self, self.cursor_row))

    def _place_of(self, line: Line[R]) -> int:
        seen = self._model.seen
        if self._cursor < len(seen) and seen[self._cursor] is line:
            return self._cursor
        try:
            return seen.index(line)
        except ValueError:
            key = self._key(line.row)
        for index, other in enumerate(seen):
            if self._key(other.row) == key:
                return index
        return max(0, min(self._cursor, len(seen) - 1))

    # Moving

    def _move_to(self, index: int) -> None:
        index = max(0, min(index, len(self._model.seen) - 1))
        self._moved = True
        if index != self._cursor:
            self._cursor = index
            self._keep_visible()
            self.refresh()
            self.post_message(self.Highlighted(self, self.cursor_row))

    def _keep_visible(self) -> None:
        """Scrolls so that the cursor can be seen. Line 0 of the widget is the titles."""
        height = max(1, self.size.height - 1)
        top = int(self.scroll_offset.y)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, force=True)

    def action_move(self, by: int) -> None:
        """Moves the cursor by so many rows."""
        self._move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Moves the cursor by so many pages."""
        self._move_to(self._cursor + by * max(1, self.size.height - 2))

    def action_edge(self, side: int) -> None:
        """Moves the cursor to the first row or the last."""
        self._move_to(0 if side < 0 else len(self._model.seen) - 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter is offered where it does something with a row, ordering where a column can be ordered by."""
        if action == "order":
            return any(column.value for column in self.columns)
        if action == "turn":
            return self._by is not None
        if action != "choose":
            return True
        row = self.cursor_row
        return self._chooses and row is not None and (self._opens is None or self._opens(row))

    def action_order(self) -> None:
        """Orders by the next column that can be ordered by; after the last as the rows come."""
        able = [number for number, column in enumerate(self.columns) if column.value]
        after = [number for number in able if self._by is None or number > self._by]
        self.order_by(after[0] if after else None)

    def action_turn(self) -> None:
        """Orders the other way round."""
        if self._by is not None:
            self.order_by(self._by, reverse=not self._reverse)

    def action_choose(self) -> None:
        """Tells that enter was pressed."""
        if self.cursor_row is not None:
            self.post_message(self.Chosen(self, self.cursor_row))

    def on_click(self, event: events.Click) -> None:
        """Moves the cursor to the row that was clicked; a second click opens it."""
        index = int(event.y + self.scroll_offset.y) - 1
        if event.y > 0 and 0 <= index < len(self._model.seen):
            self._move_to(index)
            if event.chain == 2:
                self.action_choose()

    def on_resize(self, event: events.Resize) -> None:
        """Keeps the cursor in sight."""
        self.virtual_size = Size(self._width, len(self._model.seen) + 1)
        self._keep_visible()

    # Drawing

    @property
    def _width(self) -> int:
        """The cells beside the scrollbar; `size` has it in."""
        return self.scrollable_content_region.width

    def render_line(self, y: int) -> Strip:
        """Returns line `y` of what is visible; 0 is the titles, which don't scroll."""
        width = self._width
        layout = fit(self.columns, width)
        if y == 0:
            cells = [Cell(self._title(number)) for number in range(len(self.columns))]
            return self._line(" " * _GUTTER, cells, layout, self.get_component_rich_style("line--title"))
        index = y - 1 + int(self.scroll_offset.y)
        if index >= len(self._model.seen):
            text = f"   {clean(self.empty)}" if not self._model.seen and y == 1 else ""
            style = self.rich_style + self.get_component_rich_style("line--dim", partial=True)
            return Strip([Segment(cut(text, width).ljust(width), style)], width)
        row = [
            Cell(piece) if isinstance(piece, str) else piece
            for piece in self._cells(self._model.seen[index].row)
        ]
        if index != self._cursor:
            return self._line(" " * _GUTTER, row, layout, self.rich_style)
        name = "line--cursor" if self.has_focus else "line--cursor-blurred"
        # Without tones: a theme promises that its cursor's two colours can be read together, no others.
        bare = [Cell(cell.text) for cell in row]
        return self._line(" ▸", bare, layout, self.get_component_rich_style(name))

    def _title(self, number: int) -> str:
        """A column's title, with the way that it is ordered by."""
        column = self.columns[number]
        if number != self._by:
            return column.title
        return cut(column.title, max(0, column.width - 1)) + ("↓" if self._reverse else "↑")

    def _line(self, gutter: str, row: Sequence[Cell], layout: list[tuple[int, int]], base: Style) -> Strip:
        segments = [Segment(gutter, base)]
        used = _GUTTER
        for index, width in layout:
            cell = row[index] if index < len(row) else Cell("")
            text = cut(clean(cell.text), width)
            fill = " " * (width - cell_len(text))
            gap = " " * self.columns[index].gap
            style = base
            if cell.tone:
                style = base + self.get_component_rich_style(f"line--{cell.tone}", partial=True)
            padded = f"{fill}{text}" if self.columns[index].right else f"{text}{fill}"
            segments += [Segment(gap, base), Segment(padded, style)]
            used += width + len(gap)
        rest = self._width - used
        if rest > 0:
            segments.append(Segment(" " * rest, base))
        return Strip(segments).crop(0, self._width)
