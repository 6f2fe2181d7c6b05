"""How the app ends and pauses: with its terminal gone, suspended, or by a mistake of its own."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.terminal.terminal import PROGRAM, Terminal

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A fleet of one database on a port where nothing answers."""
    path = tmp_path / "pgdr.toml"
    path.write_text(
        '[fleet]\nname = "quiet"\n[databases.shop]\ndbname = "shop"\nservice = "db"\n'
        'host = "127.0.0.1"\nport = 9\n'
    )
    return path


def command(config: Path, *program: str) -> str:
    return " ".join([*program, "--config", str(config), "--state", str(config.parent / "state")])


def shell(tmp_path: Path) -> Terminal:
    """An interactive shell, in which jobs can be suspended."""
    terminal = Terminal("--norc", "--noprofile", "-i", program=Path("/bin/bash"), cwd=ROOT)
    terminal.press("PS1='ready> '; stty -a > " + str(tmp_path / "before"), "enter")
    terminal.see("ready>")
    return terminal


def in_order(terminal: Terminal, tmp_path: Path) -> None:
    """The terminal is as it was: its settings, its own screen, no mouse reports, a cursor."""
    terminal.press("stty -a > " + str(tmp_path / "after") + "; echo all-is-sett''led", "enter")
    terminal.see("all-is-settled")
    assert (tmp_path / "after").read_text() == (tmp_path / "before").read_text()
    sent = terminal.received
    for on, off in (
        (b"\x1b[?1049h", b"\x1b[?1049l"),
        (b"\x1b[?1000h", b"\x1b[?1000l"),
        (b"\x1b[?25l", b"\x1b[?25h"),
    ):
        assert sent.rfind(off) > sent.rfind(on) >= 0


def gone(process: psutil.Process, within_s: float = 20.0) -> bool:
    """Waits for the end of a process that is ours or another's."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def app_in(terminal: Terminal) -> psutil.Process:
    """The app that the shell of a terminal has started."""
    (app,) = psutil.Process(terminal.child.pid).children()
    return app


def test_a_mistake_ends_with_what_to_do_and_a_terminal_in_order(config: Path, tmp_path: Path) -> None:
    with shell(tmp_path) as terminal:
        terminal.press(command(config, sys.executable, "-m", "tests.terminal.crashing"), "enter")
        terminal.see("DOWN", "shop")
        terminal.press("J")
        terminal.see("the app has made a mistake (RuntimeError)", "pgdr jobs", "crash-")
        in_order(terminal, tmp_path)
        assert "hunter2" not in terminal.received.decode(errors="replace")
    (written,) = (tmp_path / "state").glob("crash-*.txt")
    details = written.read_text()
    assert "crashing.py" in details and "_mistaken" in details and "RuntimeError" in details
    assert "FleetScreen" in details
    assert "hunter2-in-a-message" not in details.replace('f"cannot log in with hunter2-in-a-message', "")
    assert written.stat().st_mode & 0o777 == 0o600


def test_it_is_suspended_and_goes_on_where_it_was(config: Path, tmp_path: Path) -> None:
    with shell(tmp_path) as terminal:
        terminal.press(command(config, str(PROGRAM)), "enter")
        terminal.see("DOWN", "shop")
        terminal.press("D")
        before = terminal.see("OVERDUE", "back")
        terminal.press("\x1a")
        terminal.see("Stopped", "ready>")
        in_order(terminal, tmp_path)
        terminal.press("clear; fg", "enter")
        terminal.see(*before.splitlines()[1:])  # all but the header, which has the time
        terminal.press("q")
        terminal.see("DOWN")
        terminal.press("q")
        terminal.see("ready>")
        in_order(terminal, tmp_path)


@pytest.mark.parametrize("ignoring", [False, True], ids=["a hang-up", "a hang-up that is ignored"])
def test_it_ends_with_its_terminal(config: Path, tmp_path: Path, ignoring: bool) -> None:
    with shell(tmp_path) as terminal:
        if ignoring:
            terminal.press("trap '' HUP", "enter")
        terminal.press(command(config, str(PROGRAM)), "enter")
        terminal.see("DOWN", "shop")
        app = app_in(terminal)
        terminal.hang_up()
        assert gone(app)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_it_ends_on_a_signal(config: Path, tmp_path: Path, number: signal.Signals) -> None:
    with Terminal("--config", str(config), "--state", str(tmp_path / "state")) as terminal:
        terminal.see("DOWN", "shop")
        terminal.child.kill(number)
        assert terminal.end() in (-number, 128 + number)


def test_an_idle_app_takes_no_time_of_the_machine(config: Path, tmp_path: Path) -> None:
    with Terminal("--config", str(config), "--state", str(tmp_path / "state")) as terminal:
        terminal.see("DOWN", "shop")
        app = psutil.Process(terminal.child.pid)
        terminal.read(1.0)
        before, sent = app.cpu_times().user, len(terminal.received)
        terminal.read(2.0)
        assert app.cpu_times().user - before < 1.0
        # At most the header's minute.
        assert len(terminal.received) - sent < 200
