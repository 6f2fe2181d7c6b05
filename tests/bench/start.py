"""How long until the first paint: the app on a fleet of twelve, beside a bare Textual app with as many rows.

    python -m tests.bench.start [ROUNDS]

Each is started in a terminal of its own, in turns, and timed from its start until its last row has been
drawn. It prints the medians of wall time and of CPU time (which other programs disturb less) and their
ratios; the stores and servers of the fleet don't exist.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROWS = 12
LAST = f"database_{ROWS:02}"
LIMIT_S = 60.0
LIMIT = 1.25

BARE = f"""
from textual.app import App
from textual.widgets import DataTable, Footer, Header

class Bare(App):
    def compose(self):
        yield Header()
        yield DataTable()
        yield Footer()

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("database", "state", "size")
        for number in range(1, {ROWS} + 1):
            table.add_row(f"database_{{number:02}}", "…", "–")

Bare().run()
"""


def fleet(directory: Path) -> Path:
    """Writes a configuration of databases that can't be reached, and returns its path."""
    text = '[fleet]\nname = "bench"\n[stores.local]\nkind = "local"\npath = "missing"\n'
    for number in range(1, ROWS + 1):
        text += (
            f'[databases.database_{number:02}]\ndbname = "d{number}"\nservice = "bench"\n'
            'host = "127.0.0.1"\nport = 9\n'
        )
    path = directory / "pgdr.toml"
    path.write_text(text)
    return path


def until_painted(argv: list[str]) -> tuple[float, float]:
    """Starts `argv` in a terminal of 80 by 24; returns the seconds until the last row is drawn, and those of
    CPU time that it took until then."""
    began = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        # As installed, both have their byte code on disk; some machines' environments forbid to write it.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LINES="24", COLUMNS="80")
        os.execv(argv[0], argv)
    seen = b""
    try:
        while LAST.encode() not in seen:
            left = LIMIT_S - (time.perf_counter() - began)
            if left <= 0 or not select.select([terminal], [], [], left)[0]:
                raise TimeoutError(f"No row in {LIMIT_S:.0f} s:\n{seen.decode(errors='replace')}")
            seen += os.read(terminal, 65536)
        taken = time.perf_counter() - began
    finally:
        os.kill(child, signal.SIGKILL)
        used = os.wait4(child, 0)[2]
        os.close(terminal)
    return taken, used.ru_utime + used.ru_stime


def main(rounds: int) -> None:
    """Times both, in turns, and prints them side by side."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        app = [
            sys.executable,
            "-m",
            "tui",
            "--config",
            str(fleet(directory)),
            "--state",
            str(directory / "state"),
        ]
        bare = [sys.executable, "-c", BARE]
        taken: dict[str, list[tuple[float, float]]] = {"pgdr": [], "bare Textual": []}
        for _ in range(rounds + 1):
            taken["pgdr"].append(until_painted(app))
            taken["bare Textual"].append(until_painted(bare))
    for column, kind in enumerate(("wall", "CPU")):
        times = {
            name: [one[column] for one in all_[1:]] for name, all_ in taken.items()
        }  # the first warms up
        medians = {name: statistics.median(seconds) for name, seconds in times.items()}
        for name, median in medians.items():
            spread = f"{min(times[name]):.3f} to {max(times[name]):.3f}"
            print(f"{name:13} {median:6.3f} s {kind:4}   (of {rounds}: {spread})")
        ratio = medians["pgdr"] / medians["bare Textual"]
        print(f"{'ratio':13} {ratio:6.2f}   (at most {LIMIT}: {'ok' if ratio <= LIMIT else 'TOO LONG'})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
