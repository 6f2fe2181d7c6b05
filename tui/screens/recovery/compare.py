"""Two candidates compared by what is in them: which tables differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.incident.candidates import Candidate
from tui.incident.compare import Pair, Side, compare
from tui.model import amounts as show
from tui.model.text import clean
from tui.screens import go
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.lines import BAD, FAINT, GOOD, STRONG, WARN, fit, line, right
from tui.widgets.text_lines import TextLines

_NUMBER = 13


class CompareScreen(Screen[None]):
    """Given two candidates that were looked into, shows their tables side by side, what differs first."""

    CSS = """
    CompareScreen { background: $background; }
    CompareScreen #about { height: auto; padding: 0 1; border-bottom: solid $rule; }
    CompareScreen TextLines { height: 1fr; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("read")
    help_page = "compare"

    def __init__(self, bearings: Bearings, one: Candidate, other: Candidate) -> None:
        super().__init__()
        self._bearings = bearings
        # The older one first: what came in between is then what is more.
        self._one, self._other = sorted((one, other), key=lambda c: c.backup.sort_time)

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, "pick › compare")
        yield Static("", markup=False, id="about")
        yield TextLines()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Shows the two."""
        self.query_one("#about", Static).update(f"A {_about(self._one)}\nB {_about(self._other)}")
        self.query_one(TextLines).focus()
        self._show()

    def on_text_lines_resized(self, event: TextLines.Resized) -> None:
        """Lays the columns out for the room there is."""
        event.stop()
        self._show()

    def _show(self) -> None:
        told = self.query_one(TextLines)
        one, other = self._one.description, self._other.description
        if one is not None and other is not None:
            told.show(pair_lines(compare(one, other), max(60, told.size.width - 2)))

    @property
    def name_of_copy(self) -> str:
        """What a copy of it is called."""
        return "compared-backups"

    def action_copy(self) -> None:
        """Copies what is shown."""
        text = f"A {_about(self._one)}\nB {_about(self._other)}\n\n{self.query_one(TextLines).plain}"
        self.post_message(go.Copy(self.name_of_copy, text))


def _about(candidate: Candidate) -> str:
    backup = candidate.backup
    done = backup.verification
    verified = f"verified {done.verdict.value} {show.day_minute(done.at)}" if done else "never verified"
    taken = show.minute(backup.sort_time)
    return f"{clean(backup.ref)} · {taken} UTC · {show.size(backup.size_bytes)} · {verified}"


def pair_lines(pairs: Sequence[Pair], width: int) -> list[Content]:
    """Given the tables of two backups A and B, returns how many differ and a line for each table."""
    differ = sum(pair.differs is True for pair in pairs)
    same = sum(pair.differs is False for pair in pairs)
    wide = width >= 58 + 2 * 10
    name = max(14, min(40, width - 10 - 3 * _NUMBER - (20 if wide else 0)))
    head = [
        line((f"{show.plural(differ, 'table')} differ" if differ != 1 else "1 table differs", STRONG)),
    ]
    head[0] = line(head[0], (f" · {show.plural(same, 'table')} the same", FAINT))
    if unknown := len(pairs) - differ - same:
        head[0] = line(head[0], (f" · of {show.plural(unknown, 'table')} nothing tells", FAINT))
    titles = ["rows in A", "rows in B", "difference"]
    columns = line(
        " " * 10,
        fit(line(("table", FAINT)), name),
        *(right(line((title, FAINT)), _NUMBER) for title in titles),
        *(right(line((title, FAINT)), 10) for title in (("size A", "size B") if wide else ())),
    )
    return [*head, columns, *(_pair(pair, name, wide) for pair in pairs)]


def _pair(pair: Pair, name: int, wide: bool) -> Content:
    if pair.one is None or pair.other is None:
        word, style = ("+ only B  ", WARN) if pair.one is None else ("✘ only A  ", BAD)
    elif pair.differs:
        lost = (pair.change or 0) < 0
        word, style = ("! fewer   ", WARN) if lost else ("· differs ", "")
    elif pair.differs is None:
        word, style = "? unknown ", FAINT
    else:
        word, style = "✔ same    ", GOOD
    change = pair.change
    said = show.UNKNOWN if change is None else "none" if change == 0 else f"{change:+,}"
    table = clean(pair.name if pair.schema == "public" else f"{pair.schema}.{pair.name}")
    sizes = (_size(pair.one), _size(pair.other)) if wide else ()
    return line(
        (word, style),
        fit(line(table), name),
        right(line(_rows(pair.one)), _NUMBER),
        right(line(_rows(pair.other)), _NUMBER),
        right(line(said), _NUMBER),
        *(right(line(size), 10) for size in sizes),
    )


def _rows(side: Side | None) -> str:
    return "not in it" if side is None else show.count(side.rows)


def _size(side: Side | None) -> str:
    return show.UNKNOWN if side is None else show.size(side.size_bytes)
