"""Surroundings with a real server on a socket and a port, a real archive, and nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.servers import place, server
from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin
from tui.demo.server import Server
from tui.operations.first_run.nearby import Surroundings


@dataclass(frozen=True)
class Near:
    """A server that lets the role postgres in over its socket without a password, and where that is."""

    server: Server
    sockets: Path
    archive: Path

    @property
    def port(self) -> int:
        assert self.server.port is not None
        return self.server.port

    def around(self, home: Path, **environ: str) -> Surroundings:
        """What a person in `home` has around them who has set these variables."""
        given = {"PATH": os.environ["PATH"], **environ}
        return Surroundings(given, home, home, (), (), (self.port,))

    def with_socket(self, home: Path, **environ: str) -> Surroundings:
        """The same with the server's socket in sight, and not its port."""
        return replace(self.around(home, **environ), sockets=(self.sockets,), ports=())


@pytest.fixture(scope="session")
def near() -> Iterator[Near]:
    """It runs for all of these tests."""
    account = server_account()
    programs = reachable_bin(account)
    with place() as sockets, server("near", programs) as made:
        if account:
            os.chown(sockets, account.uid, account.gid)
        port = made.port
        made.stop()
        with (made.data / "postgresql.conf").open("a") as conf:
            conf.write(f"unix_socket_directories = '{sockets}'\n")
        hba = made.data / "pg_hba.conf"
        hba.write_text("local all postgres trust\n" + hba.read_text())
        made.start(port)
        made.sql("CREATE ROLE postgres LOGIN; CREATE DATABASE shop; CREATE DATABASE empty")
        made.sql("CREATE TABLE orders AS SELECT generate_series(1, 100) AS id", "shop")
        archive = sockets / "shop.dump"
        dump = [str(programs / "pg_dump"), "-Fc", "-h", "127.0.0.1", "-p", str(made.port), "-U", made.user]
        environ = {**os.environ, "PGPASSFILE": str(made.passfile)}
        archive.write_bytes(
            subprocess.run([*dump, "shop"], env=environ, capture_output=True, check=True).stdout
        )
        yield Near(made, sockets, archive)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home with nothing in it."""
    made = tmp_path / "home"
    made.mkdir()
    monkeypatch.setenv("HOME", str(made))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def passfile(near: Near, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that names the server, with the password that it really has, and one that nobody answers at."""
    password = near.server.passfile.read_text().splitlines()[0].rpartition(":")[2]
    made = tmp_path / "pass file"
    made.write_text(
        f"# a comment\n127.0.0.1:{near.port}:*:{near.server.user}:{password}\n127.0.0.1:9:shop:a\\:b:x\n"
        f"*:*:*:someone:{password}\n"
    )
    made.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(made))
    return made
