"""Bytes at the terminal: the real program at 120x40 in 256 colours, on the demo's fleet.

    python -m tests.bench.wire [IDLE_SECONDS] [--ssh]

Prints what the first paint takes, what each screen sends while nobody touches it (the tick of the clocks at
the full minute apart), and what a live restore sends, watched as a job and in a guided recovery.
With --ssh the app runs in a real ssh session over a link that takes 200 ms there and back.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.terminal.ssh import far
from tests.terminal.terminal import Terminal
from tui.demo.start import RunningDemo, prepare

COLUMNS, LINES = 120, 40
FIRST_PAINT, LIVE_PER_S = 45_000, 1_500
TICK_S = 5.0  # after the full minute: on a busy machine and a slow link its bytes come late
SHOP = "crypto_exchange"

# An index that takes its time, so that there is a restore to be watched.
SLOW = """
CREATE FUNCTION slowly(n bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
  IF n % 100 = 0 AND current_setting('application_name') LIKE 'pgdr%' THEN PERFORM pg_sleep(0.05); END IF;
  RETURN n; END $$;
CREATE INDEX trades_slowly ON trades (slowly(id));
"""

Opened = Callable[[], Terminal]  # opens the program on the demo's fleet

# Ways from the fleet to each screen, and a text that tells that it is there.
WAYS: Sequence[tuple[str, tuple[str, ...], str]] = (
    ("fleet", (), "sessions"),
    ("database", ("enter",), "Newest backup"),
    ("backups", ("b",), "of "),
    ("backup", ("b", "enter"), "read "),
    ("jobs", ("J",), "jobs"),
    ("incidents", ("i",), "incidents"),
    ("drills", ("D",), "drills"),
    ("keys", ("?",), "The fleet"),
    ("find", ("\x10",), "find"),
    ("filter", ("/", "x"), "/"),
    ("question", ("down", "r"), "Declare"),
    ("services", ("p",), "services"),
    ("kept databases", ("enter", "d"), "kept"),
    ("history of drills", ("D", "enter"), "crypto_exchange"),
    ("troubles", ("!",), "error"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes that came in so many seconds, and how many of them at the minute's tick."""

    seconds: float
    quiet: int
    tick: int


def arrived(terminal: Terminal, seconds: float) -> Sent:
    """Given a terminal, returns what it is sent in so many seconds."""
    began, before, quiet, tick = time.monotonic(), len(terminal.received), 0, 0
    while time.monotonic() - began < seconds:
        terminal.read(0.2)
        fresh, before = len(terminal.received) - before, len(terminal.received)
        at_tick = time.time() % 60 < TICK_S
        tick, quiet = tick + fresh * at_tick, quiet + fresh * (not at_tick)
    return Sent(time.monotonic() - began, quiet, tick)


def settle(terminal: Terminal, quiet_s: float = 2.0, within_s: float = 30.0) -> None:
    """Waits until nothing has come for a while."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        before = len(terminal.received)
        terminal.read(quiet_s)
        if len(terminal.received) == before:
            return


def first_paint(opened: Opened) -> None:
    """Until every row is there, and until every answer is."""
    with opened() as terminal:
        terminal.see(SHOP)
        settle(terminal, 0.02)
        rows = len(terminal.received)
        settle(terminal)
        whole = len(terminal.received)
    verdict = "ok" if whole < FIRST_PAINT else "TOO MUCH"
    told = f"{rows:7,} B, with every answer {whole:,} B"
    print(f"first paint           {told}   (less than {FIRST_PAINT:,}: {verdict})", flush=True)


def idle(opened: Opened, seconds: float) -> None:
    """Each screen while nobody touches it. The recovery before was left open, and is offered first."""
    for name, keys, seen in WAYS:
        with opened() as terminal:
            terminal.see("not finished")
            terminal.press("escape")
            terminal.see("sessions")
            settle(terminal)
            terminal.press(*keys)
            terminal.see(seen)
            settle(terminal)
            say_idle(name, arrived(terminal, seconds))


def say_idle(name: str, sent: Sent) -> None:
    """Prints what an idle screen has sent."""
    verdict = "ok" if not sent.quiet else "NOT QUIET"
    tick = f", at the minute's tick {sent.tick} B" if sent.tick else ""
    print(f"idle {name:16} {sent.quiet:5} B in {sent.seconds:.0f} s{tick}   ({verdict})", flush=True)


def live(name: str, terminal: Terminal, until: str) -> None:
    """What a running restore sends, until `until` can be read (or, with "-", can't be any more)."""
    began, before, most = time.monotonic(), len(terminal.received), 0
    gone = until.startswith("-")
    while (until.removeprefix("-") in terminal.text) == gone and time.monotonic() - began < 300:
        most = max(most, arrived(terminal, 1.0).quiet)
    taken = time.monotonic() - began
    per_s = (len(terminal.received) - before) / taken
    verdict = "ok" if per_s <= LIVE_PER_S else "TOO MUCH"
    print(
        f"live {name:16} {per_s:7,.0f} B/s over {taken:.0f} s, at most {most:,} B in one   "
        f"(at most {LIVE_PER_S:,} in the mean: {verdict})",
        flush=True,
    )


def restores(demo: RunningDemo, opened: Opened, idle_s: float) -> None:
    """A restore watched as a job, in the list of jobs, and in a guided recovery with its idle steps."""
    demo.servers[SHOP].sql(SLOW, SHOP)
    general = ("--config", str(demo.config), "--state", str(demo.state))
    with Terminal(*general, "backup", SHOP, "--store", "local") as made:
        assert made.end(120) == 0, made.text
    with Terminal(*general, "backups", SHOP, "--store", "local", "--limit", "1", columns=200) as told:
        told.end(60)
        ref = next(word for word in told.text.split() if word.startswith("local:"))
    for name, keys in (("job", ("J", "enter")), ("jobs", ("J",))):
        with Terminal(*general, "restore", ref, "--detach", columns=200) as begun:
            assert begun.end(60) == 0, begun.text
        with opened() as terminal:
            terminal.see("sessions")
            settle(terminal)
            terminal.press(*keys)
            terminal.see("restore")
            settle(terminal, 0.4, 2)
            live(name, terminal, "clean" if name == "job" else "-running")
            if name == "job":
                settle(terminal)
                say_idle("job, done", arrived(terminal, idle_s))
    with opened() as terminal:
        recover(terminal, idle_s)


def recover(terminal: Terminal, idle_s: float) -> None:
    """The guided recovery, each step left alone for a while, and its restore watched."""

    def rest(name: str) -> None:
        settle(terminal)
        say_idle(name, arrived(terminal, idle_s))

    terminal.see("sessions")
    settle(terminal)
    terminal.press("r")
    terminal.see("Declare an incident")
    terminal.press("tab", "enter")
    terminal.see("found now")
    rest("assess")
    terminal.press("2")
    terminal.see("ADVISE")
    rest("pick")
    terminal.press("enter")
    terminal.see("go past")
    rest("notify")
    terminal.press("b")
    terminal.see("reason")
    terminal.press("nobody to tell", "enter", "enter")
    terminal.see("restore…", "pg_restore")
    rest("restore, planned")
    terminal.press("enter")
    terminal.see("Type")
    terminal.press(SHOP, "enter", "enter")
    terminal.see("no errors")
    settle(terminal, 0.4, 2)
    live("recovery", terminal, "next: verify")
    rest("restore, done")
    terminal.press("enter")
    terminal.see("next: resume", within_s=120)
    rest("verify")
    terminal.press("enter")
    terminal.see("swap…")
    rest("resume")


def main(idle_s: float, over_ssh: bool) -> None:
    """Makes the demo, measures, removes it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    directory = Path(tempfile.mkdtemp(prefix="pgdr-wire-"))
    directory.chmod(0o711)
    try:
        with prepare(directory / "demo", 1.0) as demo, ExitStack() as link:
            arguments = ("--config", str(demo.config), "--state", str(demo.state))
            terminal: Callable[..., Terminal] = Terminal
            if over_ssh:
                (directory / "ssh").mkdir(mode=0o700)
                terminal = link.enter_context(far(directory / "ssh")).terminal

            def opened() -> Terminal:
                return terminal(*arguments, columns=COLUMNS, lines=LINES)

            first_paint(opened)
            restores(demo, opened, idle_s)
            idle(opened, idle_s)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    wanted = argparse.ArgumentParser()
    wanted.add_argument("idle_seconds", nargs="?", type=float, default=20.0)
    wanted.add_argument("--ssh", action="store_true")
    given = wanted.parse_args()
    main(given.idle_seconds, given.ssh)
