"""One target, and more than one who wants it: locks, cancels, and what may not be gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from psycopg import sql

from tests.faults.life import (
    ended,
    equal,
    no_orphans,
    order,
    picture,
    processes_of,
    reach,
    resume,
    resumed_clean,
    rich_world,
    sessions_of,
    start_restore,
    start_resume,
    supervisor,
    wait,
)
from tests.recovery.world import World, utc_now
from tests.servers import FreshDatabase
from tui.demo.server import Server
from tui.jobs.job import files_of
from tui.jobs.resume import resuming
from tui.jobs.start import start_job
from tui.jobs.watch import ask_cancel
from tui.model.backup import Verdict
from tui.model.errors import Refused
from tui.model.event import JobState
from tui.model.verdict import ErrorClass
from tui.postgres.connection import connect
from tui.postgres.databases.databases import unfinished


@pytest.fixture(params=["db18", "db15"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world on PostgreSQL 18, then on 15."""
    db: FreshDatabase = request.getfixturevalue(request.param)
    yield rich_world(db, tmp_path)


def lose(world: World, moment: str = "index") -> str:
    """A restore whose supervisor was killed."""
    job = start_restore(world)
    reach(world, job, moment)
    supervisor(world, job).kill()
    wait(lambda: picture(world, job).state is JobState.LOST, "not shown as lost")
    no_orphans(world, job)
    return job


@pytest.mark.parametrize("keep", [False, True])
def test_cancel_leaves_no_orphan_and_can_be_gone_on_from(either: World, keep: bool) -> None:
    job = start_restore(either)
    reach(either, job, "data")
    ask_cancel(either.state, job, "bob@db2", keep)
    end = ended(either, job)
    assert end.state is JobState.CANCELLED
    no_orphans(either, job)
    assert (end.target in either.databases()) is keep
    assert not files_of(either.state, job).staging.exists() or keep
    resumed_clean(either, job, from_done=keep)


def test_a_killed_supervisor_on_either_version(either: World) -> None:
    resumed_clean(either, lose(either, "data"))


def test_two_state_directories_want_one_target(world: World) -> None:
    """As from two machines: only the server knows of both."""
    job = start_restore(world)
    reach(world, job, "index")
    ref = picture(world, job).ref
    assert ref is not None
    elsewhere = replace(world, state=world.state.parent / "elsewhere")
    second = start_job(elsewhere.state, replace(order(elsewhere, ref), operator="bob@db2"))
    refused = ended(elsewhere, second)
    assert refused.state is JobState.FAILED and refused.message is not None
    assert "ann@db1" in refused.message and job in refused.message and "since" in refused.message
    assert ended(world, job).verdict is Verdict.CLEAN
    equal(world, job)


def test_two_go_on_at_once_and_one_does(world: World) -> None:
    job = lose(world)
    first = start_resume(world, job)
    with pytest.raises(Refused, match=first):
        resuming(world.state, job, "cid@db3", utc_now())
    assert ended(world, first).verdict is Verdict.CLEAN
    equal(world, first)


def test_what_is_done_or_runs_is_not_gone_on_with(world: World) -> None:
    job = start_restore(world)
    with pytest.raises(Refused, match="still running"):
        resuming(world.state, job, "bob@db2", utc_now())
    assert ended(world, job).verdict is Verdict.CLEAN
    with pytest.raises(Refused, match="is done"):
        resuming(world.state, job, "bob@db2", utc_now())


def test_another_database_of_the_name_is_not_touched(world: World) -> None:
    job = lose(world)
    target = picture(world, job).target
    server = world.live.server
    server.sql(f'ALTER DATABASE "{target}" RENAME TO "{target}_aside"')
    server.sql(f'CREATE DATABASE "{target}"')
    server.sql("CREATE TABLE precious (n int); INSERT INTO precious VALUES (1)", target or "")
    end = resume(world, job)
    assert end.state is JobState.FAILED and end.message and "not the one" in end.message
    assert server.sql("SELECT count(*) FROM precious", target or "") == "1"


def test_a_database_that_is_gone_is_made_anew(world: World) -> None:
    job = lose(world)
    world.live.server.sql(f'DROP DATABASE "{picture(world, job).target}" WITH (FORCE)')
    resumed_clean(world, job, from_done=False)


def test_a_data_loss_that_the_journal_does_not_know_of(world: World) -> None:
    """A server that had lost its last commits: a table and an index that were finished aren't there."""
    job = lose(world)
    target = picture(world, job).target or ""
    world.live.server.sql("TRUNCATE days_1; DROP INDEX IF EXISTS wallets_user", target)
    world.live.server.sql("ALTER TABLE users DROP CONSTRAINT IF EXISTS users_email_key", target)
    resumed_clean(world, job)


def test_a_statement_that_only_the_server_knows_finished(world: World) -> None:
    """The index was made, its end never written down: it is found, not made twice."""
    job = lose(world)
    target = picture(world, job).target or ""
    world.live.server.sql("CREATE INDEX users_slow ON users (slow(id))", target)
    resumed_clean(world, job)


def test_the_verb(world: World) -> None:
    job = lose(world)
    told = world.pgdr("attach", job)
    assert told.returncode == 1 and f"pgdr resume {job}" in told.stderr
    done = world.answer("resume", job)
    assert (done["state"], done["verdict"], done["percent"]) == ("done", "clean", 100.0)
    equal(world, done["job"])
    assert world.pgdr("resume", job).returncode == 4


def test_what_was_explained_stays_explained(world: World) -> None:
    """What an error did in the part that is done is told again: the result is no cleaner for it."""
    server, role = world.live.server, world.live.name + "_owner"
    server.sql(f"CREATE ROLE {role}")
    world.sql(f"ALTER TABLE wallets OWNER TO {role}")
    ref = world.back_up().refs[0]
    world.sql(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP ROLE {role}")
    job = start_restore(world, ref)
    reach(world, job, "index")
    supervisor(world, job).kill()
    no_orphans(world, job)
    end = resume(world, job)
    assert (end.state, end.verdict) == (JobState.DONE, Verdict.EXPLAINED)
    assert {e.error_class for e in end.errors if "wallets" in (e.entry or "")} == {ErrorClass.ROLE_MISSING}
    equal(world, end.job)


def test_cancel_of_a_frozen_server_leaves_no_orphan_and_says_what_stays(world: World) -> None:
    job = start_restore(world)
    reach(world, job, "data")
    with frozen(world.live.server):
        ask_cancel(world.state, job, "bob@db2", False)
        end = ended(world, job)
        assert not processes_of(job)
    assert end.state is JobState.FAILED and end.unreachable
    assert "Stopped as asked" in (end.message or "") and "pgdr drop" in (end.mend or "")
    wait(lambda: not sessions_of(world, job), "sessions are left on the server", 30)
    assert end.target in world.databases()
    with connect(world.live.endpoint) as connection:
        assert unfinished(connection, str(end.target)) is not None


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """A server whose every process stands still, as on a machine whose disk hangs."""
    postmaster = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
    stopped = [postmaster, *postmaster.children(recursive=True)]
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(stopped):
            process.resume()


def test_the_restored_database_has_the_comment_of_its_own(either: World) -> None:
    text = 'it\'s \\ the "shop"\nof Ann'
    with connect(either.live.endpoint, either.live.name) as connection:
        quoted = sql.Literal(text).as_string(connection)
        connection.execute(f'COMMENT ON DATABASE "{either.live.name}" IS {quoted}'.encode())
    end = ended(either, start_restore(either))
    assert end.verdict is Verdict.CLEAN
    query = f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{end.target}'"
    assert either.live.server.sql(query) == text
