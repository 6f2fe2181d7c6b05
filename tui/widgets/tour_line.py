"""The tour's hint: a few words above the keys, which take their room from what scrolls and cover nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from textual.content import Content

from tui.model.keys import all_keys
from tui.model.text import clean
from tui.widgets.keys import name_of_keys
from tui.widgets.lines import BLANK, STRONG, line
from tui.widgets.sized import SizedStatic

_KEY = re.compile(r"\{([a-z_.]+)\}")


def with_keys(text: str, changed: Mapping[str, str]) -> str:
    """Given a text that names keys as `{scope.name}`, and those that a configuration has changed, returns it
    with the keys as a person knows them."""
    own = dict(all_keys())
    return _KEY.sub(lambda match: name_of_keys(changed.get(match[1]) or own[match[1]].keys), text)


class TourLine(SizedStatic):
    """Shows what it was told last."""

    DEFAULT_CSS = """
    TourLine { height: auto; padding: 0 1; border-top: solid $border; }
    TourLine.below { dock: bottom; }
    """

    def __init__(self, *, below: bool = False) -> None:
        """`below`: on a screen without a line of keys it stands at the bottom itself."""
        super().__init__(BLANK, markup=False, classes="below" if below else "")
        self._said = ""

    def show(self, text: str) -> None:
        """Given a hint, says it; what it says already isn't drawn again."""
        if text != self._said:
            self._said = text
            self.update(line(("▶ tour  ", STRONG), clean(text)))

    @property
    def plain(self) -> str:
        """What it says."""
        return self.content.plain if isinstance(self.content, Content) else str(self.content)
