"""The terminal app: its looks, its beginning and its end. Ways between screens are in screens/ways.py."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events
from textual._compositor import CompositorUpdate
from textual.screen import Screen

from tui.files import private_directory, write_whole
from tui.model.errors import ConfigError
from tui.model.fleet import Fleet
from tui.model.text import stamp
from tui.screens import go
from tui.screens.dressed import AtWork
from tui.screens.fleet import PAINTED_S, FleetScreen
from tui.screens.late_rooms import rooms_of
from tui.screens.rooms import House, Rooms
from tui.screens.tour_ways import TourWays
from tui.widgets.ascii import needs_ascii
from tui.widgets.header import Bearings
from tui.widgets.terminal_cells import TerminalCells

if TYPE_CHECKING:
    from tui.demo.tour import Tour

# asyncio's own pool has six threads on two cores: six slow stores would hold up everything else.
_THREADS = 64
_GRACE_S = 0.3
_FINISH_S = 10.0  # so long may what is being written down take when the terminal is gone


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


class PgdrApp(TourWays):
    """The app on one fleet. `rooms` and `now` are given by tests; everyone else gets the real ones. With
    `guide`, which makes the first screen, there is no fleet yet: that one's configuration names it. `tour`
    is what the demo offers."""

    TITLE = "pgdr"

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
        guide: Callable[[Bearings], Screen[Any]] | None = None,
        tour: Tour | None = None,
    ) -> None:
        bearings = Bearings(fleet.name, read_only, now)
        super().__init__(
            House(fleet, rooms or rooms_of(fleet, state, now, operator), bearings), state, operator, tour
        )
        self._first_incident = incident
        self._guide = guide
        self.demo_wanted = False
        self._cells = TerminalCells()
        self.crashed: Path | str | None = None
        self.dress(theme, ascii_only)

    # Beginning and end

    def on_load(self) -> None:
        """Makes room for many slow servers at once."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "room"))

    def on_mount(self) -> None:
        """Paints the fleet before anything is asked; then tells what else is to be known."""
        self._end_well_on(signal.SIGTERM)
        self.app_resume_signal.subscribe(self, lambda app: self.action_redraw())
        self.push_screen(self._guide(self._bearings) if self._guide else FleetScreen(self._house))
        for notice in self._notices:
            self.notify(notice, severity="warning", timeout=10, markup=False)
        self.set_timer(PAINTED_S, self._painted)

    def _painted(self) -> None:
        # Off since the program's start: nothing that was loaded until now is garbage. To look through all
        # that there is takes a tenth of a second with long lists, in which no key is answered: done a hundred
        # times less often than Python would.
        gc.freeze()
        gc.set_threshold(10_000, 10, 1_000)
        gc.enable()
        if self._first_incident is not None:
            self.on_take_up(go.TakeUp(self._first_incident))
        elif self._guide is None:
            self.offer_incidents()

    def on_begin(self, message: go.Begin) -> None:
        """Goes on with the configuration that the first run has written."""
        from tui.config.load import load

        fleet = load(message.path)
        private_directory(self._state)
        bearings = Bearings(fleet.name, self._bearings.read_only, self._bearings.now)
        self.begin_with(House(fleet, rooms_of(fleet, self._state, bearings.now, self._operator), bearings))
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(FleetScreen(self._house))
        self.notify(f"{message.path} is written. pgdr opens with it from now on.", timeout=10, markup=False)

    def on_demo(self, message: go.Demo) -> None:
        """Leaves; whoever has started the app begins the demo then."""
        self.demo_wanted = True
        self.exit(0)

    def _end_well_on(self, number: signal.Signals) -> None:
        """Gives the terminal back in order when someone else ends the app."""
        if self._loop is not None and not self.is_headless:
            self._loop.add_signal_handler(number, self._end_when_finished, 128 + number)

    def _end_when_finished(self, code: int) -> None:
        if self._must_finish() is None:
            self.exit(code, return_code=code)
        else:
            self.set_timer(0.2, lambda: self._end_when_finished(code))

    # Drawing

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Sends only the cells that have changed."""
        if isinstance(renderable, CompositorUpdate) and self._draws:
            try:
                renderable = self._cells.changes(renderable, self.console) or renderable
            except Exception as error:  # noqa: BLE001 - a mistake in drawing, as Textual treats its own
                self._handle_exception(error)
                return
        super()._display(screen, renderable)

    @property
    def _draws(self) -> bool:
        """Whether what is displayed now goes to the terminal: Textual's own conditions."""
        return (
            self._running
            and not self._closed
            and not self.is_headless
            and not self.is_inline
            and not self._batch_count
            and self._driver is not None
        )

    def action_redraw(self) -> None:
        """Draws all of the screen anew, when something else has written over it."""
        self._cells.forget()
        self.refresh(layout=True)

    async def on_event(self, event: events.Event) -> None:
        """What the terminal shows after its size has changed is its own affair: all is drawn anew."""
        if isinstance(event, events.Resize):
            self._cells.forget()
        await super().on_event(event)

    def _must_finish(self) -> str | None:
        """What is being changed at this moment, and has to be written down before the app may end."""
        for screen in self.screen_stack:
            for node in (screen, *screen.query("StepPane")):
                if isinstance(node, AtWork) and node.must_finish:
                    return node.doing
        return None

    async def action_quit(self) -> None:
        """Quits; asks first while jobs run, though they go on by themselves."""
        from tui.screens.confirm import ConfirmScreen

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
        from tui.jobs.job import jobs_directory
        from tui.jobs.lock import is_held

        if not self._state.exists():
            return []  # a first run that is left makes nothing
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
        """Writes what is known of it; returns where, or why that couldn't be written."""
        from tui.model.crash import crash_details

        path = self._state / f"crash-{stamp(utc_now())}.txt"
        try:
            private_directory(self._state)
            write_whole(path, crash_details(error, [type(screen).__name__ for screen in self.screen_stack]))
        except OSError as problem:
            return f"the details could not be written to {path}: {problem.strerror}"
        return path


