"""Troubles: what is known of an error, found by its text or a few words, and what pgdr can do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from tui.model.trouble import Match, Remedy, Trouble
from tui.operations.plan.remedies import told as in_words
from tui.postgres.troubles.search import search
from tui.postgres.troubles.troubles import troubles
from tui.screens.recovery.choose import ChooseScreen
from tui.widgets.filter import FilterBar
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.lines import BLANK, FAINT, STRONG, line, wrapped
from tui.widgets.text_lines import TextLines
from tui.widgets.tones import DIM, Cell, Piece
from tui.widgets.tones import STRONG as BOLD

_COLUMNS = (
    Column("trouble", 40, wide=60, gap=0),
    Column("fits", 7),
    Column("pgdr can", 22, wide=60, priority=1),
)


class TroublesScreen(Screen[None]):
    """Given an error's text (nothing: all that is known) and the database that it is about, if that is known,
    shows the troubles that fit, the best first; what is typed looks anew."""

    CSS_PATH = "troubles.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("troubles")
    help_page = "troubles"

    class Wanted(Message):
        """Something that pgdr can do is wanted, for the database if one is known."""

        def __init__(self, remedy: Remedy, database: str | None) -> None:
            super().__init__()
            self.remedy = remedy
            self.database = database

    def __init__(self, bearings: Bearings, text: str = "", database: str | None = None) -> None:
        super().__init__()
        self._bearings = bearings
        # A field is one line: of an error's lines the first ones tell what it is.
        self._text = " ".join(text.split())[:500]
        self._database = database

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, "troubles")
        yield FilterBar(always=True, hint="an error's text, or a few words")
        yield LineTable[Match](
            _COLUMNS, _cells, lambda match: match.trouble.key, enter="let pgdr do it…", empty=""
        )
        yield TextLines(id="trouble")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Looks for the text that it was opened with."""
        bar = self.query_one(FilterBar)
        if self._text:
            bar.look_for(self._text)
        self._find(self._text)
        if self._text and self.query_one(LineTable).rows:
            self.query_one(LineTable).focus()
        else:
            bar.open()

    def action_filter(self) -> None:
        """Types another text."""
        self.query_one(FilterBar).open()

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Looks as one types."""
        self._find(message.text)

    def on_filter_bar_closed(self) -> None:
        """Gives the rows the focus."""
        self.query_one(LineTable).focus()

    def _find(self, text: str) -> None:
        found: Sequence[Match] = search(text) if text.strip() else _all()
        table = self.query_one(LineTable)
        table.empty = "Nothing is known of that. The error's own words, without names, may find more."
        table.set_rows(found)
        if found:
            table.go_to(found[0].trouble.key)
        self._tell()

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows what is known of the chosen one."""
        self._tell()

    def on_text_lines_resized(self, event: TextLines.Resized) -> None:
        """Wraps anew."""
        event.stop()
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        """Wraps for the width there is."""
        self.call_after_refresh(self._tell)

    @property
    def _chosen(self) -> Trouble | None:
        match: Match | None = self.query_one(LineTable).cursor_row
        return match.trouble if match is not None else None

    def _tell(self) -> None:
        shown = self.query_one("#trouble", TextLines)
        trouble = self._chosen
        shown.show(trouble_lines(trouble, max(40, shown.size.width - 2)) if trouble is not None else [])
        self.refresh_bindings()

    # Acting

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offered where there is something that pgdr can do."""
        if action == "act":
            trouble = self._chosen if self.query(LineTable) else None
            return trouble is not None and bool(self._possible(trouble))
        return True

    def _possible(self, trouble: Trouble) -> tuple[Remedy, ...]:
        changing = (Remedy.CREATE_DATABASE, Remedy.RECOVER, Remedy.END_SESSIONS)
        return tuple(r for r in trouble.remedies if not (self._bearings.read_only and r in changing))

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter: what pgdr can do."""
        self.action_act()

    def action_act(self) -> None:
        """Asks which of the things that pgdr can do."""
        trouble = self._chosen
        possible = self._possible(trouble) if trouble is not None else ()
        if trouble is None or not possible:
            return
        choices = [("nothing", "Goes back to what is known of it.")]
        choices += [(in_words(r).what, f"on the command line: {in_words(r).command}") for r in possible]

        def answered(choice: int | None) -> None:
            if choice:
                self.post_message(self.Wanted(possible[choice - 1], self._database))

        self.app.push_screen(ChooseScreen("Let pgdr do it", trouble.symptom, choices), answered)


def trouble_lines(trouble: Trouble, width: int) -> list[Content]:
    """Given a trouble, returns its cause, what to do, what pgdr can do, and what it looks like."""
    made = wrapped(trouble.symptom, width, style=STRONG)
    made += wrapped(trouble.cause, width, line(("why   ", FAINT)))
    for what in trouble.do:
        made += wrapped(what, width, line(("do    ", FAINT)))
    for remedy in trouble.remedies:
        made += wrapped(
            f"{in_words(remedy).what}  ({in_words(remedy).command})", width, line(("pgdr  ", FAINT))
        )
    if trouble.said:
        made += [BLANK, line(("What it looks like", FAINT))]
        made += [row for said in trouble.said for row in wrapped(said, width, "  ", style=FAINT)]
    return made


def _cells(match: Match) -> list[Piece]:
    what = ", ".join(in_words(remedy).short for remedy in match.trouble.remedies)
    fits = Cell("surely", BOLD) if match.sure else Cell("perhaps" if match.score else "", DIM)
    return [match.trouble.symptom, fits, Cell(what, DIM)]


def _all() -> tuple[Match, ...]:
    return tuple(Match(trouble, 0.0, False) for trouble in troubles())
