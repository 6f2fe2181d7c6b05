"""Every way in which a connection isn't made has its own sentence, and none of them the password."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.postgres.conftest import HOSTILE, ROLE_PASSWORD, Ground
from tui.model.errors import ConfigError, PgdrError
from tui.model.fleet import Endpoint
from tui.model.secret import Secret
from tui.postgres.connection import (
    DatabaseMissing,
    ServerDown,
    ServerRefused,
    connect,
    deadline,
    environment,
    failures,
)
from tui.postgres.databases import databases
from tui.postgres.troubles.refusal import cause, refusal


def error_of(endpoint: Endpoint, dbname: str | None = None) -> PgdrError:
    """The error of connecting, after looking into every corner of it for the password."""
    with pytest.raises(PgdrError) as caught:
        connect(endpoint, dbname).close()
    error = caught.value
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(error.args) + str(error)
    assert ROLE_PASSWORD not in shown
    assert error.__cause__ is None and error.__context__ is None
    assert error.mend, error
    return error


def test_a_session_is_set_up_for_the_work(ground: Ground) -> None:
    ground.sql(f"ALTER DATABASE {ground.name} SET statement_timeout = '1s'")
    ground.sql(f"ALTER DATABASE {ground.name} SET idle_in_transaction_session_timeout = '1s'")
    with connect(ground.endpoint, ground.name, application="pgdr test") as connection:
        for name, value in {
            "search_path": "pg_catalog",
            "statement_timeout": "0",
            "idle_in_transaction_session_timeout": "0",
            "application_name": "pgdr test",
            "client_encoding": "UTF8",
        }.items():
            assert connection.execute(f"SHOW {name}".encode()).fetchone() == (value,)
    with connect(ground.endpoint, statement_timeout_s=1.5, autocommit=False) as connection:
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.execute("SHOW statement_timeout").fetchone() == ("1500ms",)


def test_hostile_names_are_names(ground: Ground) -> None:
    for name in (HOSTILE, "host=/nowhere dbname=postgres", "postgresql://nowhere/postgres", "-x"):
        error = error_of(ground.endpoint, name)
        assert isinstance(error, DatabaseMissing) and "\x1b" not in str(error)
        databases.create(ground.endpoint, name)
        with connect(ground.endpoint, name) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == (name,)
    assert isinstance(error_of(ground.endpoint, "zero\0byte"), DatabaseMissing)
    assert isinstance(error_of(ground.endpoint, "\udcff"), DatabaseMissing)


def test_a_missing_database_is_found_out_by_asking(ground: Ground) -> None:
    assert isinstance(error_of(ground.endpoint, "nosuch"), DatabaseMissing)
    assert isinstance(error_of(replace(ground.endpoint, maintenance_db="gone")), DatabaseMissing)
    assert isinstance(error_of(replace(ground.endpoint, maintenance_db="gone"), "nosuch"), DatabaseMissing)


def test_passwords(ground: Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    role = ground.role("someone")
    connect(role).close()
    file = tmp_path / "secret"
    file.write_text(ROLE_PASSWORD + "\n")
    file.chmod(0o600)
    connect(replace(role, password=Secret(file=file))).close()
    empty = tmp_path / "passfile"
    none = error_of(replace(role, password=None, passfile=empty))
    assert isinstance(none, ServerRefused) and "Give a password" in (none.mend or "")
    monkeypatch.setenv("ROLE_PASSWORD", "wrong")
    wrong = error_of(role)
    assert isinstance(wrong, ServerRefused) and "Password authentication failed" in (wrong.why or "")
    monkeypatch.delenv("ROLE_PASSWORD")
    with pytest.raises(ConfigError, match="ROLE_PASSWORD"):
        connect(role)
    with monkeypatch.context() as within:
        within.setenv("PGPASSWORD", ROLE_PASSWORD)
        connect(replace(role, password=None)).close()


def test_refusals_have_their_mends(ground: Ground) -> None:
    role = ground.role("someone", "CONNECTION LIMIT 0")
    assert "End some sessions" in (error_of(role).mend or "")
    ground.sql(
        f"ALTER ROLE someone CONNECTION LIMIT -1; REVOKE CONNECT ON DATABASE {ground.name} FROM PUBLIC"
    )
    assert "CONNECT" in (error_of(role, ground.name).mend or "")
    ground.sql(f"ALTER DATABASE {ground.name} ALLOW_CONNECTIONS false", "postgres")
    closed = error_of(ground.endpoint, ground.name)
    assert isinstance(closed, ServerRefused) and "ALLOW_CONNECTIONS" in (closed.mend or "")
    plain = error_of(replace(ground.endpoint, sslmode="require"))
    assert isinstance(plain, ServerRefused) and "sslmode" in (plain.mend or "")


def test_pg_hba(ground: Ground) -> None:
    hba = ground.server.data / "pg_hba.conf"
    before = hba.read_text()
    role = ground.role("shut_out")
    hba.write_text("host all shut_out all reject\n" + before)
    try:
        ground.sql("SELECT pg_reload_conf()")
        error = error_of_until(role, "pg_hba")
    finally:
        hba.write_text(before)
        ground.sql("SELECT pg_reload_conf()")
    assert isinstance(error, ServerRefused) and "pg_hba.conf" in (error.mend or "")


def error_of_until(endpoint: Endpoint, word: str) -> PgdrError:
    """The first error with `word` in it: a reload takes a moment."""
    for _ in range(200):
        try:
            connect(endpoint).close()
        except PgdrError as error:
            if word in str(error):
                return error
        threading.Event().wait(0.02)
    raise AssertionError("never")


def test_nobody_there(ground18: Ground) -> None:
    at = ground18.endpoint
    refused = error_of(replace(at, port=1))
    assert isinstance(refused, ServerDown) and "refused" in (refused.why or "")
    name = error_of(replace(at, host="no-such-host.invalid"))
    assert isinstance(name, ServerDown) and "no address" in (name.why or "")
    service = error_of(replace(at, pg_service="nosuch"))
    assert isinstance(service, ServerDown) and "nosuch" in (service.why or "")
    assert isinstance(error_of(replace(at, sslmode="nonsense")), ServerDown)


@contextmanager
def listener(answer: bytes | None) -> Iterator[int]:
    """Something that takes connections and says `answer`, or nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            held = []
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                held.append(client)
                if answer is not None:
                    client.recv(100)
                    client.sendall(answer)
                    client.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_something_that_is_no_postgresql(ground18: Ground) -> None:
    with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        web = error_of(replace(ground18.endpoint, port=port, connect_timeout_s=2))
    assert isinstance(web, ServerDown) and "doesn't speak PostgreSQL" in (web.why or "")
    with listener(None) as port:
        error = error_of(replace(ground18.endpoint, port=port, connect_timeout_s=2))
    assert isinstance(error, ServerDown) and "within 2 s" in (error.why or "")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("FATAL:  sorry, too many clients already", "full"),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", "full"),
        ("FATAL:  the database system is starting up", "starting"),
        ("FATAL:  the database system is not yet accepting connections\nDETAIL:  Consistent …", "starting"),
        ('FATAL:  database "x" is not currently accepting connections', "closed"),
        ("FATAL:  kein pg_hba.conf-Eintrag für Host »::1«", "pg_hba"),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »x« fehlgeschlagen", "other"),
        ('FATAL:  role "x" does not exist', "no role"),
    ],
)
def test_what_servers_say(message: str, kind: str) -> None:
    found = refusal(None, 'connection failed: connection to server at "h", port 1 failed: ' + message)
    assert found.kind == kind and found.mend and "connection failed" not in found.why


