"""Servers that may be near: where this machine's sockets, ports, files and environment say that one could be,
and what each says when it is asked. Nothing is changed on any of them, and no password is read: libpq finds
it in its passfile or environment as ever.

The files are libpq's own: https://www.postgresql.org/docs/current/libpq-pgpass.html, libpq-pgservice.html and
libpq-envars.html. A socket is called `.s.PGSQL.PORT` (UNIXSOCK_PATH in pqcomm.h).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import psycopg

from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.secret import Secret
from tui.model.text import clean
from tui.postgres.connection import Connection, ServerDown, ServerRefused, connect, deadline, failures, where
from tui.postgres.facts.found import FoundDatabase, databases_on
from tui.process import Command, run

SOCKETS = (Path("/var/run/postgresql"), Path("/tmp"))  # noqa: S108 - where PostgreSQL puts them by default
PORTS = range(5432, 5440)
_ANSWERS_S = 3  # so long one is waited for that is only looked for
_ASKED_S = 6.0  # and so long for what it says then
_OPEN_S = 0.5
_AT_ONCE = 16
# Where nobody said which role, the one of this name is tried after the person's own.
_USUAL_ROLE = "postgres"


class Answer(StrEnum):
    """What became of asking a server."""

    WAITING = "waiting"
    ANSWERS = "answers"
    PASSWORD = "needs a password"  # noqa: S105 - a word for it
    REFUSED = "refused"
    SILENT = "no answer"


@dataclass(frozen=True, slots=True)
class NearServer:
    """A server that may be there: how it is reached, who told of it, and what it said.

    `endpoint` is one that can be written down: its password, where it needed one, is named and not held.
    `by` is the one that it was told by, where that is another. `same` names the server itself, however it is
    reached; None where it doesn't answer. One that is only `guessed` isn't told of where nothing answers.
    """

    endpoint: Endpoint
    told_by: str
    guessed: bool = False
    answer: Answer = Answer.WAITING
    version: str | None = None
    same: str | None = None
    databases: tuple[FoundDatabase, ...] = ()
    why: str | None = None
    mend: str | None = None
    by: Endpoint | None = None

    @property
    def told_as(self) -> Endpoint:
        """The endpoint that it was told by: the same before it answers and after."""
        return self.by or self.endpoint

    @property
    def where(self) -> str:
        """How to name it to a person, its role too where that was said."""
        role = f"{clean(self.endpoint.user)}@" if self.endpoint.user else ""
        return role + where(self.endpoint)


def near_servers(
    on_server: Callable[[NearServer], None],
    environ: Mapping[str, str],
    home: Path | None,
    sockets: Iterable[Path] = SOCKETS,
    ports: Iterable[int] = PORTS,
) -> None:
    """Asks every server that may be near, side by side, and returns when all have said something.

    `on_server` gets those that somebody named as WAITING at once, and again with their answer, from several
    threads. One that is only guessed is told with its answer, and not where it is one that was named.
    """
    said = list(named(environ, home))
    taken = {_place(server.endpoint) for server in said}
    guessed = [one for one in _guessed(sockets, ports) if _place(one.endpoint) not in taken]
    found = list(_once((*said, *guessed)))
    seen: set[str] = set()
    for server in found:
        if not server.guessed:
            on_server(server)

    def answer(server: NearServer) -> NearServer:
        said = ask(server, environ)
        if not server.guessed:
            seen.add(said.same or "")
            on_server(said)
        return said

    with ThreadPoolExecutor(_AT_ONCE, "pgdr-near") as pool:
        docker = pool.submit(_published, environ)
        asked = [(server, pool.submit(answer, server)) for server in found]
        # So that it is told by the name that somebody gave it; a name that isn't resolved is not waited for.
        wait([future for server, future in asked if not server.guessed], _ANSWERS_S)
        _tell((future.result() for server, future in asked if server.guessed), seen, on_server)
        known = {_place(server.endpoint) for server in found}
        more = [server for server in _once(docker.result()) if _place(server.endpoint) not in known]
        _tell(pool.map(answer, more), seen, on_server)


def ask(server: NearServer, environ: Mapping[str, str]) -> NearServer:
    """Given a server that may be there, returns it with what it says, within seconds."""
    if server.guessed and not _is_open(server.endpoint):
        return replace(server, answer=Answer.SILENT)
    answer = _ask(server, environ)
    nobody_said = server.endpoint.user is None and not server.endpoint.pg_service and "PGUSER" not in environ
    if answer.answer in (Answer.REFUSED, Answer.PASSWORD) and nobody_said:
        usual = replace(server.endpoint, user=_USUAL_ROLE)
        other = _ask(replace(server, endpoint=usual, by=server.told_as), environ)
        if other.answer is Answer.ANSWERS:
            return other
    return answer


def sockets_in(directory: Path) -> tuple[Endpoint, ...]:
    """Given a directory, returns the servers whose sockets are in it."""
    found = []
    with suppress(OSError):
        for path in sorted(directory.glob(".s.PGSQL.*")):
            port = path.name.rpartition(".")[2]
            if port.isdecimal() and path.is_socket():
                found.append(Endpoint(host=str(directory), port=int(port)))
    return tuple(found)


def named(environ: Mapping[str, str], home: Path | None) -> Iterator[NearServer]:
    """Gives the servers that the environment and the person's files name, not asked yet."""
    if environ.get("PGHOST") or environ.get("PGPORT"):
        port = environ.get("PGPORT", "")
        host = environ.get("PGHOST") or "localhost"
        yield NearServer(Endpoint(host, int(port) if port.isdecimal() else None), "the environment")
    if environ.get("PGSERVICE"):
        yield NearServer(Endpoint(pg_service=environ["PGSERVICE"]), "$PGSERVICE")
    for path in _service_files(environ, home):
        for name in re.findall(r"^\[([^\]\r\n]+)\]", _text(path), re.MULTILINE):
            yield NearServer(Endpoint(pg_service=name), clean(path.name, 40))
    passfile = Path(environ["PGPASSFILE"]) if environ.get("PGPASSFILE") else home and home / ".pgpass"
    for fields in _pgpass(_text(passfile)) if passfile else ():
        host, port, dbname, user = fields
        if host == "*":
            continue
        endpoint = Endpoint(
            host,
            int(port) if port.isdecimal() else 5432,
            None if user == "*" else user,
            maintenance_db="postgres" if dbname in ("*", "replication") else dbname,
        )
        yield NearServer(endpoint, clean(passfile.name, 40) if passfile else "")


