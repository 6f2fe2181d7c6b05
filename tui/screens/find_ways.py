"""The way to everything that has a name: ctrl+p."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens.drill_ways import DrillWays

if TYPE_CHECKING:
    from tui.screens.find import Found


class FindWays(DrillWays):
    """An app in which all that it knows can be found by typing."""

    def action_find(self) -> None:
        """Lets any command, database, backup, incident or job be found."""
        from tui.screens.find import FindScreen
        from tui.screens.findable import findable, paths

        def answered(found: Found | None) -> None:
            if found is not None:
                self.call_later(found.go)

        self.push_screen(FindScreen(self._house, findable(self), paths(self)), answered)
