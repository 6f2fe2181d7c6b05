"""A database with one of nearly everything, dumped in every format, and pg_restore to put it back."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tui.demo.server import Server
from tui.model.backup import Contents
from tui.model.event import Event
from tui.postgres.archive.archive import read_contents
from tui.postgres.archive.output import RestoreOutput

SCHEMA = Path(__file__).with_name("rich.sql").read_text()


@dataclass(frozen=True)
class Rich:
    """The rich database on one server and its dumps: custom, piped (no offsets), tar, directory."""

    server: Server
    directory: Path

    @property
    def custom(self) -> Path:
        return self.directory / "rich.dump"

    @property
    def piped(self) -> Path:
        return self.directory / "rich.piped"

    @property
    def tar(self) -> Path:
        return self.directory / "rich.tar"

    @property
    def toc(self) -> Path:
        return self.directory / "rich.d" / "toc.dat"

    @property
    def contents(self) -> Contents:
        return contents_of(self.custom)


def contents_of(path: Path) -> Contents:
    data = path.read_bytes()
    return read_contents(lambda start, length: data[start : start + length], len(data))


def program(
    server: Server, name: str, *arguments: str, dbname: str = "", passfile: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs one of the server's own programs against it (or against no server, without `dbname`)."""
    argv = [str(server.bin_directory / name)]
    if dbname:
        argv += ["-h", str(server.endpoint.host), "-p", str(server.port), "-U", server.user, "-d", dbname]
    return subprocess.run(
        [*argv, *arguments],
        env={"PATH": "/usr/bin:/bin", "PGPASSFILE": str(passfile or server.passfile), "LC_MESSAGES": "C"},
        capture_output=True,
        timeout=120,
        check=False,
    )


def dump(server: Server, dbname: str, directory: Path) -> Rich:
    """Dumps a database in every format."""
    made = Rich(server, directory)
    for letter, path in (("c", made.custom), ("t", made.tar), ("d", made.toc.parent)):
        done = program(server, "pg_dump", f"-F{letter}", "-f", str(path), dbname=dbname)
        assert done.returncode == 0, done.stderr.decode()
    with made.piped.open("wb") as file:
        done = program(server, "pg_dump", "-Fc", "-Z0", dbname=dbname)
        assert done.returncode == 0, done.stderr.decode()
        file.write(done.stdout)
    return made


def restore(
    server: Server, dbname: str, archive: Path, *arguments: str, passfile: Path | None = None
) -> tuple[list[Event], int, str]:
    """Restores with the server's pg_restore; returns the events, its exit code and what it printed."""
    done = program(server, "pg_restore", "-v", *arguments, str(archive), dbname=dbname, passfile=passfile)
    text = done.stderr.decode("utf-8", "replace")
    output = RestoreOutput(contents_of(archive))
    events = [event for line in text.splitlines() for event in output.feed(line)]
    return events + output.close(done.returncode), done.returncode, text
