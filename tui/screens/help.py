"""`?`: what the screen is for and the keys that work where it was pressed, then its page and the shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import ModalScreen, Screen

from tui.model.keys import all_keys
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.keys import bound, key_name, name_of_keys, useful
from tui.widgets.lines import BLANK, FAINT, STRONG, line, wrapped
from tui.widgets.text_lines import TextLines

_SHAPES = (
    ("●", "up: the server answers and the database is there"),
    ("▲", "MISSING: the server answers, the database does not exist"),
    ("✖", "DOWN: nothing answers at its address; or a job, a check, a backup that FAILED"),
    ("⊘", "REFUSED: the server answers and says no (password, pg_hba.conf, too many connections)"),
    ("◌", "waiting for an answer, with the seconds"),
    ("✔", "done, or passed"),
    ("▶", "at work, or the step that is on"),
    ("!", "look closer: a backup much smaller than usual, an error that is explained"),
    ("…", "not all is shown, or not all is known yet"),
    ("–", "not known, or not so here"),
)
_BESIDE = 150  # columns from which the page stands beside the keys
_PAGES = Path(__file__).parent / "pages"
_KEY = re.compile(r"\{([a-z_.]+)\}")
_WHERE = {"here": "on this screen", "moves": "to move", "anywhere": "anywhere"}


class Told(NamedTuple):
    """One line of the help: the key, what it does, where it works (`here`, `moves`, `anywhere`), its id."""

    key: str
    what: str
    where: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Help:
    """What `?` tells of a screen: its keys, and its page as paragraphs and lines."""

    keys: tuple[Told, ...]
    page: str


def help_on(screen: Screen[Any]) -> Help:
    """Given a screen, returns every key that works on it now and its page."""
    changed = dict(getattr(screen.app, "keymap_of_fleet", ()))
    return Help(keys_of(screen), page(getattr(screen, "help_page", ""), changed))


def keys_of(screen: Screen[Any]) -> tuple[Told, ...]:
    """Given a screen, returns every key that works on it now, one line for an action: those of the footer
    first, then the others of this screen, those that move, those of the whole app."""
    known = dict(all_keys())
    found: dict[tuple[str, str], Told] = {}
    for active in sorted(useful(screen), key=lambda active: not active.binding.show):
        binding = active.binding
        moves = (binding.id or "").startswith(("rows.", "text.")) and not binding.show
        where = "anywhere" if active.node is screen.app else "moves" if moves else "here"
        key, name = known.get(binding.id or ""), key_name(binding)
        what = key.told if key is not None and key.label == binding.description else binding.description
        one = found.get((where, what))
        if one is None:
            found[(where, what)] = Told(name, what, where, binding.id or "")
        elif name not in one.key.split():
            found[(where, what)] = one._replace(key=f"{one.key} {name}")
    told = [*found.values(), Told("tab shift+tab", "The next part, the one before.", "moves")]
    return tuple(sorted(told, key=lambda key: list(_WHERE).index(key.where)))


def page(name: str, changed: Mapping[str, str]) -> str:
    """Given a page's name and the keys that a configuration has changed, returns its text, with the keys that
    it names as they are here; an empty text where there is no such page."""
    path = _PAGES / f"{name}.md"
    if not name or not path.is_file():
        return ""
    own = dict(all_keys())

    def key(match: re.Match[str]) -> str:
        id_ = match[1] if "." in match[1] else f"{name}.{match[1]}"
        return name_of_keys(changed.get(id_) or own[id_].keys)

    return _KEY.sub(key, path.read_text(encoding="utf-8"))


def page_lines(text: str, width: int) -> list[Content]:
    """Given a page's text, returns it as lines of at most `width` cells: `#` begins a title, `- ` an item."""
    made: list[Content] = []
    for paragraph in text.strip().split("\n\n"):
        rows = paragraph.split("\n")
        if rows[0].startswith("#"):
            made.append(line((rows[0].lstrip("# ").strip(), STRONG)))
            rows = rows[1:]
        for part in _parts(rows):
            made += wrapped(part.removeprefix("- "), width, "- " if part.startswith("- ") else "")
        made.append(BLANK)
    return made


