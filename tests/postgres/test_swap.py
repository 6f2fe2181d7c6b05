"""The swap and its undo, with clients that keep connecting, and with what stands in the way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg
import pytest

from tests.postgres.conftest import HOSTILE, Ground
from tui.model.errors import PgdrError, Refused
from tui.model.fleet import Endpoint
from tui.model.plan import Level
from tui.postgres.connection import ServerDown, connect
from tui.postgres.databases import databases
from tui.postgres.databases.swap import obstacles, statements, swap, undo


@pytest.fixture
def restored(ground: Ground) -> str:
    databases.create(ground.endpoint, "restored")
    ground.sql("CREATE TABLE who AS SELECT 'live' AS name")
    ground.sql("CREATE TABLE who AS SELECT 'restored' AS name", "restored")
    return "restored"


def who(ground: Ground, dbname: str) -> object:
    return ground.sql("SELECT name FROM who", dbname)[0][0]


def closed(ground: Ground) -> list[tuple[object, ...]]:
    return ground.sql(
        "SELECT datname FROM pg_database WHERE NOT datallowconn AND datname <> 'template0'", "postgres"
    )


def test_there_and_back(ground: Ground, restored: str) -> None:
    live = ground.name
    held = ground.connect()
    done = swap(ground.endpoint, live, restored, "kept")
    held.close()
    assert (done.kept_as, done.sessions_ended) == ("kept", 1)
    assert (who(ground, live), who(ground, "kept")) == ("restored", "live")
    undone = undo(ground.endpoint, live, "kept", restored)
    assert undone.kept_as == restored
    assert (who(ground, live), who(ground, restored)) == ("live", "restored")
    assert "kept" not in ground.databases() and closed(ground) == []


def test_hostile_names(ground: Ground) -> None:
    other = HOSTILE + "2"
    databases.create(ground.endpoint, HOSTILE)
    databases.create(ground.endpoint, other)
    ground.sql("CREATE TABLE who AS SELECT 'restored' AS name", other)
    done = swap(ground.endpoint, HOSTILE, other, HOSTILE + "3")
    assert done.kept_as == HOSTILE + "3" and who(ground, HOSTILE) == "restored"


def test_clients_that_hammer_never_meet_the_wrong_one(ground: Ground, restored: str) -> None:
    live = ground.name
    with hammering(ground, live, 3) as seen:
        for _ in range(3):
            done = swap(ground.endpoint, live, restored, "kept")
            assert done.kept_as == "kept"
            undo(ground.endpoint, live, "kept", restored)
        swap(ground.endpoint, live, restored, "kept")
        before = len(seen)
        while len(seen) < before + 3:
            threading.Event().wait(0.01)
    assert set(seen) <= {"live", "restored"} and seen[-1] == "restored"
    assert closed(ground) == []


@contextmanager
def hammering(ground: Ground, dbname: str, clients: int) -> Iterator[list[object]]:
    """Clients that connect and ask again and again, as a pool of an application does."""
    seen: list[object] = []
    stop = threading.Event()

    def client() -> None:
        while not stop.is_set():
            try:
                with ground.connect(dbname) as connection:
                    for _ in range(5):
                        row = connection.execute("SELECT name FROM who").fetchone()
                        seen.append(row[0] if row else None)
            except psycopg.OperationalError:
                continue

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def test_without_a_live_one_there_is_nothing_to_keep(ground: Ground, restored: str) -> None:
    databases.drop(ground.endpoint, ground.name)
    done = swap(ground.endpoint, ground.name, restored, "kept")
    assert done.kept_as is None and who(ground, ground.name) == "restored"
    undo(ground.endpoint, ground.name, None, restored)
    assert restored in ground.databases() and ground.name not in ground.databases()


def test_a_name_that_is_taken_gets_a_number(ground: Ground, restored: str) -> None:
    databases.create(ground.endpoint, "kept")
    databases.create(ground.endpoint, "kept_2")
    assert swap(ground.endpoint, ground.name, restored, "kept").kept_as == "kept_3"


def test_a_prepared_transaction_stops_it_before_anything_changes(ground: Ground, restored: str) -> None:
    with ground.connect() as connection:
        connection.execute("BEGIN; CREATE TABLE p (); PREPARE TRANSACTION 'half''way'")
        stops = [f for f in obstacles(ground.endpoint, ground.name) if f.level is Level.STOP]
        assert "half'way" in stops[0].what
        with pytest.raises(Refused, match="half'way"):
            swap(ground.endpoint, ground.name, restored, "kept")
        assert connection.execute("SELECT 1").fetchone() == (1,)  # its session lives: nothing was done
        connection.execute("ROLLBACK PREPARED 'half''way'")
    assert closed(ground) == [] and obstacles(ground.endpoint, ground.name) == ()


def test_what_stays_behind_is_told(ground: Ground) -> None:
    ground.sql("SELECT pg_create_logical_replication_slot('tap', 'pgoutput')")
    ground.sql("CREATE SUBSCRIPTION away CONNECTION 'host=127.0.0.1' PUBLICATION p WITH (connect = false)")
    found = {f.about: f for f in obstacles(ground.endpoint, ground.name)}
    assert "tap" in found["replication slots"].what and "away" in found["subscriptions"].what
    assert {f.level for f in found.values()} == {Level.WARNING}
    ground.sql("ALTER SUBSCRIPTION away SET (slot_name = NONE)")
    ground.sql("DROP SUBSCRIPTION away")
    ground.sql("SELECT pg_drop_replication_slot('tap')")


def test_a_swap_that_fails_leaves_both_as_they_were(ground: Ground, restored: str) -> None:
    live = ground.name
    with pytest.raises(Refused, match="no database"):
        swap(ground.endpoint, live, "nosuch", "kept")
    half = ground.role("half", "CREATEDB")
    ground.sql(f"ALTER DATABASE {live} OWNER TO half", "postgres")
    with pytest.raises(Refused, match="may not rename restored"):
        swap(half, live, restored, "kept")
    assert closed(ground) == [] and who(ground, live) == "live"


def test_a_swap_cut_off_half_way_opens_both_again(ground: Ground, restored: str) -> None:
    holder = connect(ground.endpoint, autocommit=False)
    try:
        # Holds the row of the restored one, so that the swap waits in the middle of its work.
        holder.execute(f"ALTER DATABASE {restored} CONNECTION LIMIT 50".encode())
        failed: list[BaseException] = []

        def attempt() -> None:
            try:
                swap(ground.endpoint, ground.name, restored, "kept")
            except PgdrError as error:
                failed.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        cut = False
        for _ in range(1000):
            cut = bool(
                ground.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE query LIKE 'ALTER DATABASE%' AND wait_event_type = 'Lock'",
                    "postgres",
                )
            )
            if cut or not thread.is_alive():
                break
            thread.join(0.02)
        holder.rollback()
        thread.join(30)
    finally:
        holder.close()
    assert cut and "could not be swapped" in str(failed[0])
    assert closed(ground) == [] and who(ground, ground.name) == "live" and who(ground, restored) == "restored"


def test_statements_can_be_run_by_hand() -> None:
    text = "\n".join(statements("shop", 'sh"op', "kept"))
    assert 'ALTER DATABASE "shop" RENAME TO "kept";' in text
    assert 'ALTER DATABASE "sh""op" RENAME TO "shop";' in text
    assert text.index("ALLOW_CONNECTIONS false") < text.index("pg_terminate_backend") < text.index("BEGIN")


@pytest.mark.parametrize("reaches_the_server", [True, False])
def test_a_connection_that_breaks_during_commit_is_asked_about(
    ground: Ground, restored: str, reaches_the_server: bool
) -> None:
    live = ground.name
    with cut_at_commit(ground, reaches_the_server) as through:
        if reaches_the_server:
            assert swap(through, live, restored, "kept").kept_as == "kept"
        else:
            with pytest.raises(ServerDown):
                swap(through, live, restored, "kept")
    assert who(ground, live) == ("restored" if reaches_the_server else "live")
    assert ("kept" in ground.databases()) is reaches_the_server and closed(ground) == []


@contextmanager
def cut_at_commit(ground: Ground, reaches_the_server: bool) -> Iterator[Endpoint]:
    """A way to the server that breaks when the first COMMIT goes past: before it is passed on, or when the
    server has carried it out and answers. Later connections go through."""
    at, cut = ground.endpoint, threading.Event()

    def carry(source: socket.socket, sink: socket.socket, client: bool) -> None:
        try:
            while data := source.recv(65536):
                if client and b"COMMIT" in data and not cut.is_set():
                    cut.set()
                    if reaches_the_server:
                        sink.sendall(data)
                        sink_answers.wait(10)
                    break
                if not client and cut.is_set() and source in first:
                    sink_answers.set()
                    break
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    first: list[socket.socket] = []
    sink_answers = threading.Event()

    def listen() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection((str(at.host), int(at.port or 0)), timeout=10)
            if not first:
                first.append(server)
            threading.Thread(target=carry, args=(client, server, True), daemon=True).start()
            threading.Thread(target=carry, args=(server, client, False), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        try:
            yield replace(at, host="127.0.0.1", port=listener.getsockname()[1], sslmode="disable")
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody who waits to accept