def _guessed(sockets: Iterable[Path], ports: Iterable[int]) -> Iterator[NearServer]:
    for directory in sockets:
        for endpoint in sockets_in(directory):
            yield NearServer(endpoint, "a socket", guessed=True)
    for port in ports:
        yield NearServer(Endpoint("localhost", port), "an open port", guessed=True)


def _published(environ: Mapping[str, str]) -> list[NearServer]:
    """Containers that publish PostgreSQL's port here; none where there is no docker, or it says nothing."""
    if not environ.get("PATH"):
        return []
    try:
        done = run(Command(("docker", "ps", "--format", "{{.Names}}\t{{.Ports}}")), timeout_s=_ANSWERS_S)
    except PgdrError:
        return []
    found = []
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        name, _, ports = line.partition("\t")
        for port in re.findall(r":(\d+)->5432/tcp", ports):
            told_by = f"docker: {clean(name, 40)}"
            found.append(NearServer(Endpoint("localhost", int(port)), told_by, guessed=True))
    return found


def _tell(answers: Iterable[NearServer], seen: set[str], on_server: Callable[[NearServer], None]) -> None:
    for said in answers:
        if said.answer is not Answer.SILENT and (said.same is None or said.same not in seen):
            seen.add(said.same or "")
            on_server(said)


