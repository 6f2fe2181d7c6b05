"""What uses a database, each as it is: paused and resumed, and the database's writes frozen and thawed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from tui.model.errors import PgdrError
from tui.model.paused import FreezeHow, FreezeView, PauseEvent, PauseState, ServiceView
from tui.operations.pause.freeze import statements
from tui.operations.pause.pausing import Pausing
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.pause_rows import COLUMNS, WRITES, Row, cells, details
from tui.screens.recovery.reason import ReasonScreen
from tui.widgets.detail import Detail
from tui.widgets.header import Bearings, IncidentClock, StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import LineTable
from tui.widgets.tones import lines

_LOOK_EVERY_S = 10.0
# The harmless answer first; then how, and whether the sessions of before are ended.
_HOWS = (
    (FreezeHow.READ_ONLY, True),
    (FreezeHow.READ_ONLY, False),
    (FreezeHow.NO_CONNECTIONS, True),
)
_FREEZES = (
    ("not now", "Nothing is changed."),
    ("read-only, end sessions", "New sessions only read; those of now are ended, but for backups."),
    ("read-only, keep sessions", "New sessions only read; those of now may write until they end."),
    ("let nobody in", "No session at all, of superusers and of pgdr neither. A backup can't be taken then."),
)


class PauseScreen(Screen[None]):
    """Given the header's bearings, what pauses one database's services, and in a recovery its clock: a row
    for each, in the order in which they are stopped, and the writes last. It keeps nothing: what is paused is
    on disk."""

    CSS_PATH = "pause.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("pause")
    help_page = "pause"

    class Seen(Message):
        """Services or the writes as they are now."""

        def __init__(self, views: tuple[ServiceView | FreezeView, ...]) -> None:
            super().__init__()
            self.views = views

    class Told(Message):
        """A step of what is being done."""

        def __init__(self, event: PauseEvent) -> None:
            super().__init__()
            self.event = event

    class Ended(Message):
        """What was being done has ended, maybe with an error."""

        def __init__(self, error: PgdrError | None) -> None:
            super().__init__()
            self.error = error

    def __init__(self, bearings: Bearings, pausing: Pausing, incident: IncidentClock | None = None) -> None:
        super().__init__()
        self._incident = incident
        self._bearings = bearings
        self._pausing = pausing
        self._database = pausing.database
        self.doing = ""
        self._rows = {name: Row(name) for name in (*pausing.names, WRITES)}

    @property
    def must_finish(self) -> bool:
        """Whether something is being changed at this moment."""
        return bool(self.doing)

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, f"{self._database.name} › services", incident=self._incident)
        yield LineTable[Row](COLUMNS, cells, lambda row: row.name)
        yield Detail(id="details")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Asks all of them, and again from time to time."""
        self.query_one(LineTable).focus()
        self._show()
        self.action_refresh()
        self.set_interval(_LOOK_EVERY_S, self._look_again)

    # Looking

    def _look_again(self) -> None:
        if self.is_current and not self.doing:
            self.action_refresh()

    def action_refresh(self) -> None:
        """Asks all of them anew."""
        self._ask_services()
        self._ask_writes()

    @work(thread=True, exit_on_error=False, exclusive=True, group="services")
    def _ask_services(self) -> None:
        self.post_message(self.Seen(self._pausing.services()))

    @work(thread=True, exit_on_error=False, exclusive=True, group="writes")
    def _ask_writes(self) -> None:
        self.post_message(self.Seen((self._pausing.writes(),)))

    def on_pause_screen_seen(self, message: Seen) -> None:
        """Shows them."""
        for view in message.views:
            name = view.name if isinstance(view, ServiceView) else WRITES
            self._rows[name] = Row(name, view, self._rows[name].doing if name in self._rows else "")
        self._show()

    def _show(self) -> None:
        writes = self._rows.pop(WRITES)
        self._rows[WRITES] = writes  # the last, also when a service has come
        self.query_one(LineTable).set_rows(self._rows.values())
        self._tell()

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows what is known of the chosen one."""
        self._tell()

    def _tell(self) -> None:
        row = self._chosen
        told = details(row, self._bearings.now()) if row is not None else []
        doing = [f"◌ {self.doing}…"] if self.doing else []
        self.query_one("#details", Detail).update(lines(*doing, *told))
        self.refresh_bindings()

    @property
    def _chosen(self) -> Row | None:
        tables = self.query(LineTable)
        return tables.first().cursor_row if tables else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it does something."""
        row, services = self._chosen, [r for r in self._rows.values() if not r.is_writes]
        writes = self._rows[WRITES]
        if action in ("pause", "resume"):
            if row is None or row.is_writes or row.view is None:
                return False
            if row.view.state is PauseState.UNDECLARED:
                return False
            return row.recorded if action == "resume" else row.view.state is not PauseState.PAUSED
        if action == "pause_all":
            return bool(services)
        if action == "resume_all":
            return any(r.recorded for r in services)
        if action == "thaw":
            return writes.recorded
        if action == "go_past":
            return row is not None and row.recorded
        return True

    # Doing

    def _do(self, doing: str, call: Callable[[], object]) -> None:
        if self.doing:
            self.notify(f"Still at it: {self.doing}", markup=False)
            return
        self.doing = doing
        self._tell()
        self._carry_out(call)

    @work(thread=True, exit_on_error=False, group="do")
    def _carry_out(self, call: Callable[[], object]) -> None:
        error: PgdrError | None = None
        try:
            call()
        except PgdrError as caught:
            error = caught
        except Exception as caught:  # noqa: BLE001 - whatever it is, the screen must not wait for ever
            error = PgdrError(f"pgdr itself went wrong: {type(caught).__name__}.")
        self.post_message(self.Ended(error))

    def _event(self, event: PauseEvent) -> None:
        self.post_message(self.Told(event))

    def on_pause_screen_told(self, message: Told) -> None:
        """Shows what is being done with a service."""
        event = message.event
        row = self._rows.get(event.name)
        if row is not None:
            at_work = event.state in (PauseState.PAUSING, PauseState.RESUMING)
            doing = (event.command or event.what or event.state.value) if at_work else ""
            view = row.view
            if isinstance(view, ServiceView) and not at_work:
                view = replace(view, state=event.state, what=event.what)
            self._rows[event.name] = Row(event.name, view, doing)
            self._show()

    def on_pause_screen_ended(self, message: Ended) -> None:
        """Shows how all of them are then, and what failed."""
        self.doing = ""
        self._rows = {name: replace(row, doing="") for name, row in self._rows.items()}
        self._show()
        self.action_refresh()
        if message.error is not None:
            self.app.push_screen(ErrorScreen.of(self._bearings, message.error))

    def _ask(
        self, title: str, facts: list[tuple[str, str]], action: str, name: str | None, do: Callable[[], None]
    ) -> None:
        if self._pausing.drill:
            facts = [("DRILL", "it is only told what would be done"), *facts]
        asked = ConfirmScreen(title, facts, action=action, name=name)
        self.app.push_screen(asked, lambda yes: do() if yes else None)

    # Services

    def action_pause(self) -> None:
        """Asks, then stops the chosen one."""
        row = self._chosen
        if row is None or not isinstance(row.view, ServiceView):
            return
        name = row.name
        facts = [
            ("service", f"{name}, {row.view.kind}: {row.view.state.value}"),
            *(("runs", command) for command in row.view.stops),
            ("then", "it is listed as paused until it is resumed, whatever becomes of this program"),
        ]
        call = partial(self._pausing.pause, name, self._event)
        self._ask("Pause a service", facts, "pause", name, lambda: self._do(f"pausing {name}", call))

    def action_pause_all(self) -> None:
        """Asks, then stops all of them, in order."""
        views = [row.view for row in self._rows.values() if isinstance(row.view, ServiceView)]
        facts = [
            ("stops", f"{number}. {view.name} ({view.kind}): {view.state.value}")
            for number, view in enumerate(views, 1)
        ]
        facts.append(("if one fails", "it is shown, and the others are stopped all the same"))
        facts.append(("then", "resume all starts those that ran again, in reverse order"))
        call = partial(self._pausing.pause_all, self._event)
        self._ask(
            f"Pause what uses {self._database.name}",
            facts,
            "pause all",
            self._database.dbname,
            lambda: self._do("pausing all", call),
        )

    def action_resume(self) -> None:
        """Asks, then starts the chosen one again."""
        row = self._chosen
        if row is None or not isinstance(row.view, ServiceView):
            return
        name = row.name
        facts = [
            ("service", f"{name}, {row.view.kind}"),
            *(("runs", command) for command in row.view.starts),
            ("then", "it is asked whether it is well, until its deadline"),
        ]
        call = partial(self._pausing.resume, name, self._event)
        self._ask("Resume a service", facts, "resume", None, lambda: self._do(f"resuming {name}", call))

    def action_resume_all(self) -> None:
        """Asks, then starts those that were paused again, in reverse order."""
        waiting = [row.name for row in reversed(self._rows.values()) if row.recorded and not row.is_writes]
        facts = [("starts", f"{number}. {name}") for number, name in enumerate(waiting, 1)]
        facts.append(("then", "each must be well before the next; it ends at the first that fails"))
        if self._rows[WRITES].recorded:
            facts.append(("ALTHOUGH", f"writes to {self._database.dbname} are frozen: thaw it with t"))
        call = partial(self._pausing.resume_all, self._event)
        self._ask("Resume what was paused", facts, "resume all", None, lambda: self._do("resuming all", call))

    def action_go_past(self) -> None:
        """Asks for the reason, then lists the chosen one no longer."""
        row = self._chosen
        if row is None:
            return
        title = "Leave it frozen" if row.is_writes else f"Leave {row.name} as it is"
        meaning = "It stays as it is now, pgdr lists it no longer, and will not resume it."

        def answered(reason: str | None) -> None:
            if reason:
                self._do("writing it down", partial(self._go_past, row, reason))

        self.app.push_screen(ReasonScreen(title, meaning, "go past it"), answered)

    def _go_past(self, row: Row, reason: str) -> None:
        if row.is_writes:
            self._pausing.give_up_freeze(reason)
        else:
            self._pausing.go_past(row.name, reason)

    # Writes

    def action_freeze(self) -> None:
        """Asks how, then for the name, then keeps writes out."""

        def chosen(number: int | None) -> None:
            if number:
                self._ask_freeze(*_HOWS[number - 1])

        view = self._rows[WRITES].view
        sessions = view.sessions if isinstance(view, FreezeView) else None
        about = f"{sessions} sessions are in it now." if sessions else ""
        self.app.push_screen(
            ChooseScreen(f"Freeze the writes of {self._database.dbname}", about, _FREEZES), chosen
        )

    def _ask_freeze(self, how: FreezeHow, end_sessions: bool) -> None:
        ended = "they are ended, but for backups; what they had not committed is lost"
        facts = [
            ("database", f"{self._database.dbname} on {self._database.service}"),
            *(("runs", statement) for statement in statements(self._database, how)),
            ("sessions", ended if end_sessions else "they stay, and may write until they end"),
            ("then", "t thaws it, exactly as it was; a swap takes none of it along"),
        ]
        if how is FreezeHow.READ_ONLY:
            facts.insert(2, ("mind", "it is a default: a session can turn it off for itself"))
        call = partial(self._pausing.freeze, how, end_sessions=end_sessions)
        self._ask("Freeze", facts, "freeze", self._database.dbname, lambda: self._do("freezing", call))

    def action_thaw(self) -> None:
        """Asks, then lets writes in again."""
        view = self._rows[WRITES].view
        record = view.recorded if view is not None else None
        dbname = getattr(record, "dbname", self._database.dbname)
        facts = [("database", dbname), ("then", "it has the settings that it had before the freeze")]
        self._ask("Thaw", facts, "thaw", None, lambda: self._do("thawing", self._pausing.thaw))

    # Leaving

    def action_leave(self) -> None:
        """Leaves; what is being changed is waited for, so that it is known how it ended."""
        if self.doing:
            self.notify(f"One moment: {self.doing}. Then you can leave.", markup=False)
            return
        self.app.pop_screen()