def run_app(
    fleet: Fleet,
    state: Path,
    read_only: bool = False,
    theme: str | None = None,
    ascii_only: bool = False,
    *,
    operator: str = "unknown",
    incident: str | None = None,
    mouse: bool = True,
) -> int:
    """Runs the app in this terminal until it is quit; returns the process's exit code.

    Raises ConfigError when stdin or stderr, to which Textual draws, is no terminal. With
    `incident` it opens on that one. Without `mouse` it is the terminal's, and selects text in its own way.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            "The app needs a terminal for its input and its stderr.",
            mend="Every verb works without one: see pgdr --help.",
        )
    ascii_only = ascii_only or needs_ascii(os.environ)
    tour = _tour()
    app = PgdrApp(fleet, state, read_only, theme, ascii_only, operator=operator, incident=incident, tour=tour)
    return _run(app, mouse and fleet.app.mouse)


def _tour() -> Tour | None:
    """The tour that the demo around this process offers; what it takes is loaded there alone."""
    if "PGDR_DEMO_TOUR" not in os.environ:
        return None
    from tui.demo.tour import tour_of

    return tour_of(os.environ)


def run_first(
    state: Path,
    guide: Callable[[Bearings], Screen[Any]],
    read_only: bool = False,
    theme: str | None = None,
    ascii_only: bool = False,
    *,
    operator: str = "unknown",
    mouse: bool = True,
) -> int | None:
    """Runs the app in this terminal where there is no configuration: `guide` makes its first screen.

    Returns the process's exit code; None where the demo is wanted instead.
    """
    nothing = Fleet("no configuration")
    ascii_only = ascii_only or needs_ascii(os.environ)
    app = PgdrApp(nothing, state, read_only, theme, ascii_only, operator=operator, guide=guide)
    code = _run(app, mouse)
    return None if app.demo_wanted else code


def _run(app: PgdrApp, mouse: bool) -> int:
    over = threading.Event()
    threading.Thread(target=_end_with_terminal, args=(app, over), name="terminal", daemon=True).start()
    loop = asyncio.new_event_loop()
    app.run(loop=loop, mouse=mouse)
    loop.close()
    over.set()
    code = app.return_code or 0
    if app.crashed is not None:
        from tui.model.crash import crash_page

        where = app.crashed if isinstance(app.crashed, str) else f"the details are in {app.crashed}"
        print(crash_page(app._exception, where), file=sys.stderr)
        code = 1
    if not app.demo_wanted:
        _leave_the_waiting(code)
    return code


def _end_with_terminal(app: PgdrApp, over: threading.Event) -> None:
    """Ends the process when its terminal is gone before the app is over, also where the hang-up's signal is
    ignored (nohup).

    Nothing can be drawn then, and Textual would wait for ever to write. What is being written down is waited
    for; jobs are processes of their own.
    """
    poll = select.poll()
    poll.register(sys.stdin.fileno(), 0)  # it wakes for the end alone, and costs nothing
    poll.poll()
    if over.is_set():
        return
    deadline = time.monotonic() + _FINISH_S
    while app._must_finish() is not None and time.monotonic() < deadline:
        time.sleep(0.1)
    os._exit(128 + signal.SIGHUP)


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
