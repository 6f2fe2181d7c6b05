"""The line at the top: where you are, whether you may write, what time it is, what time is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.model import amounts as show
from tui.model.text import clean
from tui.widgets.format import cut
from tui.widgets.tones import BAD, DIM, STRONG, WARN, Cell, lines, told

if TYPE_CHECKING:
    from tui.incident.clocks import Clocks


@dataclass(frozen=True, slots=True)
class Bearings:
    """What every screen's header knows: the fleet's name, whether writing is off, the clock (aware UTC)."""

    fleet: str
    read_only: bool
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class IncidentClock:
    """An incident as the header shows it. `ended_at` stops its clock; with `clocks` a second line tells all
    of them. A drill is called one."""

    id: str
    database: str
    declared_at: datetime
    rto: timedelta
    ended_at: datetime | None = None
    drill: bool = False
    clocks: Clocks | None = None


class StatusHeader(Widget):
    """Two lines: the status and a rule.

    Given the bearings and the place (`backups`); `connected` says to what (`127.0.0.1:5433 · 41 MB ·
    6 sessions`) where there is room for it; with `incident` the line tells its time against the RTO.
    The three can be set later. Redraws once a minute: an idle screen is quiet on the wire.
    """

    DEFAULT_CSS = """
    StatusHeader { dock: top; height: 2; border-bottom: solid $border; }
    """

    class Minute(Message):
        """A full minute has come: what tells times below the header moves on with it."""

    place: reactive[str] = reactive("")
    connected: reactive[str] = reactive("")
    incident: reactive[IncidentClock | None] = reactive(None)

    def __init__(
        self,
        bearings: Bearings,
        place: str = "",
        *,
        connected: str = "",
        incident: IncidentClock | None = None,
    ) -> None:
        super().__init__()
        self.bearings = bearings
        self.set_reactive(StatusHeader.place, place)
        self.set_reactive(StatusHeader.connected, connected)
        self.set_reactive(StatusHeader.incident, incident)

    def on_mount(self) -> None:
        """Starts the minute's clock."""
        self._wait_for_minute()

    def _wait_for_minute(self) -> None:
        now = self.bearings.now()
        # A little past the full minute: a timer that fires early would show the old one for a minute.
        self.set_timer(60.05 - now.second - now.microsecond / 1e6, self._minute)

    def _minute(self) -> None:
        self.refresh()
        self.post_message(self.Minute())
        self._wait_for_minute()

    def render(self) -> Content:
        """Returns the line for the width there is."""
        width = self.size.width
        mode = Cell("READ-ONLY", STRONG) if self.bearings.read_only else Cell("WRITE", WARN)
        if self.incident is not None:
            first = self._incident_line(self.incident, mode, width)
            if self.incident.clocks is None:
                return first
            from tui.widgets.clock_line import clock_line  # only an incident needs it and what it loads

            return lines(first, clock_line(self.incident.clocks, width, drill=self.incident.drill))
        now = show.minute(self.bearings.now()) + " UTC"
        right = cell_len(mode.text) + cell_len(now) + 4
        fleet, place = clean(self.bearings.fleet), clean(self.place)
        left = cut(f"{fleet} › {place}" if place else fleet, max(8, width - right - 9))
        room = width - right - 7 - cell_len(left) - 3
        connected = clean(self.connected)
        middle = f"   {cut(connected, room)}" if connected and room >= 12 else ""
        gap = width - 7 - cell_len(left) - cell_len(middle) - right + 1
        return told(Cell(" pgdr", STRONG), "  ", left, Cell(middle, DIM), " " * max(1, gap), mode, "  ", now)

    def _incident_line(self, incident: IncidentClock, mode: Cell, width: int) -> Content:
        now = self.bearings.now()
        used = (incident.ended_at or now) - incident.declared_at
        over = used > incident.rto
        spent = f"{show.age(used)} used" + (" OVER" if over else "")
        clock = Cell(f"RTO {show.limit(incident.rto)} · {spent}", BAD if over else STRONG)
        kind = "DRILL" if incident.drill else "INCIDENT"
        title, time = f" {kind} {clean(incident.id)}", show.clock(now)
        name = clean(incident.database)
        declared = "" if incident.clocks else f"declared {show.clock(incident.declared_at)}"
        fixed = sum(map(cell_len, (title, clock.text, mode.text, time))) + 4 * len("  ")
        # What can be read elsewhere goes first: when it was declared, then the end of a long name.
        if fixed + cell_len(name) + 2 + cell_len(declared) > width:
            declared = ""
        room = width - fixed - (cell_len(declared) + 2 if declared else 0)
        name = cut(name, max(6, room))
        middle = f"  {declared}" if declared else ""
        gap = width - fixed - cell_len(name) - cell_len(middle)
        return told(
            Cell(title, WARN if incident.drill else BAD), "  ", Cell(name, STRONG), middle,
            "  " + " " * max(0, gap), clock, "  ", mode, "  ", time,
        )  # fmt: skip
