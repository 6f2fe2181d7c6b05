"""Rows that are filtered and added to: whatever is typed and comes, the right ones are seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.line_rows import STEP, LineRows

WORDS = st.text("ab ", max_size=4)
DOINGS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(WORDS, max_size=5)),
        st.tuples(st.just("filter"), WORDS),
        st.tuples(st.just("begin to filter"), WORDS),
        st.tuples(st.just("order"), st.sampled_from(["", "up", "down"])),
    ),
    max_size=12,
)


@given(DOINGS)
def test_what_is_seen_is_what_the_filter_lets_through(doings: list[tuple[str, object]]) -> None:
    model, all_rows, needle, order = LineRows[str](str, None), list[str](), "", ""
    for doing, what in doings:
        if doing == "add":
            assert isinstance(what, list)
            model.extend(what)
            all_rows += what
            list(model.look())
        elif doing == "order":
            order = str(what)
            list(model.order_by(len if order else None, order == "down"))
        else:
            needle = str(what)
            steps = model.look(tuple(needle.split()))
            if doing == "begin to filter":
                next(steps, None)
                list(model.look())
            else:
                list(steps)
        expected = [row for row in all_rows if all(word in row for word in needle.split())]
        if order:
            expected.sort(key=len, reverse=order == "down")
        assert [line.row for line in model.seen] == expected


def test_what_is_added_behind_is_all_that_is_looked_at() -> None:
    looked: list[str] = []

    def words(row: str) -> str:
        looked.append(row)
        return row

    model = LineRows[str](words, None)
    model.extend([f"row {number}" for number in range(3 * STEP)])
    list(model.look(("row",)))
    looked.clear()
    for line in model.lines:
        line.words = None  # looked at again, it would be made again
    model.extend(["row of later", "other"])
    list(model.look())
    assert looked == ["row of later", "other"] and model.seen[-1].row == "row of later"