def _parts(rows: Iterable[str]) -> list[str]:
    """Lines that belong together on one line: an item begins a new one, as does a line of a table."""
    parts: list[str] = []
    for row in rows:
        of_table = row.startswith("  ") and not (parts and parts[-1].startswith("- "))
        if not parts or row.startswith("- ") or of_table:
            parts.append(row)
        else:
            parts[-1] += " " + row.strip()
    return parts


def key_lines(keys: Iterable[Told], width: int) -> list[Content]:
    """Given keys, returns them as lines under where they work, with their ids where there is room."""
    rows = list(keys)
    column = max((len(key.key) for key in rows), default=0) + 2
    made: list[Content] = []
    where = ""
    for key in rows:
        if key.where != where:
            where = key.where
            made += [*([BLANK] if made else []), line((f"Keys {_WHERE[where]}", STRONG))]
        mark = line((key.key.ljust(column), STRONG))
        told = wrapped(key.what, max(30, width - len(key.id) - 2) if width >= 96 else width, mark)
        if key.id and width >= 96:
            told[0] = told[0].pad_right(max(0, width - told[0].cell_length - len(key.id)))
            told[0] = told[0] + line((key.id, FAINT))
        made += told
    return made


def shape_lines(width: int) -> list[Content]:
    """Returns what the shapes mean, as lines."""
    made = [line(("Shapes", STRONG))]
    for shape, meaning in _SHAPES:
        made += wrapped(meaning, width, line((f"{shape}  ", STRONG)))
    return made


class HelpScreen(ModalScreen[None]):
    """Given what is told of a screen and what copies text, shows it; esc, q, ? and enter go back."""

    CSS = """
    HelpScreen { background: $background; }
    HelpScreen #help-keys { width: 1fr; height: 1fr; padding: 0 1; }
    HelpScreen #help-page { width: 82; height: 1fr; padding: 0 1; border-left: solid $border; display: none; }
    HelpScreen.wide #help-page { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("help")
    help_page = "help"

    def __init__(self, bearings: Bearings, told: Help, copy: Callable[[str, str], str]) -> None:
        super().__init__()
        self._bearings = bearings
        self._help = told
        self._copy = copy

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        close = dict(getattr(self.app, "keymap_of_fleet", ())).get("help.close", "escape")
        yield StatusHeader(self._bearings, f"keys · {name_of_keys(close)} goes back")
        with Horizontal():
            yield TextLines(id="help-keys")
            yield TextLines(id="help-page")

    def on_mount(self) -> None:
        """Gives the lines the focus, so that they can be scrolled."""
        self.query_one("#help-keys").focus()

    def on_resize(self) -> None:
        """Puts the page beside where there is room."""
        self.set_class(self.size.width >= _BESIDE and bool(self._help.page), "wide")
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        keys, about = self.query_one("#help-keys", TextLines), self.query_one("#help-page", TextLines)
        width = max(30, keys.size.width - 3)
        rows = key_lines(self._help.keys, width)
        if self.has_class("wide"):
            about.show(page_lines(self._help.page, 78))
            keys.show([*rows, BLANK, *shape_lines(width)])
        else:
            what, _, more = self._help.page.partition("\n\n")
            first, rest = (page_lines(part, min(width, 100)) if part else [] for part in (what, more))
            keys.show([*first, *rows, BLANK, *rest, *shape_lines(width)])

    def action_copy(self) -> None:
        """Copies all of it."""
        rows = [*page_lines(self._help.page, 78), *key_lines(self._help.keys, 78)]
        self.notify(self._copy("help", "\n".join(row.plain.rstrip() for row in rows)), markup=False)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss(None)
