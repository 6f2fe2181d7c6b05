"""The app at the other end of a real ssh session, over a link that takes 200 ms there and back."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.recovery.world import World, utc_now
from tests.terminal.ssh import Far, far, need_sshd
from tests.terminal.terminal import Terminal
from tests.terminal.test_ends import gone
from tui.config.write import text_of
from tui.files import write_whole
from tui.jobs.job import files_of
from tui.jobs.lock import is_held
from tui.jobs.watch import follow
from tui.model.backup import Verdict

FIRST_PAINT = 45_000
# An index that a restore can't finish building until there is a file in the server's directory.
HELD = """
CREATE FUNCTION held(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
  WHILE (pg_stat_file('go', true)).size IS NULL LOOP PERFORM pg_sleep(0.1); END LOOP;
  RETURN n; END $$;
CREATE INDEX users_held ON users (held(id));
"""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Far]:
    """The far machine."""
    need_sshd()
    directory = tmp_path / "ssh"
    directory.mkdir()
    with far(directory) as made:
        yield made


def nothing_is_sent(terminal: Terminal) -> None:
    """Once it has drawn what it knows, nothing moves: whole seconds without a byte."""
    deadline = time.monotonic() + 60
    before = -1
    while before != len(terminal.received):
        assert time.monotonic() < deadline, f"it never rests:\n{terminal.text}"
        before = len(terminal.received)
        terminal.read(3.0)


def waited_s(terminal: Terminal) -> int:
    """The seconds that the fleet's one row says it has waited; -1 when it says none."""
    told = re.search(r"waiting (\d+)s", terminal.text)
    return int(told[1]) if told else -1


def watch(terminal: Terminal) -> None:
    """Opens the one job, which is building its index."""
    terminal.press("J")
    terminal.see("restore", "jobs")
    terminal.press("enter")
    terminal.see("indexing", "users_held")


def test_a_slow_link_a_hung_server_and_a_lost_session(world: World, there: Far) -> None:
    patient = replace(world.database, endpoint=replace(world.live.endpoint, connect_timeout_s=600))
    write_whole(world.config, text_of(replace(world.fleet, databases=(patient,))))
    go = world.live.server.data / "go"
    go.touch()
    world.sql(HELD)
    go.unlink()
    job = world.answer("restore", world.back_up().refs[0], "--detach")["job"]
    lock = files_of(world.state, job).lock
    general = ("--config", str(world.config), "--state", str(world.state))

    with there.terminal(*general) as terminal:
        terminal.see("● shop", "up", "ago")
        nothing_is_sent(terminal)
        assert len(terminal.received) < FIRST_PAINT

        with world.hung_server():
            terminal.press("R")
            terminal.until(lambda: waited_s(terminal) >= 1, "a server that is waited for")
            terminal.press("b")
            terminal.see("local", "of 1")
            terminal.press("q")
            terminal.until(lambda: waited_s(terminal) >= 2, "it is still waited for")
        terminal.see("● shop", "up")

        watch(terminal)
        (app,) = there.apps()
        terminal.child.kill(signal.SIGKILL)
        assert gone(app), "the app outlives its session"
    assert is_held(lock), "the job has ended with the session"

    with there.terminal(*general) as terminal:
        terminal.see("● shop")
        watch(terminal)
        go.touch()
        terminal.see("clean")
        terminal.until(lambda: not is_held(lock), "the end of the job's process")
        terminal.press("q", "q")
        terminal.see("● shop")
        terminal.press("q")
        assert terminal.end() == 0
    assert not there.apps()
    assert follow(world.state, job, lambda _: None, utc_now).verdict is Verdict.CLEAN
