"""How long a key takes on a long list: the time in which the app can answer no other.

    python -m tests.bench.keys [ROWS [LINES]]

The screen of the backups with so many of them (100,000), a text of as many lines, and a job's whole log of so
many lines (1,000,000), at 120x40. Each key is pressed many times; what is timed is the longest stretch in
which the app's loop was busy until it was idle again. Prints median, 95th percentile and the longest, by kind
of key.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from textual.content import Content
from textual.pilot import Pilot

from tests.looks.world import FLEET, ROOMS, STORES
from tests.recovery_screens.pictures import NOW
from tui.app import PgdrApp
from tui.jobs.job import JobSpec, write_spec
from tui.jobs.watch import WholeLog
from tui.model import codec
from tui.model.backup import Backup
from tui.model.event import (
    Entry,
    Item,
    ItemFinished,
    ItemLaunched,
    ItemsListed,
    JobKind,
    JobStarted,
    LogLine,
    Phase,
)
from tui.screens.backups import BackupsScreen
from tui.screens.log import LogScreen
from tui.widgets.line_table import LineTable
from tui.widgets.text_lines import TextLines

LIMIT_MS = 50.0
JOB = "restore-20261121T031800Z-a3f2"
KINDS: Sequence[tuple[str, Sequence[str]]] = (
    ("a row down, up", ("down", "down", "up") * 10),
    ("a page down, up", ("pagedown", "pagedown", "pageup") * 10),
    ("the end, the beginning", ("end", "home") * 10),
    ("a key of a filter", ("slash", *"shop", *"-1999", *["backspace"] * 4)),
    ("the filter off", ("escape",)),
    ("order by a column", ("o",) * 12),
    ("the other way round", ("o", "O", "O", "O", "O")),
)


def backups(number: int) -> list[Backup]:
    """So many backups of four databases, as a store would list them."""
    made = []
    for n in range(number):
        at = NOW - timedelta(minutes=7 * n)
        name = ("shop", "crypto_exchange", "kong", "goalert")[n % 4]
        key = f"{name}/{name}-{at:%Y%m%d-%H%M%S}.dump"
        made.append(Backup("offsite", key, 10_000_000 + n * 977 % 5_000_000, at, name, at))
    return made


class Busy:
    """The longest stretches in which the loop answered nobody, taken by asking it every millisecond."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        """Asks until it is cancelled."""
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.longest = max(self.longest, now - before - 0.001)
            before = now

    def taken(self) -> float:
        """The longest since the last call, in milliseconds."""
        longest, self.longest = self.longest, 0.0
        return longest * 1000


@asynccontextmanager
async def opened(number: int, state: Path) -> AsyncIterator[tuple[Pilot[int], Busy]]:
    """The app on so many backups, all of them read."""
    rows = backups(number)

    def read(store: str, page: object, problem: object) -> None:
        assert callable(page)
        for begin in range(0, number, 1000):
            page(tuple(rows[begin : begin + 1000]))

    fleet = replace(FLEET, stores=STORES[:1])
    app = PgdrApp(fleet, state, rooms=replace(ROOMS, backups=read, incidents=tuple), now=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        busy = Busy()
        watching = asyncio.create_task(busy.watch())
        await pilot.pause(0.5)
        busy.taken()
        app.push_screen(BackupsScreen(app._house))
        await pilot.pause(0.5)
        while app.screen.query_one(LineTable).count[1] < number:
            await pilot.pause(0.1)
        await pilot.pause(1)
        print(f"{number:,} backups: while they were read {busy.taken():.0f} ms at the longest", flush=True)
        yield pilot, busy
        watching.cancel()


async def keys(number: int, state: Path) -> None:
    """Every kind of key on the list."""
    async with opened(number, state) as (pilot, busy):
        for kind, pressed in KINDS:
            tell(kind, [await press(pilot, busy, key) for key in pressed])
        lines = [Content(f"{n:08} processing data for table public.trades") for n in range(number)]
        text = TextLines()
        await pilot.app.screen.mount(text)
        text.styles.height = 20
        text.focus()
        await pilot.pause(0.5)
        busy.taken()
        text.show(lines)
        await pilot.pause(0.5)
        tell("a text is shown", [busy.taken()])
        pressed = ("down", "pagedown", "end", "pageup", "home") * 6
        tell("a key in the text", [await press(pilot, busy, key) for key in pressed])
        text.show([*lines, Content("one more")])
        await pilot.pause(0.5)
        tell("a line is added", [busy.taken()])


def journal(state: Path, number: int) -> tuple[Path, Entry]:
    """Writes the journal of a job whose log has so many lines; returns its path and its last entry."""
    spec = JobSpec(JOB, JobKind.RESTORE, state / "pgdr.toml", "shop", "anna", "offsite:shop.dump", "shop_new")
    path = write_spec(state, spec).journal
    items = tuple(
        Item(n, "TABLE DATA", "public", f"day_{n}", Phase.DATA, f"day_{n}", 1000, 10)
        for n in range(number // 2)
    )
    started = JobStarted(JOB, JobKind.RESTORE, "shop", spec.ref, spec.target, "anna", "bastion", 1)
    with path.open("w", encoding="utf-8") as file:
        for begun in (started, ItemsListed(items)):
            file.write(codec.entry_line(Entry(NOW, begun)))
        for item in items:
            for event in (ItemLaunched(item.dump_id), ItemFinished(item.dump_id)):
                last = Entry(NOW, event)
                file.write(codec.entry_line(last))
    return path, last


async def log(number: int, state: Path) -> None:
    """Every kind of key on a job's whole log, while it is read and afterwards."""
    path, last = journal(state, number)
    app = PgdrApp(FLEET, state, rooms=ROOMS, now=lambda: NOW, operator="anna")
    async with app.run_test(size=(120, 40)) as pilot:
        busy = Busy()
        watching = asyncio.create_task(busy.watch())
        screen = LogScreen(app._bearings, JOB, WholeLog(state, JOB).read_on)
        began = time.monotonic()
        app.push_screen(screen)
        await pilot.pause(1)
        table = screen.query_one(LineTable)
        print(f"a log of {number:,} lines: {table.count[1]:,} seen after a second", flush=True)
        taken: list[float] = []
        while table.count[1] < number:
            taken.append(await press(pilot, busy, "up" if len(taken) % 2 else "down"))
        print(f"  read in {time.monotonic() - began:.1f} s", flush=True)
        tell("a key while it is read", taken)
        for kind, pressed in KINDS[:3]:
            tell(kind, [await press(pilot, busy, key) for key in pressed])
        tell("a key of a filter", [await press(pilot, busy, key) for key in ("slash", *"day_77")])
        await pilot.press("enter")
        await pilot.pause(3)
        taken = []
        for _ in range(10):
            busy.taken()
            with path.open("a", encoding="utf-8") as file:
                file.write(codec.entry_line(replace(last, event=LogLine("day_77 again"))))
            await pilot.pause(0.7)
            taken.append(busy.taken())
        tell("a line comes", taken)
        watching.cancel()


