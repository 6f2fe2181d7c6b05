"""One disposable PostgreSQL server: its data directory, its process, its end.

Any major version's programs will do; the demo uses the embedded ones. Settings favour speed over
durability (fsync is off): what is in such a server can be made again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tui.demo import registry
from tui.demo.account import Account
from tui.demo.ports import ADDRESS, free_port
from tui.files import write_whole
from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.process import Command, run, start

INIT_S = 60.0
START_S = 60.0
STOP_S = 15.0
SQL_S = 600.0
_passfile_lock = threading.Lock()  # servers made at the same time share a passfile
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "30min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "listen_addresses": ADDRESS,
    "unix_socket_directories": "",
}


@dataclass
class Server:
    """A server in `directory` (made by `create`), with one superuser that has a generated password.

    `bin_directory` holds its programs, `account` is the user that runs it (None: this one), and
    `passfile` a file of this user's to which the password is added for every port of 127.0.0.1.
    """

    name: str
    bin_directory: Path
    directory: Path
    user: str
    passfile: Path
    account: Account | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _entry: Path | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What the server has printed since it was made."""
        return self.directory / "log"

    @property
    def made(self) -> bool:
        """Whether `create` has been done, to its end."""
        return (self.data / "PG_VERSION").exists() and not (self.directory / "password").exists()

    @property
    def running(self) -> bool:
        """Whether its process, started by this one, is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def endpoint(self) -> Endpoint:
        """How to reach it. Raises PgdrError when it isn't running."""
        if self.port is None or not self.running:
            raise PgdrError(f"The server {self.name} is not running.")
        return Endpoint(host=ADDRESS, port=self.port, user=self.user, passfile=self.passfile)

    def create(self) -> None:
        """Makes a new, empty cluster (about a second). Raises PgdrError when initdb fails."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        if self.data.exists():
            shutil.rmtree(self.data)
        password = self._password()
        given = self.directory / "password"
        given.touch(mode=0o600)
        given.write_text(password + "\n")
        if self.account:
            os.chown(self.directory, self.account.uid, self.account.gid)
            os.chown(given, self.account.uid, self.account.gid)
        self._program(
            [
                *("initdb", "-D", str(self.data), "-U", self.user, "--pwfile", str(given)),
                *("-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"),
                "--wal-segsize=4",  # a quarter of the usual: these clusters are copied as a whole
            ],
            INIT_S,
        )
        with (self.data / "postgresql.conf").open("a") as conf:
            for name, value in {**FAST, **self.settings}.items():
                conf.write(f"{name} = '{value}'\n")
        given.unlink()

    def start(self, prefer: int | None = None) -> int:
        """Starts it on 127.0.0.1, at port `prefer` when that is free, and returns its port once it
        accepts connections. Raises PgdrError with the log's last lines when it doesn't come up."""
        self._forget_dead_postmaster()
        for attempt in range(5):
            port = free_port(prefer if attempt == 0 else None)
            if self._start_at(port):
                self.port = port
                return port
        raise PgdrError(f"The server {self.name} found no free port.", self._last_words())

    def stop(self) -> None:
        """Stops it: asks for a fast shutdown, after STOP_S seconds without mercy. Nothing when it is down."""
        process, self._process = self._process, None
        if process is not None:
            for number, patience in (
                (signal.SIGINT, STOP_S),
                (signal.SIGQUIT, STOP_S),
                (signal.SIGKILL, STOP_S),
            ):
                if process.poll() is not None:
                    break
                process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
        if self._entry is not None:
            self._entry.unlink(missing_ok=True)
            self._entry = None
        self.port = None

    def sql(self, text: str, dbname: str = "postgres", variables: Mapping[str, str] | None = None) -> str:
        """Runs SQL with psql, stopping at the first error; returns the rows, unaligned, fields by `|`.

        `variables` are psql's (`:name`, `:'name'`). Raises PgdrError with what the server said.
        """
        place = self.endpoint
        command = Command(
            (
                *(str(self.bin_directory / "psql"), "-X", "-w", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
                *(f"--set={name}={value}" for name, value in (variables or {}).items()),
                *("-h", ADDRESS, "-p", str(place.port), "-U", self.user, "-d", dbname, "-f", "-"),
            ),
            {"PGPASSFILE": str(self.passfile), "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "pgdr-demo"},
        )
        finished = run(command, timeout_s=SQL_S, stdin=text.encode())
        if finished.code != 0:
            raise PgdrError(f"SQL failed on the server {self.name}.", clean(finished.stderr.strip(), 400))
        return finished.stdout.decode().rstrip("\n")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _password(self) -> str:
        """The superuser's password from the passfile; generated and added when it isn't there."""
        prefix = f"{ADDRESS}:*:*:{self.user}:"
        with _passfile_lock:
            lines = self.passfile.read_text().splitlines() if self.passfile.exists() else []
            for line in lines:
                if line.startswith(prefix):
                    return line.removeprefix(prefix)
            password = secrets.token_urlsafe(18)
            write_whole(self.passfile, "".join(f"{line}\n" for line in (*lines, prefix + password)))
        return password

    def _program(self, argv: list[str], timeout_s: float) -> None:
        process = start(
            Command((str(self.bin_directory / argv[0]), *argv[1:])),
            cwd="/",
            uid=self.account.uid if self.account else None,
            gid=self.account.gid if self.account else None,
        )
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise PgdrError(f"{argv[0]} for {self.name} took longer than {timeout_s:g} s.") from None
        if process.returncode != 0:
            said = (err or out).decode("utf-8", "replace").strip()
            raise PgdrError(f"{argv[0]} failed for the server {self.name}.", clean(said, 400))

    def _start_at(self, port: int) -> bool:
        """Whether it came up; False when somebody else was quicker to take the port."""
        mark = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            # In a session of its own: a Ctrl-C in our terminal must not stop it before we do.
            process = start(
                Command((str(self.bin_directory / "postgres"), "-D", str(self.data), "-p", str(port))),
                stdout=log,
                stderr=log,
                detached=True,
                cwd="/",
                uid=self.account.uid if self.account else None,
                gid=self.account.gid if self.account else None,
            )
        self._process = process
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended already; the loop below says why
            self._entry = registry.enter("postgres", process.pid, self.directory, signal.SIGINT)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                said = self.log.read_bytes()[mark:].decode("utf-8", "replace")
                self.stop()
                if "could not create any TCP/IP sockets" in said:
                    return False
                raise PgdrError(f"The server {self.name} did not start.", clean(said.strip(), 400))
            if self._ready(process.pid):
                return True
            time.sleep(0.02)
        self.stop()
        raise PgdrError(f"The server {self.name} did not come up within {START_S:g} s.", self._last_words())

    def _ready(self, pid: int) -> bool:
        """What pg_ctl looks at: the last line of postmaster.pid (pidfile.h, LOCK_FILE_LINE_PM_STATUS)."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _forget_dead_postmaster(self) -> None:
        """Removes the lock file of a server that was killed, when its pid is now some other program's:
        PostgreSQL would take that for a running server."""
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
            pid = int(lock.read_text().splitlines()[0])
            if str(self.data) not in psutil.Process(pid).cmdline():
                lock.unlink()

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return clean(self.log.read_text(errors="replace")[-400:].strip(), 400)
        return ""
