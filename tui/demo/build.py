"""The sample from nothing: servers, databases and their past with its backups. And its going on later."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from tui.demo import history, pristine, sample
from tui.demo.history import Shelves, Taken
from tui.demo.sample import EXCHANGE, GOALERT, KONG, Member
from tui.demo.server import Server
from tui.model.fleet import Fleet

NOW = timedelta(0)
OnProgress = Callable[[str, float], None]


class Steps:
    """Counts steps that are done in several threads, and tells of each: a sentence and a fraction."""

    def __init__(self, total: int, on_progress: OnProgress) -> None:
        """`total` steps will be told to `on_progress`, one at a time, from whichever thread does them."""
        self._total = total
        self._done = 0
        self._on_progress = on_progress
        self._lock = threading.Lock()

    def done(self, what: str) -> None:
        """One more step is done."""
        with self._lock:
            self._done += 1
            self._on_progress(what, min(1.0, self._done / self._total))


STEPS = len(history.EXCHANGE_HISTORY) + 7


def build(
    servers: Mapping[str, Server],
    fleet: Fleet,
    shelves: Shelves,
    anchor: datetime,
    scale: float,
    steps: Steps,
) -> None:
    """Makes every server anew with its data as of `anchor`, and the backups taken on the way there.

    The servers are stopped afterwards, each with its pristine copy. `fleet` needs only the databases;
    their endpoints are those that the servers have while this runs.
    """
    with ThreadPoolExecutor(3, "build") as pool:
        running = [
            pool.submit(_exchange, servers[EXCHANGE.name], fleet, shelves, anchor, scale, steps),
            *(
                pool.submit(_daily, member, servers[member.name], fleet, shelves, anchor, scale, past, steps)
                for member, past in ((KONG, history.KONG_HISTORY), (GOALERT, history.GOALERT_HISTORY))
            ),
        ]
    for one in running:
        one.result()


def _exchange(
    server: Server, fleet: Fleet, shelves: Shelves, anchor: datetime, scale: float, steps: Steps
) -> None:
    past = history.EXCHANGE_HISTORY
    server.create()
    server.start()
    try:
        sample.found_exchange(server, anchor, scale, past[0].age)
        steps.done("crypto_exchange is filled")
        live_on(server, fleet, shelves, anchor, scale, past[0].age, past, steps)
        server.sql("REFRESH MATERIALIZED VIEW daily_volume; ANALYZE", EXCHANGE.name)
    finally:
        server.stop()
    pristine.keep(server)
    steps.done("crypto_exchange is ready")


def live_on(
    server: Server,
    fleet: Fleet,
    shelves: Shelves,
    anchor: datetime,
    scale: float,
    since: timedelta,
    past: tuple[Taken, ...],
    steps: Steps,
    until: timedelta = NOW,
) -> None:
    """Lets the exchange live from `since` to `until` before the anchor, backed up at each age of `past`.

    The exchange goes on as soon as a dump has its snapshot, so two dumps run at a time.
    """
    taking: list[Future[None]] = []
    with ThreadPoolExecutor(2, "take") as pool:
        for taken in past:
            sample.grow_exchange(server, anchor, scale, since, taken.age)
            since = taken.age
            seen = threading.Event()
            taking.append(pool.submit(_take, server, fleet, shelves, anchor, taken, seen, steps))
            seen.wait()
        sample.grow_exchange(server, anchor, scale, since, until)
    for one in taking:
        one.result()


def _take(
    server: Server,
    fleet: Fleet,
    shelves: Shelves,
    anchor: datetime,
    taken: Taken,
    seen: threading.Event,
    steps: Steps,
) -> None:
    moment = anchor - taken.age
    work = shelves.work / f"{EXCHANGE.name}-{moment:%Y%m%d%H%M%S}"
    try:
        archive = history.take(_reached(fleet, EXCHANGE, server), EXCHANGE.name, moment, work, seen.set)
        history.shelve(archive, taken, moment, anchor, shelves)
    finally:
        seen.set()  # also when it failed: the one who waits then sees the failure at the end
        shutil.rmtree(work, ignore_errors=True)
    steps.done(f"crypto_exchange is backed up as of {moment:%d %b %H:%M}")


def _daily(
    member: Member,
    server: Server,
    fleet: Fleet,
    shelves: Shelves,
    anchor: datetime,
    scale: float,
    past: tuple[Taken, ...],
    steps: Steps,
) -> None:
    """One state for the whole past: these databases hardly change. Their data ends with their last backup."""
    server.create()
    server.start()
    work = shelves.work / member.name
    try:
        newest = anchor - past[-1].age
        sample.make(member, server, newest, scale)
        steps.done(f"{member.name} is filled")
        archive = history.take(_reached(fleet, member, server), member.name, newest, work, _nothing)
        for taken in past:
            moment = anchor - taken.age
            dated = (
                archive
                if moment == newest
                else history.copy_dated(archive, member.name, moment, work / "old")
            )
            history.shelve(dated, taken, moment, anchor, shelves)
    finally:
        server.stop()
        shutil.rmtree(work, ignore_errors=True)
    pristine.keep(server)
    steps.done(f"{member.name} is ready")


def _nothing() -> None:
    return None


def _reached(fleet: Fleet, member: Member, server: Server) -> Fleet:
    """The fleet with the endpoint that the server has now."""
    return replace(
        fleet,
        databases=tuple(
            replace(d, endpoint=server.endpoint) if d.name == member.name else d for d in fleet.databases
        ),
    )


def work_directory(directory: Path) -> Path:
    """An empty directory to work in, beneath the demo's; what a killed start left there is removed."""
    work = directory / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    return work
