"""The table that costs what is visible."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tests.screens.eyes import NARROW, screen_lines, screen_text, until
from tui.widgets.line_table import Column, LineTable, fit
from tui.widgets.tones import BAD, Cell, Piece

COLUMNS = (
    Column("name", 10, wide=30),
    Column("size", 6, right=True, priority=2),
    Column("state", 8, priority=1),
)


class Host(App[int]):
    """An app with nothing but the table."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        self.highlighted: list[int | None] = []
        self.chosen: list[int] = []
        self.table = LineTable[int](
            COLUMNS, self.cells, lambda row: row, order=lambda row: -row, enter="open"
        )

    def cells(self, row: int) -> list[Piece]:
        self.made += 1
        return [f"row {row}", str(row * 10), Cell("BROKEN", BAD)]

    def compose(self) -> ComposeResult:
        yield self.table

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        self.highlighted.append(message.row)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        self.chosen.append(message.row)


def test_narrow_terminals_lose_the_least_important_columns() -> None:
    assert [index for index, _ in fit(COLUMNS, 80)] == [0, 1, 2]
    assert [index for index, _ in fit(COLUMNS, 24)] == [0, 2]
    assert [index for index, _ in fit(COLUMNS, 15)] == [0]
    assert dict(fit(COLUMNS, 200))[0] == 30
    assert fit(COLUMNS, 10) == [(0, 6)]
    for width in range(5, 120):
        used = 2 + sum(cells + COLUMNS[index].gap for index, cells in fit(COLUMNS, width))
        assert used <= width


async def test_two_hundred_thousand_rows_cost_what_is_visible() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.table.set_rows(range(200_000))
        await pilot.pause()
        await pilot.press("end")
        await pilot.press("pageup", "pageup")
        assert "row 0 " not in screen_text(app)
        assert app.table.cursor_row == 44
        # Each redraw makes the visible rows, never the others.
        assert app.made < 24 * 40


async def test_the_cursor_stays_on_its_row_while_rows_arrive() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.table.set_rows([1, 2, 3])
        await pilot.pause()
        assert app.table.cursor_row == 3
        app.table.add_rows([5, 4])
        await pilot.pause()
        assert app.table.cursor_row == 5  # nobody has moved it: the newest stays in sight
        await pilot.press("down", "j")
        assert app.table.cursor_row == 3
        app.table.add_rows(range(6, 90))
        await pilot.pause()
        assert app.table.cursor_row == 3
        assert any("▸" in line and "row 3 " in line for line in screen_lines(app))
        assert app.highlighted[-1] == 3


async def test_filter_wants_every_word_in_either_case() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.table.set_rows(range(100))
        app.table.filter("9")
        await pilot.pause()
        assert len(app.table.seen) == 19
        app.table.filter("nothing")
        app.table.empty = "None of them."
        await pilot.pause()
        assert app.table.cursor_row is None
        assert "None of them." in screen_text(app)
        await pilot.press("enter", "up", "pagedown")
        assert app.chosen == []
        app.table.filter("")
        await pilot.pause()
        await pilot.press("enter")
        assert app.chosen == [99]


async def test_a_row_is_cleaned_cut_and_never_read_as_markup() -> None:
    app = Host()
    app.cells = lambda row: ["[/x] [bold]a\x1b[31m\u202e" + "x" * 80, "1", ""]  # type: ignore[method-assign]
    async with app.run_test(size=NARROW) as pilot:
        app.table._cells = app.cells
        app.table.set_rows([1])
        await pilot.pause()
        line = next(line for line in screen_lines(app) if "[/x]" in line)
        assert "[/x] [bold]a\\x1b[31m" in line and "…" in line
        assert "\x1b" not in line and "\u202e" not in line


async def test_the_scrollbar_hides_nothing() -> None:
    app = Host()
    app.table.columns = (Column("name", 10), Column("end", 64))
    async with app.run_test(size=NARROW) as pilot:
        app.table._cells = lambda row: [f"row {row}", "x" * 64]
        app.table.set_rows(range(5))
        await pilot.pause()
        assert screen_lines(app)[1].rstrip().endswith("x" * 64)
        app.table.set_rows(range(500))
        await pilot.pause()
        await pilot.pause()
        line = screen_lines(app)[1]
        assert line[78] == "…" and line[79] != "x"


async def test_a_click_moves_the_cursor() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.table.set_rows(range(10))
        await pilot.pause()
        await pilot.click(LineTable, offset=(5, 3))
        assert app.table.cursor_row == 7


def ordered() -> LineTable[int]:
    """A table of many rows that can be ordered by their size; every seventh has none."""
    columns = (
        Column("name", 10),
        Column("size", 6, value=lambda row: None if row % 7 == 0 else row % 1000, down=True),
    )
    return LineTable[int](columns, lambda row: [f"row {row}", str(row % 1000)], lambda row: row)


async def test_rows_are_ordered_by_a_column_either_way_round_and_as_they_came_again() -> None:
    app = Host()
    app.table = ordered()
    async with app.run_test(size=NARROW) as pilot:
        app.table.set_rows([3, 7, 1005, 2, 14])
        await pilot.press("down", "down", "o")
        assert list(app.table.seen) == [1005, 3, 2, 7, 14] and "size↓" in screen_text(app)
        assert app.table.cursor_row == 1005  # the cursor stays on its row
        await pilot.press("O")
        assert list(app.table.seen) == [2, 3, 1005, 7, 14] and "size↑" in screen_text(app)
        app.table.add_rows([4])
        assert list(app.table.seen) == [2, 3, 4, 1005, 7, 14]
        await pilot.press("o")
        assert list(app.table.seen) == [3, 7, 1005, 2, 14, 4]


async def test_many_rows_are_ordered_and_filtered_a_little_at_a_time_and_completely() -> None:
    app = Host()
    app.table = ordered()
    many = list(range(60_000))
    async with app.run_test(size=NARROW) as pilot:
        app.table.set_rows(many)
        await pilot.press("o")
        app.table.filter("9")
        app.table.filter("99")  # before the first is done
        wanted = [row for row in many if "99" in str(row)]
        await until(pilot, lambda: app.table.count == (len(wanted), 60_000))
        assert sorted(app.table.seen) == wanted
        sizes = [row % 1000 if row % 7 else -1 for row in app.table.seen]
        assert sizes == sorted(sizes, reverse=True)
        app.table.filter("")
        await until(pilot, lambda: app.table.count[0] == 60_000)


async def test_a_table_without_such_a_column_offers_no_ordering() -> None:
    app = Host()
    async with app.run_test(size=NARROW) as pilot:
        app.table.set_rows([1, 2])
        await pilot.press("o", "O")
        assert list(app.table.seen) == [2, 1]
