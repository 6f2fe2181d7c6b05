"""A real ssh session to a server of our own, over a link as slow as one to another continent."""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.terminal.terminal import PROGRAM, Terminal
from tui.demo.ports import ADDRESS, answers, free_port

SSHD = Path("/usr/sbin/sshd")
ROUND_TRIP_S = 0.2
_APART = Path("/run/sshd")  # into which a server that root has started locks its own half

CONFIG = """
ListenAddress {address}
Port {port}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/key.pub
PidFile none
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PrintMotd no
PrintLastLog no
"""


def need_sshd() -> None:
    """Skips the test where there is no ssh server to start; fails it in CI."""
    said = None
    if not SSHD.exists() or shutil.which("ssh") is None:
        said = "There is no ssh server (Debian: apt-get install openssh-server openssh-client)."
    elif os.geteuid() == 0 and not _APART.is_dir():
        said = f"sshd needs the empty directory {_APART} when root starts it (mkdir {_APART})."
    if said is None:
        return
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


@dataclass(frozen=True)
class Far:
    """A machine at the other end of a slow link: this one."""

    directory: Path
    port: int
    server: psutil.Process

    def terminal(self, *arguments: str, columns: int = 80, lines: int = 24) -> Terminal:
        """Runs the installed program there with these arguments, on a terminal here."""
        options = ["-F", "none", "-tt", "-i", str(self.directory / "key"), "-p", str(self.port)]
        options += ["-o", f"UserKnownHostsFile={self.directory}/known", "-o", "StrictHostKeyChecking=no"]
        options += ["-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR"]
        user = pwd.getpwuid(os.geteuid()).pw_name
        remote = shlex.join(["env", "LANG=C.UTF-8", str(PROGRAM), *arguments])
        ssh = Path(shutil.which("ssh") or "ssh")
        return Terminal(*options, f"{user}@{ADDRESS}", remote, columns=columns, lines=lines, program=ssh)

    def apps(self) -> list[psutil.Process]:
        """The programs that run in its sessions."""
        found = self.server.children(recursive=True)
        return [process for process in found if str(PROGRAM) in _argv(process)]


def _argv(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@contextmanager
def far(directory: Path) -> Iterator[Far]:
    """An ssh server with keys of its own in `directory`, run by this user, behind a slow link; its end is
    that of every session."""
    for name in ("host_key", "key"):
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
        subprocess.run(argv, check=True, timeout=60)
    port = free_port()
    (directory / "sshd_config").write_text(CONFIG.format(address=ADDRESS, port=port, directory=directory))
    with (directory / "sshd.log").open("wb") as log:
        argv = [str(SSHD), "-D", "-e", "-f", str(directory / "sshd_config")]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=log)
    server = psutil.Process(process.pid)
    try:
        deadline = time.monotonic() + 30
        while not answers(port):
            said = (directory / "sshd.log").read_text()
            assert process.poll() is None and time.monotonic() < deadline, f"sshd: {said}"
            time.sleep(0.05)
        with slowed(port, ROUND_TRIP_S) as slow:
            yield Far(directory, slow, server)
    finally:
        for session in server.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                session.kill()
        process.kill()
        process.wait(30)


@contextmanager
def slowed(port: int, round_trip_s: float) -> Iterator[int]:
    """A port that leads to `port`, where every byte arrives half of the round trip late; gives its number."""
    listener = socket.create_server((ADDRESS, 0))

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # shut down: no more will come
            there = socket.create_connection((ADDRESS, port))
            joined = (near, there, round_trip_s / 2)
            threading.Thread(target=_join, args=joined, name="slow link", daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _join(near: socket.socket, there: socket.socket, late_s: float) -> None:
    """Carries bytes, and the end, from each to the other, so many seconds late."""
    other = {near: there, there: near}
    under_way: deque[tuple[float, socket.socket, bytes]] = deque()
    with near, there:
        while other or under_way:
            left = under_way[0][0] - time.monotonic() if under_way else None
            try:
                if left is not None and left <= 0:
                    _, sink, data = under_way.popleft()
                    sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
                    continue
                for source in select.select(list(other), [], [], left)[0]:
                    data = source.recv(65536)
                    under_way.append((time.monotonic() + late_s, other[source], data))
                    if not data:
                        del other[source]
            except OSError:
                return  # one end is gone, and so is the link