def test_of_many_addresses_the_last_line_is_the_cause() -> None:
    both = 'connection to server at "::1", port 1 failed: A\nconnection to server at "h", port 1 failed: b\n'
    assert cause(both) == "B." and cause("") == "No reason was given."


def test_the_environment_reaches_the_same_server(ground: Ground) -> None:
    role = replace(ground.role("someone"), sslmode="prefer", connect_timeout_s=7)
    env = environment(role, HOSTILE, application="pgdr x")
    assert env == {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(role.port),
        "PGUSER": "someone",
        "PGPASSWORD": ROLE_PASSWORD,
        "PGSSLMODE": "prefer",
        "PGCONNECT_TIMEOUT": "7",
        "PGAPPNAME": "pgdr x",
        "PGDATABASE": HOSTILE,
    }
    assert environment(Endpoint()) == {"PGCONNECT_TIMEOUT": "5", "PGAPPNAME": "pgdr"}


def test_only_what_is_set_is_given_to_libpq(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at = ground.endpoint
    for name, value in {
        "PGHOST": at.host,
        "PGPORT": at.port,
        "PGUSER": at.user,
        "PGPASSFILE": at.passfile,
    }.items():
        monkeypatch.setenv(name, str(value))
    with connect(Endpoint()) as connection:
        assert connection.info.port == at.port
    service = tmp_path / "services"
    service.write_text(f"[prod]\nhost=127.0.0.1\nport={at.port}\nuser={at.user}\npassfile={at.passfile}\n")
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSFILE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    with connect(Endpoint(pg_service="prod")) as connection:
        assert connection.info.port == at.port


def test_what_fails_later_is_told_without_psycopg(ground: Ground) -> None:
    with connect(ground.endpoint) as connection:
        with (
            pytest.raises(PgdrError, match=r"It failed\. relation .nosuch. does not exist") as caught,
            failures("It failed."),
        ):
            connection.execute("SELECT * FROM nosuch")
        assert caught.value.__cause__ is None and caught.value.__suppress_context__
        with pytest.raises(ServerDown), failures("It failed."):
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_deadline_cuts_what_hangs(ground: Ground) -> None:
    connection = connect(ground.endpoint)
    with pytest.raises(ServerDown), failures("It hung."), deadline(connection, 0.2):
        connection.execute("SELECT pg_sleep(60)")
    with connect(ground.endpoint) as connection:
        with deadline(connection, 60):
            connection.execute("SELECT 1")
        connection.execute("SELECT 1")
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
