"""What a watcher sees of sessions that load, index and validate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.postgres.conftest import Ground
from tui.model.event import Event, IndexAdvanced, LoadAdvanced, StatementSeen
from tui.postgres.progress.watch import Watcher, named

JOB = "pgdr restore 7"


@pytest.fixture
def watcher(ground: Ground) -> Iterator[Watcher]:
    made = Watcher(ground.endpoint, ground.name, JOB)
    yield made
    made.close()


def until(watcher: Watcher, wanted: Callable[[Event], bool]) -> Event:
    """Polls until an event is there that is wanted; fails after some hundred polls."""
    for _ in range(400):
        for event in watcher.poll():
            if wanted(event):
                return event
        threading.Event().wait(0.02)
    raise AssertionError("never seen")


@contextmanager
def running(ground: Ground, *statements: str, application: str = JOB) -> Iterator[None]:
    """Runs statements in a session of the job, which is cut off at the end of the block."""
    connection = ground.connect(application_name=application)

    def work() -> None:
        try:
            for statement in statements:
                connection.execute(statement.encode())
        except psycopg.Error:
            return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        connection.cancel()
        thread.join(30)
        connection.close()


@pytest.mark.parametrize("in_one_transaction", [False, True])
def test_a_load_is_seen_by_rows_and_bytes(ground: Ground, watcher: Watcher, in_one_transaction: bool) -> None:
    with ground.connect(application_name=JOB) as connection, connection.cursor() as cursor:
        if in_one_transaction:
            connection.execute("BEGIN")
        connection.execute('CREATE SCHEMA "s;p"; CREATE TABLE "s;p"."t""x" (i int, filler text)')
        with cursor.copy('COPY "s;p"."t""x" (i, filler) FROM stdin') as copy:
            for i in range(20_000):
                copy.write_row((i, "x" * 50))
            seen = until(watcher, lambda e: isinstance(e, LoadAdvanced) and e.rows > 0)
    assert isinstance(seen, LoadAdvanced)
    assert (seen.schema, seen.table) == ("s;p", 't"x') and 0 < seen.rows <= 20_000 and seen.bytes > seen.rows


def test_an_index_is_seen_with_its_stage(ground: Ground, watcher: Watcher) -> None:
    ground.sql("CREATE TABLE big AS SELECT i, md5(i::text) AS h FROM generate_series(1, 50000) i")
    ground.sql(
        "CREATE FUNCTION slow(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.002); RETURN $1; END'"
    )
    with running(ground, 'CREATE INDEX "i x" ON public.big USING btree (public.slow(h))'):
        seen = until(watcher, lambda e: isinstance(e, IndexAdvanced))
    assert isinstance(seen, IndexAdvanced)
    assert (seen.schema, seen.table, seen.index) == ("public", "big", "i x") and seen.stage


def test_a_foreign_key_is_seen_as_a_statement(ground: Ground, watcher: Watcher) -> None:
    ground.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int)")
    with ground.connect() as locker:
        locker.execute("BEGIN; LOCK TABLE a IN ACCESS EXCLUSIVE MODE")
        fk = "ALTER TABLE ONLY public.b\n    ADD CONSTRAINT b_fk FOREIGN KEY (id) REFERENCES public.a(id)"
        with running(ground, fk):
            seen = until(watcher, lambda e: isinstance(e, StatementSeen) and e.wait is not None)
    assert isinstance(seen, StatementSeen)
    assert (seen.schema, seen.table, seen.name) == ("public", "b", "b_fk")
    assert seen.running_s >= 0 and (seen.wait or "").startswith("Lock")


def test_others_are_not_watched(ground: Ground, watcher: Watcher) -> None:
    with (
        running(ground, "SELECT pg_sleep(30)", application="pgdr restore 8"),
        running(ground, "SELECT pg_sleep(30)"),
    ):
        seen = until(watcher, lambda _: True)
        assert isinstance(seen, StatementSeen) and seen.name == "SELECT pg_sleep"
        assert len(watcher.poll()) == 1


def test_a_lost_connection_is_silence_and_comes_back(ground: Ground, watcher: Watcher) -> None:
    with running(ground, "SELECT pg_sleep(60)"):
        until(watcher, lambda _: True)
        ground.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgdr watch'"
        )
        assert watcher.poll() == []
        watcher._not_before = 0.0
        until(watcher, lambda _: True)


def test_a_database_that_is_not_there_yet_is_silence(ground: Ground) -> None:
    watcher = Watcher(ground.endpoint, "nosuch", JOB)
    assert watcher.poll() == watcher.poll() == []
    watcher.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("COPY public.users (id, email) FROM stdin;\n", ("public", "users", None)),
        ('COPY "a.b"."c""d" FROM stdin', ("a.b", 'c"d', None)),
        ("CREATE INDEX at_idx ON public.t USING btree (at)", ("public", "t", "at_idx")),
        ('CREATE UNIQUE INDEX "a b" ON ONLY s.t (x)', ("s", "t", "a b")),
        ("ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);", ("public", "t", "t_pkey")),
        ("ALTER TABLE ONLY public.t CLUSTER ON x", ("public", "t", None)),
        ('ANALYZE "public"."t"', ("public", "t", None)),
        ("REFRESH MATERIALIZED VIEW public.m", ("public", "m", None)),
        (
            "CREATE TRIGGER a BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION f()",
            ("public", "t", "a"),
        ),
        ("SELECT 1", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_statements_say_what_they_are_about(query: str, found: tuple[str | None, ...]) -> None:
    assert named(query) == found
