"""Handing an incident over: who has it open sees in seconds what another changes, and can take it over."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from tui.model import amounts as show
from tui.model.errors import PgdrError
from tui.model.incident import Incident
from tui.model.text import clean
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.desk import Desk
from tui.screens.recovery.drive import DriveLine, drive_line
from tui.widgets.keys import bound

_LOOK_EVERY_S = 1.0


class DrivenScreen(Screen[None]):
    """A screen on one incident. It looks at the time of the incident's file, which costs next to nothing, and
    reads it anew when another process has written it."""

    BINDINGS: ClassVar[list[BindingType]] = bound("driven")

    class Seen(Message):
        """The incident was read anew, or taken over; `drove` is whether who sits here drove it before."""

        def __init__(self, before: Incident, after: Incident, drove: bool) -> None:
            super().__init__()
            self.before, self.after, self.drove = before, after, drove

    class Unread(Message):
        """It couldn't be read, or not be taken over."""

        def __init__(self, error: PgdrError) -> None:
            super().__init__()
            self.error = error

    desk: Desk
    _written = 0

    def on_mount(self) -> None:
        """Begins to look."""
        self._written = self.desk.guide.written_at()
        self.set_interval(_LOOK_EVERY_S, self._look)
        self.tell_drive()

    def changed_elsewhere(self, mine_before: bool) -> None:
        """For the screen to fill in: the incident is another now; `mine_before` says whether who sits here
        drove it until then."""

    def tell_drive(self) -> None:
        """Says who drives."""
        for told in self.query(DriveLine):
            told.show(drive_line(self.desk.incident, self.desk.guide.drives))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """It can be taken over while another drives it."""
        if action == "take_over":
            free = not self.desk.bearings.read_only and self.desk.incident.closed_at is None
            return free and not self.desk.guide.drives
        return super().check_action(action, parameters)

    # Looking

    def _look(self) -> None:
        written = self.desk.guide.written_at()
        if written != self._written:
            self._written = written
            self._read_again()

    @work(thread=True, exit_on_error=False, exclusive=True, group="incident")
    def _read_again(self) -> None:
        before, drove = self.desk.incident, self.desk.guide.drives
        try:
            after = self.desk.guide.look_again()
        except PgdrError as error:
            self.post_message(self.Unread(error))
        else:
            self.post_message(self.Seen(before, after, drove))

    @on(Unread)
    def _unread(self, event: Unread) -> None:
        self.notify(str(event.error), severity="error", markup=False)

    @on(Seen)
    def _seen(self, event: Seen) -> None:
        after, drove = event.after, event.drove
        if drove and not self.desk.guide.drives:
            at = show.clock(after.driver_since)
            said = f"{clean(after.driving, 60)} has taken incident {after.id} over at {at}: you watch now."
            self.notify(said, severity="warning", timeout=15, markup=False)
        self.tell_drive()
        self.changed_elsewhere(drove)
        self.refresh_bindings()

    # Taking over

    def action_take_over(self) -> None:
        """Asks, then drives."""
        incident = self.desk.incident
        since = show.minute(incident.driver_since or incident.declared_at)
        facts = [
            ("incident", f"{'DRILL ' if incident.drill else ''}{incident.id}, {incident.database}"),
            ("drives", f"{incident.driving}, since {since} UTC"),
            ("then", f"you, {self.desk.guide.operator}: the other can change nothing any more, and is told"),
            ("goes on", "what runs; the timeline says who took over, and when"),
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                self._take_over()

        self.app.push_screen(ConfirmScreen("Take the incident over", facts, action="take over"), answered)

    @work(thread=True, exit_on_error=False, group="take over")
    def _take_over(self) -> None:
        before = self.desk.incident
        try:
            after = self.desk.guide.take_over()
        except PgdrError as error:
            self.post_message(self.Unread(error))
        else:
            self.post_message(self.Seen(before, after, False))