async def press(pilot: Pilot[int], busy: Busy, key: str) -> float:
    """Presses one key; returns the longest stretch that the loop was busy, in milliseconds."""
    await pilot.pause(0.02)
    busy.taken()
    await pilot.press(key)
    await pilot.pause(0.05)
    return busy.taken()


def tell(kind: str, taken: Sequence[float]) -> None:
    """Prints what one kind of key took."""
    ordered = sorted(taken)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    verdict = "ok" if p95 <= LIMIT_MS else "TOO LONG"
    told = f"{statistics.median(ordered):6.1f} {p95:6.1f} {ordered[-1]:6.1f} ms"
    print(f"  {kind:24} {told}   (median, p95, longest of {len(ordered)}; {verdict})", flush=True)


def main(rows: int, lines: int) -> None:
    """Presses the keys on lists of these lengths."""
    with tempfile.TemporaryDirectory() as state:
        asyncio.run(keys(rows, Path(state)))
    with tempfile.TemporaryDirectory() as state:
        asyncio.run(log(lines, Path(state)))


if __name__ == "__main__":
    wanted = argparse.ArgumentParser()
    wanted.add_argument("rows", nargs="?", type=int, default=100_000)
    wanted.add_argument("lines", nargs="?", type=int, default=1_000_000)
    given = wanted.parse_args()
    main(given.rows, given.lines)
