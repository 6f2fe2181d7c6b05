"""What every pane of the recovery works with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tui.incident.clocks import Clocks, clocks
from tui.model.errors import PgdrError
from tui.model.fleet import Fleet
from tui.model.incident import Incident
from tui.widgets.header import Bearings

if TYPE_CHECKING:
    from tui.incident.guide import Guide


@dataclass(frozen=True, slots=True)
class Desk:
    """The guide, which knows everything; the fleet; the header's bearings; and what copies text
    (`copy(name, text)` puts it on the clipboard and into a file, and answers with what it did).

    `wanted` is a backup that a person has chosen elsewhere: the second step begins on it."""

    guide: Guide
    fleet: Fleet
    bearings: Bearings
    copy: Callable[[str, str], str]
    wanted: str | None = None

    @property
    def incident(self) -> Incident:
        """The incident as it is now."""
        return self.guide.incident

    @property
    def may_write(self) -> bool:
        """Whether anything may be decided or done here: neither in read-only mode, nor once it is closed, nor
        while another engineer drives."""
        return not self.bearings.read_only and self.incident.closed_at is None and self.guide.drives

    @property
    def deadline(self) -> datetime:
        """When the recovery must be over: the objective counts from the declaration."""
        return self.clocks.deadline

    @property
    def clocks(self) -> Clocks:
        """The clocks of this moment."""
        picture = None
        with suppress(PgdrError):  # the job's directory was removed: its clocks are gone, the others aren't
            picture = self.guide.restore_picture()
        return clocks(self.fleet, self.incident, self.guide.database, picture, self.now())

    def now(self) -> datetime:
        """The time, in UTC."""
        return self.bearings.now()
