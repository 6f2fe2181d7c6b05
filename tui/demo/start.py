"""The demo from its start to its end: everything runs when `prepare` returns, nothing after `stop`."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO

from tui.config.write import text_of
from tui.demo import history, pristine, service
from tui.demo.account import roots_place, server_account, servers_place
from tui.demo.binaries import reachable_bin
from tui.demo.build import STEPS, OnProgress, Steps, build, live_on, work_directory
from tui.demo.fleet import BUCKET, PREFIX, sample_fleet
from tui.demo.history import OFFSITE, Shelves, Taken
from tui.demo.messages import MessageServer
from tui.demo.objects import ObjectServer
from tui.demo.registry import stop_leftovers
from tui.demo.sample import EXCHANGE, MEMBERS
from tui.demo.server import Server
from tui.demo.session import undisturbed
from tui.files import private_directory, write_whole
from tui.model.backup import Verdict
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.fleet import Endpoint, Fleet, S3Store
from tui.model.text import rfc3339
from tui.operations import records
from tui.operations.catalogue.catalogue import key_for
from tui.operations.inventory import schema
from tui.postgres.connection import connect, failures

VERSION = 1  # of the sample: another one's directory is made anew
LASTS = timedelta(hours=36)  # after that the sample's past is made anew rather than gone on with
PORT_S3 = 9000
PORT_WEB = 5000
SERVICES = {"server": 5001, "payment-processor": 5002}  # the exchange's, and the ports they would have
MARK = ".pgdr-demo"
# Nobody replicates from these servers; without old WAL kept for use again, the pristine copies stay small.
SETTINGS = {
    "max_connections": "50",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "32MB",
    "wal_recycle": "off",
}


@dataclass(frozen=True, slots=True)
class Made:
    """What the directory's sample is: `anchor` its first present, `backed_up` the exchange's last backup."""

    version: int
    scale: float
    anchor: str
    backed_up: str


@dataclass
class RunningDemo:
    """A demo that runs. Leaving its `with`, or `stop`, ends every process that belongs to it."""

    directory: Path
    fleet: Fleet
    config: Path
    state: Path
    servers: dict[str, Server]
    objects: ObjectServer
    messages: MessageServer
    _lock: IO[str]

    def stop(self) -> None:
        """Stops everything, all at once; a second signal meanwhile changes nothing."""
        with undisturbed(), ThreadPoolExecutor(len(self.servers) + len(SERVICES) + 2, "stop") as pool:
            stopping = [pool.submit(server.stop) for server in self.servers.values()]
            stopping += [pool.submit(service.end, self.directory / "services", name) for name in SERVICES]
            for one in (*stopping, pool.submit(self.objects.stop), pool.submit(self.messages.stop)):
                one.result()
        self._lock.close()

    def __enter__(self) -> RunningDemo:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def default_directory() -> Path:
    """Where the demo lives without --dir: for root a place that the servers' user can pass through."""
    if server_account() is not None:
        return roots_place() / "demo"
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "pgdr" / "demo"


def _utc_now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def prepare(
    directory: Path | None = None,
    scale: float = 1.0,
    on_progress: OnProgress = lambda what, fraction: None,
    *,
    now: Callable[[], datetime] = _utc_now,
) -> RunningDemo:
    """Starts the sample fleet in `directory` (None: the default), making it first where there is none.

    The first start takes some ten seconds at scale 1, a later one about one: the databases are put back
    as they were made, the exchange lives on to now, and backups that its schedule would have taken are
    taken. `on_progress` gets a sentence and a fraction, from several threads but one at a time.

    Raises UsageError when the directory holds something else or the scale makes no sense, Refused when a
    demo is running there, PgdrError when a server can't be made. Nothing is left running then.
    """
    if not 0 < scale <= 1000:
        raise UsageError(f"A scale of {scale:g} makes no sense.", mend="Give one between 0.01 and 1000.")
    place = _own(directory or default_directory())
    lock = _locked(place)
    demo: RunningDemo | None = None
    try:
        stop_leftovers()
        demo = _stopped_demo(place, lock)
        _run(demo, scale, on_progress, now())
    except BaseException:
        if demo is not None:
            demo.stop()
        lock.close()
        raise
    return demo


def _own(directory: Path) -> Path:
    """The demo's directory, made when missing. One that exists must be empty or a demo's already."""
    directory = directory.expanduser().absolute()
    if directory.exists() and not (directory / MARK).exists() and any(directory.iterdir()):
        raise UsageError(
            f"{directory} is not empty and holds no demo.",
            mend="Give an empty or a new directory with --dir.",
        )
    # Root's is passed through by the servers' user; the files in it are each private.
    directory.mkdir(parents=True, exist_ok=True, mode=0o711 if server_account() else 0o700)
    (directory / MARK).touch(mode=0o600)
    return directory


def _locked(directory: Path) -> IO[str]:
    path = directory / "lock"
    path.touch(mode=0o600)
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Refused(
            f"A demo is running in {directory}.", mend="Use that one, or give another directory with --dir."
        ) from None
    return lock


def _stopped_demo(directory: Path, lock: IO[str]) -> RunningDemo:
    account = server_account()
    programs = reachable_bin(account)
    place = servers_place(directory, account)
    place.mkdir(parents=True, exist_ok=True, mode=0o711)
    servers = {
        member.name: Server(
            name=member.service,
            bin_directory=programs,
            directory=place / member.service,
            user=member.user,
            passfile=directory / "pgpass",
            account=account,
            settings=SETTINGS,
        )
        for member in MEMBERS
    }
    return RunningDemo(
        directory=directory,
        fleet=Fleet("KrystalineX"),
        config=directory / "pgdr.toml",
        state=private_directory(directory / "state"),
        servers=servers,
        objects=ObjectServer(private_directory(directory / "s3")),
        messages=MessageServer(directory / "messages.jsonl", lambda: _trouble(servers[EXCHANGE.name])),
        _lock=lock,
    )