def _place(endpoint: Endpoint) -> tuple[str | None, str, int]:
    """The host and port, this machine by one name only."""
    host = endpoint.host or "localhost"
    return endpoint.pg_service, "localhost" if host in ("127.0.0.1", "::1") else host, endpoint.port or 5432


def _once(servers: Iterable[NearServer]) -> Iterator[NearServer]:
    told: set[Endpoint] = set()
    for server in servers:
        if server.endpoint not in told:
            told.add(server.endpoint)
            yield server


def _ask(server: NearServer, environ: Mapping[str, str]) -> NearServer:
    quick = replace(server.endpoint, connect_timeout_s=_ANSWERS_S)
    try:
        with (
            connect(quick, statement_timeout_s=_ASKED_S) as connection,
            deadline(connection, _ASKED_S),
            failures(f"{where(quick)} was not to be asked."),
        ):
            return replace(
                server,
                endpoint=_written(server.endpoint, connection, environ),
                by=server.told_as,
                answer=Answer.ANSWERS,
                version=connection.info.parameter_status("server_version"),
                same=_same(connection),
                databases=databases_on(connection),
            )
    except ServerRefused as error:
        kind = Answer.PASSWORD if error.kind in ("no password", "password") else Answer.REFUSED
        if error.kind == "password" and not _had_password(server.endpoint, environ):
            kind = Answer.REFUSED  # peer and ident fail with the same words
        return replace(server, answer=kind, why=error.why, mend=error.mend)
    except ServerDown as error:
        return replace(server, answer=Answer.SILENT, why=error.why, mend=error.mend)
    except PgdrError as error:
        return replace(server, answer=Answer.REFUSED, why=f"{error.what} {error.why or ''}", mend=error.mend)


def _had_password(endpoint: Endpoint, environ: Mapping[str, str]) -> bool:
    """Whether one could have been sent at all: over a local socket `peer` is the usual way in."""
    return not (endpoint.host or "").startswith("/") or bool(environ.get("PGPASSWORD"))


def _written(endpoint: Endpoint, connection: Connection, environ: Mapping[str, str]) -> Endpoint:
    """The endpoint as it can be written down: what this shell's environment added is said, by reference."""
    if endpoint.pg_service:
        return endpoint
    said = replace(endpoint, port=endpoint.port or connection.info.port, user=connection.info.user)
    if connection.pgconn.used_password:
        if environ.get("PGPASSWORD"):
            return replace(said, password=Secret(env="PGPASSWORD"))
        if environ.get("PGPASSFILE"):
            return replace(said, passfile=Path(environ["PGPASSFILE"]).expanduser().absolute())
    return said


def _same(connection: Connection) -> str | None:
    """What names the server however it is reached: when it was started, to the microsecond, and its port."""
    try:
        row = connection.execute("SELECT pg_postmaster_start_time(), current_setting('port')").fetchone()
    except psycopg.Error:
        return None
    return f"{row[0]} {row[1]}" if row else None


def _is_open(endpoint: Endpoint) -> bool:
    if (endpoint.host or "").startswith("/"):
        return True
    try:
        socket.create_connection((endpoint.host or "localhost", endpoint.port or 5432), _OPEN_S).close()
    except OSError:
        return False
    return True


def _service_files(environ: Mapping[str, str], home: Path | None) -> Iterator[Path]:
    if environ.get("PGSERVICEFILE"):
        yield Path(environ["PGSERVICEFILE"])
    elif home is not None:
        yield home / ".pg_service.conf"
    if environ.get("PGSYSCONFDIR"):
        yield Path(environ["PGSYSCONFDIR"]) / "pg_service.conf"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _pgpass(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Host, port, database and user of each line; what comes after them is not looked at."""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        fields = re.findall(r"((?:\\.|[^\\:])*):", line)[:4]
        if len(fields) == 4:
            host, port, dbname, user = (re.sub(r"\\(.)", r"\1", field) for field in fields)
            if host and user:
                yield host, port, dbname, user
