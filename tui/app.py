"""The terminal app: it wires the rooms to the screens and knows the way between them, nothing else."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui.config.resources import themes_directory
from tui.files import private_directory, write_whole
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.jobs.job import jobs_directory
from tui.jobs.lock import is_held
from tui.model import amounts as show
from tui.model.errors import ConfigError, PgdrError
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident
from tui.model.text import clean, stamp
from tui.screens import go
from tui.screens.backups import BackupsScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.fleet import FleetScreen
from tui.screens.help import HelpScreen, keys_of
from tui.screens.incidents import IncidentsScreen
from tui.screens.jobs import JobsScreen
from tui.screens.recovery.desk import Desk
from tui.screens.recovery.pane import StepPane
from tui.screens.recovery.screen import RecoveryScreen
from tui.screens.restore import RestoreScreen
from tui.screens.rooms import House, Rooms, rooms_of
from tui.screens.text import TextScreen
from tui.widgets.ascii import AsciiFilter
from tui.widgets.header import Bearings
from tui.widgets.keys import key_name, useful
from tui.widgets.themes import load_themes

DEFAULT_THEME = "dark"
# asyncio's own pool has six threads on two cores: six slow stores would hold up everything else.
_THREADS = 64
_GRACE_S = 0.3


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


class PgdrApp(App[int]):
    """The app on one fleet. `rooms` and `now` are given by tests; everyone else gets the real ones."""

    TITLE = "pgdr"
    CSS = """
    Screen { background: $background; color: $foreground; }
    Toast { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "keys"),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True),
    ]

    def __init__(
        self,
        fleet: Fleet,
        state: Path,
        read_only: bool = False,
        theme: str | None = None,
        ascii_only: bool = False,
        *,
        operator: str = "unknown",
        incident: str | None = None,
        rooms: Rooms | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self._fleet = fleet
        self._state = state
        self._operator = operator
        self._first_incident = incident
        self._bearings = Bearings(fleet.name, read_only, now)
        self._house = House(fleet, rooms or rooms_of(fleet, state, now, operator), self._bearings)
        self.crashed: Path | str | None = None
        self._notices: list[str] = []
        if ascii_only:
            self._filters.append(AsciiFilter())
        self._wear(theme)

    # Looks

    def _wear(self, wanted: str | None) -> None:
        found = load_themes(themes_directory())
        for theme in found.themes.values():
            self.register_theme(theme)
        self._notices += [str(problem) for problem in found.problems]
        if wanted is not None and wanted not in self.available_themes:
            names = ", ".join(sorted(found.themes))
            self._notices.append(f"There is no theme {clean(wanted, 40)}; there are {names}.")
            wanted = None
        chosen = wanted or DEFAULT_THEME
        if chosen in self.available_themes:
            self.theme = chosen

    def get_css_variables(self) -> dict[str, str]:
        """Returns the theme's variables, and the colour of rules, which is that of borders."""
        variables = super().get_css_variables()
        return {"rule": variables["border"], **variables}

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Returns what ctrl+p finds: every key that works here, and the choice of a theme."""
        told = set()
        for active in useful(screen):
            binding = active.binding
            if binding.action in told:
                continue
            told.add(binding.action)
            yield SystemCommand(
                binding.description,
                f"key {key_name(binding)}",
                lambda action=binding.action, node=active.node: self.call_later(
                    self.run_action, action, node
                ),
            )
        yield SystemCommand("theme", "choose other colours", self.action_change_theme)

    # Beginning and end

    def on_load(self) -> None:
        """Makes room for many slow servers at once."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "room"))

    def on_mount(self) -> None:
        """Paints the fleet before anything is asked; then tells what else is to be known."""
        self._end_well_on(signal.SIGTERM)
        self.push_screen(FleetScreen(self._house))
        for notice in self._notices:
            self.notify(notice, severity="warning", timeout=10, markup=False)
        if self._first_incident is not None:
            self.on_take_up(go.TakeUp(self._first_incident))
        else:
            self._offer_incidents()

    def _end_well_on(self, number: signal.Signals) -> None:
        """Gives the terminal back in order when someone else ends the app."""
        if self._loop is not None and not self.is_headless:
            self._loop.add_signal_handler(number, self._end_when_finished, 128 + number)

    def _end_when_finished(self, code: int) -> None:
        if self._must_finish() is None:
            self.exit(code, return_code=code)
        else:
            self.set_timer(0.2, lambda: self._end_when_finished(code))

    def _must_finish(self) -> str | None:
        """What is being changed at this moment, and has to be written down before the app may end."""
        for screen in self.screen_stack:
            for pane in screen.query(StepPane):
                if pane.must_finish:
                    return pane.doing
        return None

    @work(thread=True, exit_on_error=False)
    def _offer_incidents(self) -> None:
        open_ones = [incident for incident in self._house.rooms.incidents() if incident.closed_at is None]
        if open_ones:
            self.call_from_thread(self._offer, open_ones)

    def _offer(self, incidents: list[Incident]) -> None:
        newest, now = incidents[0], self._bearings.now()
        facts = [
            ("incident", f"{newest.id}, {newest.database}, declared by {newest.operator}"),
            ("declared", f"{show.minute(newest.declared_at)} UTC, {show.age(now - newest.declared_at)} ago"),
            ("is at", f"{newest.current.value}: {newest.record(newest.current).note or 'not begun'}"),
        ]
        if newest.job:
            facts.append(("job", f"{newest.job} (J shows it)"))
        if len(incidents) > 1:
            others = ", ".join(incident.id for incident in incidents[1:4])
            facts.append(("also open", f"{others} (i shows all)"))
        self.push_screen(
            ConfirmScreen("An incident is not finished", facts, action="take it up", cancel="later"),
            lambda answer: self._answered(answer, newest),
        )

    def _answered(self, take_up: bool | None, incident: Incident) -> None:
        if take_up:
            self.on_take_up(go.TakeUp(incident.id))

    async def action_quit(self) -> None:
        """Quits; asks first while jobs run, though they go on by themselves."""
        doing = self._must_finish()
        if doing is not None:
            self.notify(f"One moment: {doing}. Then you can quit.", markup=False)
            return
        if any(isinstance(screen, ConfirmScreen) for screen in self.screen_stack):
            # A question stands already, this one or another: quitting answers it with no, once.
            if isinstance(self.screen, ConfirmScreen):
                self.screen.dismiss(False)
            return
        running = await self.run_worker(self._running_jobs, thread=True, exit_on_error=False).wait()
        if not running:
            self.exit(0)
            return
        facts = [
            ("running", ", ".join(running)),
            ("quitting", "stops none of them: they run on this machine by themselves"),
            ("then", "pgdr jobs lists them, pgdr attach shows one, pgdr opens this again"),
        ]
        self.push_screen(
            ConfirmScreen("Quit while jobs run?", facts, action="quit", cancel="stay"),
            lambda answer: self.exit(0) if answer else None,
        )

    def _running_jobs(self) -> list[str]:
        directories = sorted(jobs_directory(self._state).iterdir())
        return [directory.name for directory in directories if is_held(directory / "lock")]

    def _handle_exception(self, error: Exception) -> None:
        """Ends the app after its own mistake.

        Textual would print a traceback with the values of all variables, a password among them. Here
        the details, without any variable, go to a private file, and one sentence to the terminal.
        """
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self.crashed = self._write_crash(error)
        self._close_messages_no_wait()

    def _write_crash(self, error: Exception) -> Path | str:
        text = "".join(traceback.format_exception(error, chain=True))
        path = self._state / f"crash-{stamp(utc_now())}.txt"
        try:
            write_whole(path, text)
        except OSError:
            return f"The details could not be written to {path}. {type(error).__name__}."
        return path

    # Ways between the screens

    def action_help(self) -> None:
        """Shows every key that works here."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self._bearings, keys_of(self.screen)))

    def on_jobs(self) -> None:
        """Shows the jobs."""
        self.push_screen(JobsScreen(self._house))

    def on_incidents(self) -> None:
        """Shows the incidents."""
        self.push_screen(IncidentsScreen(self._house))

    def on_backups_of(self, message: go.BackupsOf) -> None:
        """Shows the backups."""
        database = self._fleet.database(message.database) if message.database else None
        self.push_screen(BackupsScreen(self._house, database))

    def on_attach(self, message: go.Attach) -> None:
        """Shows a job."""
        self.push_screen(
            RestoreScreen(self._bearings, self._state, message.job, self._operator, self.copy_text)
        )

    def on_copy(self, message: go.Copy) -> None:
        """Copies a text."""
        self.notify(self.copy_text(message.name, message.text), markup=False)

    def copy_text(self, name: str, text: str) -> str:
        """Puts `text` on the terminal's clipboard (OSC 52, which not every terminal takes) and into a
        file called after `name`; returns a sentence on both."""
        self.copy_to_clipboard(text)
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "copied"
        path = private_directory(self._state / "copied") / f"{safe}.txt"
        try:
            write_whole(path, text if text.endswith("\n") else text + "\n")
        except OSError as error:
            return f"Copied to the clipboard; {path} could not be written: {error.strerror}."
        return f"Copied to the clipboard, and to {path}"

    @work(thread=True, exit_on_error=False)
    def on_take_up(self, message: go.TakeUp) -> None:
        """Goes to an incident; for a closed one to its report."""
        try:
            incident = Book(self._state).load(message.incident)
            if incident.closed_at is None:
                self.call_from_thread(self._open_recovery, incident)
            else:
                text = self._house.rooms.report(incident)
                self.call_from_thread(self._open_report, incident, text)
        except PgdrError as error:
            self.call_from_thread(self._fail, error)

    def _open_report(self, incident: Incident, text: str) -> None:
        place = f"incidents › {incident.id}"
        self.push_screen(TextScreen(self._bearings, place, f"incident-{incident.id}", text))

    def _open_recovery(self, incident: Incident, ref: str | None = None) -> None:
        try:
            guide = Guide(
                self._fleet, self._state, Book(self._state), incident, self._operator, self._bearings.now
            )
        except PgdrError as error:
            self._fail(error)
            return
        desk = Desk(guide, self._fleet, self._bearings, self.copy_text, ref)
        self.push_screen(RecoveryScreen(desk))

    def on_recover(self, message: go.Recover) -> None:
        """Begins a recovery: takes up the open incident of the database, or asks to declare one."""
        self._find_incident(message.database, message.ref)

    @work(thread=True, exit_on_error=False)
    def _find_incident(self, database: str, ref: str | None) -> None:
        mine = [i for i in self._house.rooms.incidents() if i.database == database and i.closed_at is None]
        if mine:
            self.call_from_thread(self._open_recovery, mine[0], ref)
        else:
            self.call_from_thread(self._ask_to_declare, database, ref)

    def _ask_to_declare(self, database: str, ref: str | None) -> None:
        spec = self._fleet.database(database)
        if spec is None:
            return
        facts = [
            ("database", f"{database} · {spec.criticality.value} · {spec.service}"),
            ("clock", f"starts now, against an RTO of {show.limit(spec.rto)}"),
            ("then", "six steps: assess, pick, notify, restore, verify, resume"),
            ("touches", "nothing yet: each step that does asks by itself"),
        ]
        if ref is not None:
            facts.insert(1, ("backup", f"{ref} (to be confirmed in the second step)"))
        self.push_screen(
            ConfirmScreen("Declare an incident", facts, action="declare", cancel="Cancel"),
            lambda answer: self._declare(database, ref) if answer else None,
        )

    def _declare(self, database: str, ref: str | None) -> None:
        try:
            incident = Book(self._state).declare(database, self._operator, self._bearings.now())
        except OSError as error:
            self._fail(PgdrError("The incident could not be written down.", f"{error.strerror}."))
            return
        self._open_recovery(incident, ref)

    def on_verify(self, message: go.Verify) -> None:
        """Asks before a backup is verified, then watches the job."""
        database = self._fleet.database(message.database)
        if database is None:
            return
        facts = [
            ("backup", message.ref),
            ("makes", f"a scratch database on the server of {database.name}, dropped when it is checked"),
            ("touches", "nothing else; what came of it is written beside the backup"),
        ]

        def answered(verify: bool | None) -> None:
            if verify:
                self._start_verify(database, message.ref)

        self.push_screen(ConfirmScreen("Verify a backup", facts, action="verify"), answered)

    @work(thread=True, exit_on_error=False)
    def _start_verify(self, database: Database, ref: str) -> None:
        try:
            job = self._house.rooms.verify(database, ref)
        except PgdrError as error:
            self.call_from_thread(self._fail, error)
        else:
            self.call_from_thread(self.on_attach, go.Attach(job))

    def _fail(self, error: PgdrError) -> None:
        self.push_screen(ErrorScreen.of(self._bearings, error, copy=self.copy_text))


def run_app(
    fleet: Fleet,
    state: Path,
    read_only: bool = False,
    theme: str | None = None,
    ascii_only: bool = False,
    *,
    operator: str = "unknown",
    incident: str | None = None,
) -> int:
    """Runs the app in this terminal until it is quit; returns the process's exit code.

    Raises ConfigError when stdin or stderr, to which Textual draws, is no terminal. With
    `incident` it opens on that one.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            "The app needs a terminal for its input and its stderr.",
            mend="Every verb works without one: see pgdr --help.",
        )
    app = PgdrApp(fleet, state, read_only, theme, ascii_only, operator=operator, incident=incident)
    loop = asyncio.new_event_loop()
    app.run(loop=loop)
    loop.close()
    code = app.return_code or 0
    if app.crashed is not None:
        where = f"The details are in {app.crashed}" if isinstance(app.crashed, Path) else app.crashed
        print(
            f"pgdr: the app has made a mistake and has ended. {where}\n"
            "  Jobs go on by themselves (pgdr jobs); incidents are saved. Start pgdr again.",
            file=sys.stderr,
        )
        code = 1
    _leave_the_waiting(code)
    return code


def _leave_the_waiting(code: int) -> None:
    """Ends the process at once when threads still wait for a server or a store that doesn't answer.

    Python would wait for them, a minute and more, before it gave the prompt back. They only look:
    what changes something is waited for before the app quits, and jobs are processes of their own.
    """
    deadline = time.monotonic() + _GRACE_S
    others = [t for t in threading.enumerate() if t is not threading.current_thread() and not t.daemon]
    for thread in others:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