def _trouble(server: Server) -> str | None:
    """What is wrong with the exchange as its application sees it, or None."""
    try:
        with (
            connect(
                server.endpoint, EXCHANGE.name, application="krystalinex-server", statement_timeout_s=5
            ) as c,
            failures("The exchange's users can't be read."),
        ):
            c.execute("SELECT count(*) FROM public.users")
    except PgdrError as error:
        return str(error)
    return None


def _run(demo: RunningDemo, scale: float, on_progress: OnProgress, now: datetime) -> None:
    shelves = Shelves(
        private_directory(demo.directory / "backups"),
        private_directory(demo.objects.objects / BUCKET / PREFIX),
        work_directory(demo.directory),
    )
    made = _made(demo, shelves, scale, now)
    if made is None:
        made = _make(demo, shelves, scale, on_progress, now)
    else:
        on_progress("Putting the databases back as they were made", 0.1)
        with ThreadPoolExecutor(3, "reset") as pool:
            list(pool.map(pristine.reset, demo.servers.values()))
    on_progress("Starting the servers", 0.9)
    with ThreadPoolExecutor(5, "start") as pool:
        starting = [pool.submit(demo.servers[m.name].start, m.port) for m in MEMBERS]
        starting += [pool.submit(demo.objects.start, PORT_S3), pool.submit(demo.messages.start, PORT_WEB)]
        for one in starting:
            one.result()
    endpoints = {name: server.endpoint for name, server in demo.servers.items()}
    demo.fleet = _fleet(demo, endpoints, demo.objects.store(OFFSITE, BUCKET, PREFIX), demo.messages.url)
    _begin_services(demo)
    _go_on(demo, shelves, made, now)
    shelves.work.rmdir()
    write_whole(demo.config, text_of(demo.fleet))
    for database in demo.fleet.databases:
        schema(database, demo.state, lambda: now)
    on_progress("The fleet is ready", 1.0)


def _begin_services(demo: RunningDemo) -> None:
    """What uses the exchange, for real. What was paused the last time is made anew with all the rest."""
    shutil.rmtree(demo.state / "paused", ignore_errors=True)
    directory = private_directory(demo.directory / "services")
    for name in SERVICES:
        service.end(directory, name)  # a killed demo's, which would end a moment later
    endpoint = demo.servers[EXCHANGE.name].endpoint
    described = tuple(
        service.describe(directory, name, endpoint, EXCHANGE.name, port) for name, port in SERVICES.items()
    )
    demo.fleet = replace(demo.fleet, services=described)
    for name in SERVICES:
        service.begin(directory, name)


def _fleet(demo: RunningDemo, endpoints: dict[str, Endpoint], offsite: S3Store, web: str) -> Fleet:
    topic = demo.directory / "ntfy-topic"
    if not topic.exists():
        write_whole(topic, "krystalinex-demo\n")
    return sample_fleet(endpoints, demo.directory / "backups", offsite, topic, web, demo.config)


def _made(demo: RunningDemo, shelves: Shelves, scale: float, now: datetime) -> Made | None:
    """What lies in the directory, when it can be gone on with."""
    try:
        made = Made(**json.loads((demo.directory / MARK).read_text()))
        anchor = datetime.fromisoformat(made.anchor)
        newest = datetime.fromisoformat(made.backed_up)
    except (ValueError, TypeError):
        return None
    usable = (
        (made.version, made.scale) == (VERSION, scale)
        and timedelta(0) <= now - anchor < LASTS
        and all(pristine.pristine(server).exists() for server in demo.servers.values())
        and (shelves.offsite / key_for(EXCHANGE.name, newest)).exists()
    )
    return made if usable else None


def _make(demo: RunningDemo, shelves: Shelves, scale: float, on_progress: OnProgress, now: datetime) -> Made:
    (demo.directory / MARK).write_text("")  # until it is done, it is not
    for old in (shelves.local, shelves.offsite):
        shutil.rmtree(old)
        private_directory(old)
    # The backups of the sample's past are put where the S3 server will serve them, before it runs.
    fleet = _fleet(
        demo, {m.name: Endpoint() for m in MEMBERS}, S3Store(OFFSITE, BUCKET, PREFIX), "http://demo"
    )
    build(demo.servers, fleet, shelves, now, scale, Steps(STEPS, on_progress))
    if not records.drills(demo.state, EXCHANGE.name):
        rehearsed = records.Drill(now - timedelta(days=40), 1320.0, 7800.0, Verdict.CLEAN)
        records.add_drill(demo.state, EXCHANGE.name, rehearsed)
    made = Made(VERSION, scale, rfc3339(now), rfc3339(now - history.NEWEST))
    write_whole(demo.directory / MARK, json.dumps(asdict(made)))
    return made


def _go_on(demo: RunningDemo, shelves: Shelves, made: Made, now: datetime) -> None:
    """The exchange lives from the sample's first present to now, with the backups that fell due."""
    anchor = datetime.fromisoformat(made.anchor)
    if now <= anchor:
        return
    moments = history.due(datetime.fromisoformat(made.backed_up), now)
    past = tuple(Taken(anchor - moment) for moment in moments)
    live_on(
        *(demo.servers[EXCHANGE.name], demo.fleet, shelves, anchor, made.scale, timedelta(0), past),
        Steps(max(1, len(past)), lambda what, fraction: None),
        until=anchor - now,
    )
    if moments:
        write_whole(demo.directory / MARK, json.dumps(asdict(replace(made, backed_up=rfc3339(moments[-1])))))
