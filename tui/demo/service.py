"""A little service of the sample: an HTTP process that reads the exchange, and can be paused and resumed.

    python -m tui.demo.service DIRECTORY NAME start|stop|status|serve

GET /health asks the database. In DIRECTORY lie NAME.json (its port, its server, whose demo it is), NAME.pid
and NAME.lock, which is held as long as it lives. It ends by itself when the demo has, also by a kill.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import psutil

from tui.demo.ports import ADDRESS, answers, free_port
from tui.demo.registry import find
from tui.files import private_directory, write_whole
from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.service import CommandService
from tui.process import Command, start

_RUNNING, _STOPPED = 0, 3
_WITHIN_S = 15.0
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Described:
    """What a service must know: its port, the server that it reads, and the process of its demo."""

    port: int
    host: str
    server_port: int
    user: str
    passfile: str
    dbname: str
    owner_pid: int
    owner_created: float


def describe(directory: Path, name: str, endpoint: Endpoint, dbname: str, prefer: int) -> CommandService:
    """Writes down what the service `name` must know, and returns it as the configuration has it."""
    described = Described(
        port=free_port(prefer),
        host=endpoint.host or ADDRESS,
        server_port=endpoint.port or 5432,
        user=endpoint.user or "",
        passfile=str(endpoint.passfile or ""),
        dbname=dbname,
        owner_pid=os.getpid(),
        owner_created=psutil.Process().create_time(),
    )
    write_whole(private_directory(directory) / f"{name}.json", json.dumps(asdict(described)))
    argv = (sys.executable, "-m", "tui.demo.service", str(directory), name)
    return CommandService(
        name=name,
        stop=(*argv, "stop"),
        start=(*argv, "start"),
        state=(*argv, "status"),
        timeout_s=30,
        health_url=f"http://{ADDRESS}:{described.port}/health",
        health_json=(("status", "ok"),),
        health_within_s=30,
    )


def begin(directory: Path, name: str) -> None:
    """Starts it, and doesn't wait for it; nothing when it runs already."""
    if not _is_running(directory, name):
        argv = (sys.executable, "-m", "tui.demo.service", str(directory), name, "serve")
        quiet = subprocess.DEVNULL
        start(Command(argv), stdout=quiet, stderr=quiet, detached=True)


def end(directory: Path, name: str) -> None:
    """Ends it, and waits until it is gone. Nothing when it doesn't run."""
    until = time.monotonic() + _WITHIN_S
    number = signal.SIGTERM
    while _is_running(directory, name) and time.monotonic() < until:
        # It holds the lock a moment before its pid is written.
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((directory / f"{name}.pid").read_text()), number)
        time.sleep(0.05)


def main(argv: Sequence[str]) -> int:
    """Does what its arguments say and returns the exit code, of `status` as LSB has it."""
    directory, name, what = Path(argv[0]), argv[1], argv[2]
    if what == "status":
        runs = _is_running(directory, name)
        print(f"{name} {'runs' if runs else 'does not run'}")
        return _RUNNING if runs else _STOPPED
    described = Described(**json.loads((directory / f"{name}.json").read_text()))
    if what == "serve":
        return _serve(directory, name, described)
    if what == "stop":
        end(directory, name)
        return 1 if _is_running(directory, name) else 0
    begin(directory, name)
    until = time.monotonic() + _WITHIN_S
    while not answers(described.port) and time.monotonic() < until:
        time.sleep(0.05)
    return 0 if answers(described.port) else 1


def _is_running(directory: Path, name: str) -> bool:
    """Whether it holds its lock. Asked by a shared one: who asks is never taken for the service."""
    if not directory.is_dir():
        return False
    with (directory / f"{name}.lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def _lock(directory: Path, name: str) -> IO[str] | None:
    """The service's lock, None when it runs already. One who only asks holds it for a moment at most."""
    handle = (directory / f"{name}.lock").open("a")
    for _ in range(40):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.05)
        else:
            return handle
    handle.close()
    return None


def _serve(directory: Path, name: str, described: Described) -> int:
    lock = _lock(directory, name)
    if lock is None:
        return 0  # it runs already
    write_whole(directory / f"{name}.pid", str(os.getpid()))
    server = _Server(name, described)
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while find(described.owner_pid, described.owner_created):
        time.sleep(_LOOK_EVERY_S)
    return 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name: str, described: Described) -> None:
        self.name = name
        self.described = described
        super().__init__((ADDRESS, described.port), _Handler)

    def trouble(self) -> str | None:
        """What is wrong with the database as this service sees it, or None."""
        from tui.postgres.connection import connect, failures

        d = self.described
        endpoint = Endpoint(d.host, d.server_port, d.user, passfile=Path(d.passfile))
        try:
            with (
                connect(
                    endpoint, d.dbname, application=f"krystalinex-{self.name}", statement_timeout_s=5
                ) as connection,
                failures("The exchange's users can't be read."),
            ):
                connection.execute("SELECT 1 FROM public.users LIMIT 1")
        except PgdrError as error:
            return str(error)
        return None


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        wrong = self.server.trouble() if self.path.partition("?")[0] == "/health" else "there is only /health"
        body = {"status": "ok" if wrong is None else "unhealthy", "service": self.server.name}
        data = json.dumps(body if wrong is None else {**body, "database": wrong}).encode()
        self.send_response(200 if wrong is None else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's names
        """Nothing: nobody reads it."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
