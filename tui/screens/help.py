"""`?`: every key that works where it was pressed, and what the shapes mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import key_name, useful
from tui.widgets.line_table import Column, LineTable
from tui.widgets.tones import STRONG, Cell

_COLUMNS = (Column("key", 16, gap=0), Column("what it does", 40, wide=90), Column("where", 10, priority=1))
_SHAPES = (
    ("●", "up: the server answers and the database is there"),
    ("▲", "MISSING: the server answers, the database does not exist"),
    ("✖", "DOWN: nothing answers at its address; or a job, a check, a backup that FAILED"),
    ("⊘", "REFUSED: the server answers and says no (password, pg_hba.conf, too many connections)"),
    ("◌", "waiting for an answer, with the seconds"),
    ("!", "look closer: a backup much smaller than usual, an error that is explained"),
    ("…", "not all is shown, or not all is known yet"),
    ("–", "not known, or not so here"),
)


class Key(NamedTuple):
    """One line of the help."""

    key: str
    what: str
    where: str


def keys_of(screen: Screen[Any]) -> list[Key]:
    """Given a screen, returns every key that works on it now, one line for an action."""
    found: dict[tuple[str, str], Key] = {}
    for active in useful(screen):
        binding = active.binding
        where = "here" if active.node is screen else "anywhere" if active.node is screen.app else "rows"
        name = key_name(binding)
        one = found.get((where, binding.description))
        if one is None:
            found[(where, binding.description)] = Key(name, binding.description, where)
        elif name not in one.key:
            found[(where, binding.description)] = one._replace(key=f"{one.key} {name}")
    order = {"here": 0, "rows": 1, "anywhere": 2}
    keys = [*found.values(), Key("tab shift+tab", "the next part, the one before", "anywhere")]
    keys.append(Key("ctrl+p", "find any command by its name", "anywhere"))
    return sorted(keys, key=lambda key: order[key.where])


class HelpScreen(ModalScreen[None]):
    """Given the keys of a screen, shows them; any of esc, q, ? and enter goes back."""

    CSS = "HelpScreen { background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "close", "back", show=False),
    ]

    def __init__(self, bearings: Bearings, keys: Iterable[Key]) -> None:
        super().__init__()
        self._bearings = bearings
        self._lines = [
            *keys,
            Key("", "", ""),
            *(Key(shape, meaning, "shape") for shape, meaning in _SHAPES),
        ]

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, "keys · esc goes back")
        yield LineTable[tuple[int, Key]](
            _COLUMNS,
            lambda line: [Cell(line[1].key, STRONG), line[1].what, line[1].where],
            lambda line: line[0],
        )

    def on_mount(self) -> None:
        """Shows the keys."""
        table = self.query_one(LineTable)
        table.set_rows(enumerate(self._lines))
        table.focus()

    def on_line_table_chosen(self) -> None:
        """Enter goes back, too."""
        self.action_close()

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)
