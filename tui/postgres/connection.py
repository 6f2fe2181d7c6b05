"""Connections to a server, and what it means when there is none.

Only what the configuration says is given to libpq; the rest comes from where libpq always takes it
(PG* variables, ~/.pgpass, pg_service.conf). https://www.postgresql.org/docs/current/libpq-connect.html
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from tui.config.secrets import reveal
from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.troubles.refusal import Failure, cause, refusal

Connection = psycopg.Connection[TupleRow]

APPLICATION = "pgdr"

_READ_ONLY = (
    "It is a standby, or default_transaction_read_only is on for the server, the role or the database."
    " SHOW it; if nobody keeps writes off on purpose, RESET it where it was set."
)


class ServerDown(Unreachable):
    """Nothing that speaks PostgreSQL answered at the endpoint. `kind` is that of `Failure`, where there was
    one."""

    kind: str | None = None


class ServerRefused(Unreachable):
    """The server answered and said no. `kind` is that of `Failure`."""

    kind: str | None = None


class DatabaseMissing(PgdrError):
    """The server answers; the database does not exist on it."""


def connect(
    endpoint: Endpoint,
    dbname: str | None = None,
    *,
    application: str = APPLICATION,
    autocommit: bool = True,
    statement_timeout_s: float | None = None,
) -> Connection:
    """Given an endpoint and a database's name on the server (None: the maintenance database),
    returns an open connection that the caller closes.

    The session has `search_path` pg_catalog, so that nothing in the database can stand in for a
    function of PostgreSQL's, and none of the timeouts that a role or database may be given, so that
    a long count isn't cut off; `statement_timeout_s` seconds is the one it has instead.

    Raises ServerDown when nobody answers within the endpoint's timeout (finding the address of a host's
    name isn't bounded by it), ServerRefused when the server says no, DatabaseMissing when it has
    no such database, ConfigError when the password can't be found. None of them holds a secret.
    """
    wanted = dbname or endpoint.maintenance_db
    opened = _open(endpoint, wanted, application, autocommit)
    if isinstance(opened, Failure):
        raise _error(endpoint, wanted, opened)
    connection = opened
    try:
        with failures(f"The session on {where(endpoint)} could not be set up."):
            _settle(connection, statement_timeout_s)
    except PgdrError:
        connection.close()
        raise
    return connection


def environment(
    endpoint: Endpoint, dbname: str | None = None, *, application: str = APPLICATION
) -> dict[str, str]:
    """Given an endpoint, returns the variables that bring PostgreSQL's programs to it; PGPASSWORD among them
    holds the secret itself. libpq takes PGDATABASE as a name, never as a connection string.

    Raises ConfigError when the password can't be found.
    https://www.postgresql.org/docs/current/libpq-envars.html
    """
    found = {
        "PGHOST": endpoint.host,
        "PGPORT": endpoint.port,
        "PGUSER": endpoint.user,
        "PGPASSWORD": _password(endpoint),
        "PGPASSFILE": endpoint.passfile,
        "PGSERVICE": endpoint.pg_service,
        "PGSSLMODE": endpoint.sslmode,
        "PGSSLROOTCERT": endpoint.sslrootcert,
        "PGCONNECT_TIMEOUT": endpoint.connect_timeout_s,
        "PGAPPNAME": application,
        "PGDATABASE": dbname,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def where(endpoint: Endpoint) -> str:
    """Given an endpoint, returns how to name it to a person: `127.0.0.1:5433`, `service "prod"`."""
    if endpoint.host:
        return clean(endpoint.host) + (f":{endpoint.port}" if endpoint.port else "")
    if endpoint.pg_service:
        return f'service "{clean(endpoint.pg_service)}"'
    host = os.environ.get("PGHOST", "the local server")
    return clean(host) + (f":{endpoint.port}" if endpoint.port else "")


@contextmanager
def failures(what: str) -> Iterator[None]:
    """Turns an error of psycopg's inside the block into a PgdrError that begins with `what`.

    A connection that broke becomes ServerDown; anything the server said becomes PgdrError with the
    server's sentence as its cause.
    """
    try:
        yield
    except psycopg.Error as error:
        said = sentence(error)
        if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
            caught: PgdrError = ServerDown(
                what, said, "The connection broke; see whether the server is still there."
            )
        elif isinstance(error, psycopg.errors.AdminShutdown | psycopg.errors.CrashShutdown):
            caught = ServerDown(what, said, "The server ended the session; see whether it is restarting.")
        elif isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            caught = PgdrError(what, said, _READ_ONLY)
        elif isinstance(error, psycopg.errors.InsufficientPrivilege):
            caught = PgdrError(what, said, "Give the role this right, or connect as another role.")
        else:
            caught = PgdrError(what, said)
        raise caught from None


def sentence(error: psycopg.Error) -> str:
    """Given an error, returns what the server said (its primary message), on one cleaned line."""
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    return clean(said.splitlines()[0], 300)


@contextmanager
def deadline(connection: Connection, seconds: float) -> Iterator[None]:
    """Cuts the connection when the block takes longer than `seconds`: what waits on it then fails.

    statement_timeout depends on a server that still works; this doesn't.
    """
    handle = socket.socket(fileno=os.dup(connection.fileno()))
    timer = threading.Timer(seconds, _cut, (handle,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def _cut(handle: socket.socket) -> None:
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already


def _settle(connection: Connection, statement_timeout_s: float | None) -> None:
    version = connection.info.server_version
    settings = {
        "search_path": "pg_catalog",
        "statement_timeout": str(round((statement_timeout_s or 0) * 1000)),
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }
    if version >= 140000:
        settings["idle_session_timeout"] = "0"
    if version >= 170000:
        settings["transaction_timeout"] = "0"
    calls = ", ".join("set_config(%s, %s, false)" for _ in settings)
    connection.execute(
        f"SELECT {calls}".encode(),
        [part for pair in settings.items() for part in pair],
    )
    if not connection.autocommit:
        connection.commit()  # settings of a transaction that rolls back would go with it


def _password(endpoint: Endpoint) -> str | None:
    return reveal(endpoint.password) if endpoint.password else None


def _parameters(endpoint: Endpoint, dbname: str, application: str) -> dict[str, str]:
    found: Mapping[str, str | int | Path | None] = {
        "host": endpoint.host,
        "port": endpoint.port,
        "user": endpoint.user,
        "password": _password(endpoint),
        "passfile": endpoint.passfile,
        "service": endpoint.pg_service,
        "sslmode": endpoint.sslmode,
        "sslrootcert": endpoint.sslrootcert,
        "connect_timeout": endpoint.connect_timeout_s,
        "application_name": application,
        "dbname": dbname,
        "client_encoding": "UTF8",
        # A link that went dead is noticed within a minute, not after the two hours of TCP's default.
        "keepalives_idle": 20,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def _open(endpoint: Endpoint, dbname: str, application: str, autocommit: bool) -> Connection | Failure:
    # The parameters hold the password, and psycopg's error may: both end with this frame.
    if "\0" in dbname:
        return Failure("missing", "A database's name can't hold a zero byte.")
    parameters = _parameters(endpoint, dbname, application)
    try:
        return psycopg.connect(autocommit=autocommit, prepare_threshold=None, **parameters)  # type: ignore[arg-type]
    except psycopg.errors.ConnectionTimeout:
        return Failure("timeout", f"No answer within {endpoint.connect_timeout_s} s.")
    except psycopg.Error as error:
        message = str(error)
        needs_password = bool(error.pgconn and error.pgconn.needs_password)
    except UnicodeEncodeError:
        return Failure("missing", "The name can't be written in UTF-8.")
    return _judge(endpoint, message, needs_password, parameters)


def _judge(endpoint: Endpoint, message: str, needs_password: bool, parameters: Mapping[str, str]) -> Failure:
    """What kept a connection from being made, without leaning on the language of the message if possible."""
    if needs_password:
        return refusal("no password", message)
    if "FATAL" in message:  # a server's word in most of its languages; spares a second attempt
        return refusal(None, message)
    host = endpoint.host or os.environ.get("PGHOST")
    if host and not host.startswith("/") and not _resolves(host):
        return Failure("name", f"The name {clean(host)} has no address here.")
    if "invalid response to SSL negotiation" in message:
        return Failure("down", "Something answers there, but it doesn't speak PostgreSQL.")
    # PQping connects again and tells by SQLSTATE, not by words, whether a server answered.
    answer = pq.PGconn.ping(make_conninfo("", **parameters).encode())
    if answer == pq.Ping.OK:
        return refusal(None, message)
    if answer == pq.Ping.REJECT:
        return refusal("starting", message)
    if answer == pq.Ping.NO_ATTEMPT:
        return Failure("settings", cause(message))
    if "SSL" in message:
        return refusal("tls", message)
    return Failure("down", cause(message))


def _resolves(host: str) -> bool:
    try:
        return all(socket.getaddrinfo(name, None) for name in host.split(",") if name)
    except (OSError, UnicodeError):
        return False


def _error(endpoint: Endpoint, dbname: str, failure: Failure) -> PgdrError:
    at, name = where(endpoint), clean(dbname)
    missing = DatabaseMissing(
        f'The database "{name}" does not exist on {at}.',
        None,
        "Restore it from a backup, or mend its dbname in the configuration.",
    )
    if failure.kind == "missing":
        return missing
    if failure.kind in _DOWN_MENDS:
        what = f"No PostgreSQL server answers at {at}."
        if failure.kind == "settings":
            what = f"No connection to {at} could be tried."
        return _of_kind(ServerDown(what, failure.why, _DOWN_MENDS[failure.kind]), failure.kind)
    if failure.may_be_missing:
        there = _is_there(endpoint, dbname)
        if there is False or (there is None and failure.kind == "no database"):
            return missing
    refused = ServerRefused(f'{at} refused a connection to "{name}".', failure.why, failure.mend)
    return _of_kind(refused, failure.kind)


def _of_kind(error: ServerDown | ServerRefused, kind: str) -> ServerDown | ServerRefused:
    error.kind = kind
    return error


_DOWN_MENDS = {
    "timeout": "See whether the server runs and lets this machine through, or raise connect_timeout.",
    "name": "Mend host in the configuration, or see whether the name server works.",
    "down": "See whether the server runs, and whether host and port are right.",
    "settings": "Mend the connection's settings (service, sslmode, certificates).",
}


def _is_there(endpoint: Endpoint, dbname: str) -> bool | None:
    """Whether the server has the database, None when it won't say.

    Its own words can't be trusted for this: they come in the server's language.
    """
    for maintenance in dict.fromkeys((endpoint.maintenance_db, "template1")):
        if maintenance == dbname:
            continue
        connection = _open(endpoint, maintenance, APPLICATION, True)
        if isinstance(connection, Failure):
            continue
        with connection:
            try:
                row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (dbname,)).fetchone()
            except psycopg.Error:
                continue  # it broke in between: ask the next one
            return row is not None
    return None
