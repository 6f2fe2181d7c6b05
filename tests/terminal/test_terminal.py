"""The installed program in a real pseudo-terminal at 80x24, by keys alone, on a real server."""

from __future__ import annotations

import time

import psutil

from tests.recovery.world import World, utc_now
from tests.terminal.terminal import Terminal
from tui.incident.book import Book
from tui.jobs.watch import all_jobs, follow
from tui.model.backup import Verdict


def start(world: World) -> Terminal:
    return Terminal("--config", str(world.config), "--state", str(world.state))


def test_a_whole_recovery_by_keys(world: World) -> None:
    world.back_up()
    world.drop_live()
    with start(world) as terminal:
        terminal.see("MISSING", "recover")
        terminal.press("r")
        terminal.see("Declare an incident")
        terminal.press("tab", "enter")
        terminal.see("DAMAGED", "does not exist", "accept what is proposed")
        terminal.press("enter")
        terminal.see("ADVISE", "data lost")
        terminal.press("enter")
        terminal.see("DR INITIATED", "go past")
        terminal.press("b")
        terminal.see("reason")
        terminal.press("nobody to tell", "enter", "enter")
        terminal.see("restore…", "pg_restore")
        terminal.press("enter")
        terminal.see("Type")
        terminal.press(world.live.name, "enter", "enter")
        terminal.see("next: verify", "clean")
        terminal.press("enter")
        terminal.see("next: resume")
        terminal.press("enter")
        terminal.see("swap…", "ALTER DATABASE")
        terminal.press("enter")
        terminal.see("Type the name of the live database")
        terminal.press(world.live.name, "enter", "enter")
        terminal.see("swapped")
        terminal.press("c")
        terminal.see("stood down")
        terminal.press("down", "enter")
        terminal.see("closed  recovered")
        terminal.press("q")
        terminal.see("up", "sessions")
        terminal.press("q")
        assert terminal.end() == 0
        assert b"\x1b[?1049l" in terminal.received  # the terminal's own screen is back
    assert world.count("wallets") == 2000
    (incident,) = Book(world.state).all()
    assert incident.outcome == "recovered"


def test_the_link_drops_and_the_restore_goes_on(world: World) -> None:
    world.sql("CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN "
              "IF current_setting('application_name') LIKE 'pgdr%' THEN PERFORM pg_sleep(0.01); END IF; "
              "RETURN n; END $$; CREATE INDEX users_slow ON users (slow(id))")  # fmt: skip
    ref = world.back_up().refs[0]
    job = world.answer("restore", ref, "--detach")["job"]
    with start(world) as terminal:
        terminal.see("sessions")
        terminal.press("J")
        terminal.see("restore")
        app = psutil.Process(terminal.child.pid)
        terminal.hang_up()
        deadline = time.monotonic() + 20
        while app.status() != psutil.STATUS_ZOMBIE:  # ended, and waits for us to ask how
            assert time.monotonic() < deadline, "the app outlives its terminal"
            time.sleep(0.05)
    ended = follow(world.state, job, lambda _: None, utc_now)
    assert ended.verdict is Verdict.CLEAN
    assert [p.job for p in all_jobs(world.state, utc_now())] == [job]


def test_an_unfinished_incident_is_offered_at_the_next_start(world: World) -> None:
    world.back_up()
    guide = world.guide()
    guide.assess(lambda f: None)
    with start(world) as terminal:
        terminal.see("An incident is not finished", "declared by ann@db1", "is at")
        terminal.press("tab", "enter")
        terminal.see("INCIDENT 1", "1✔ assess", "2· PICK", "ann@db1 drives, you watch")
        terminal.press("q")
        terminal.see("sessions")
        terminal.press("q")
        assert terminal.end() == 0


def test_without_a_terminal_it_says_so(world: World) -> None:
    done = world.pgdr()
    assert done.returncode == 2 and "terminal" in done.stderr and "Traceback" not in done.stderr
