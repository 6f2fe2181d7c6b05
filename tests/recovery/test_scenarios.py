"""Recoveries that end otherwise than by a swap beside the live database, on real servers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.recovery.scenarios import (
    burn_local_store,
    decided,
    doomed_shop,
    finish,
    fresh_server,
    picked,
    reached_with,
    restored,
)
from tests.recovery.world import World, make_world
from tests.servers import Bucket, FreshDatabase
from tui.config.write import text_of
from tui.files import write_whole
from tui.incident.scenarios import NOTHING, Way
from tui.incident.steps.merge import weighed
from tui.model.backup import Verdict
from tui.model.errors import Refused, Unreachable, UsageError
from tui.model.event import JobState
from tui.model.fleet import Database
from tui.model.incident import Step, StepStatus
from tui.model.scenario import Scenario
from tui.model.smoke import Smoke
from tui.postgres.merge.merge import MergeOptions


def change(world: World, **how: object) -> None:
    """The world's one database, otherwise configured."""
    fleet = world.fleet
    database = replace(fleet.databases[0], **how)  # type: ignore[arg-type]
    write_whole(world.config, text_of(replace(fleet, databases=(database,))))


def wallets(world: World) -> str:
    return world.sql("SELECT count(*), sum(balance), max(note) FROM wallets")


def test_one_table_is_merged_and_taken_back(world: World) -> None:
    world.back_up()
    before = wallets(world)
    world.sql("DELETE FROM wallets WHERE id > 500 AND id % 2 = 0;"
              "UPDATE wallets SET balance = -1 WHERE id < 50;"
              "INSERT INTO wallets (id, user_id, balance) VALUES (9001, 1, 1);"
              "INSERT INTO users (email) VALUES ('late@example.org')")  # fmt: skip
    hurt = wallets(world)
    guide = restored(world, Scenario.TABLE_CORRUPTION, ("public.wallets",))
    incident = guide.incident
    assert incident.restored_tables == ("public.wallets",) and guide.ways == (Way.MERGE,)
    there = "SELECT count(*) FROM pg_class WHERE relname IN ('users', 'orders')"
    assert world.live.server.sql(there, str(incident.target)) == "0"
    with pytest.raises(Refused, match="single tables"):
        guide.swap_plan()

    guide.verify(lambda c: None)
    assert guide.incident.record(Step.VERIFY).status is StepStatus.DONE, guide.incident.checks
    seen = weighed(guide.incident.differences)
    assert (seen.missing, seen.changed, seen.extra) == (750, 49, 1)

    plan = guide.merge_plan()
    how = MergeOptions(update_changed=True)
    with pytest.raises(Refused, match="name"):
        guide.merge("wallets", plan, how)
    merge = guide.merge(world.live.name, plan, how).merge
    assert merge is not None and [(t.inserted, t.updated) for t in merge.tables] == [(750, 49)]
    assert world.sql("DELETE FROM wallets WHERE id = 9001 RETURNING id") == "9001"
    assert (wallets(world), world.count("users")) == (before, 401)
    assert guide.incident.remove_at == merge.at + world.database.remove_old_after
    with pytest.raises(Refused, match="merged already"):
        guide.merge(world.live.name, plan, how)

    world.sql("INSERT INTO wallets (id, user_id, balance) VALUES (9001, 1, 1)")
    with pytest.raises(Refused, match="name"):
        guide.undo_merge("wallets")
    undone = guide.undo_merge(world.live.name).merge
    assert undone is not None and undone.undone_at is not None and undone.left == 0
    assert wallets(world) == hurt and guide.incident.compared_at is None
    assert not guide.in_use


def test_deleted_rows_are_weighed_before_merging_or_cutting_over(world: World) -> None:
    world.back_up()
    world.sql(
        "DELETE FROM orders; INSERT INTO users (email) VALUES ('late@example.org'), ('later@example.org')"
    )
    guide = restored(world, Scenario.ACCIDENTAL_DELETION)
    guide.verify(lambda c: None)
    assert guide.ways == (Way.SWAP, Way.MERGE)
    with pytest.raises(Refused, match="compared"):
        guide.merge_plan()
    guide.compare()
    seen = weighed(guide.incident.differences)
    assert (seen.missing, seen.extra, seen.changed, seen.unknown) == (500, 2, 0, ())
    assert "500 rows" in seen.words[0] and "loses 2 rows" in seen.words[1]
    guide.merge(world.live.name, guide.merge_plan(), MergeOptions())
    assert (world.count("orders"), world.count("users")) == (500, 402)
    checks = guide.ask_live()
    assert checks and all(c.passed for c in checks)
    # ... and both ways are open still: taken back, then cut over
    guide.undo_merge(world.live.name)
    assert world.count("orders") == 0
    guide.swap(world.live.name)
    assert (world.count("orders"), world.count("users")) == (500, 400)
    assert guide.close("recovered").closed_at is not None
    assert "Merge into" in guide.report_path.read_text()


def test_tables_that_nobody_named_are_not_guessed(world: World) -> None:
    world.back_up()
    with pytest.raises(UsageError, match="which tables"):
        decided(world.guide(), Scenario.TABLE_CORRUPTION)


@pytest.fixture
def lost(db18: FreshDatabase, tmp_path: Path) -> Iterator[World]:
    """A backed up world with an owner and grants, whose roles a fresh server doesn't know."""
    db18.server.sql(f"CREATE ROLE {db18.name}_app LOGIN CONNECTION LIMIT 7; CREATE ROLE {db18.name}_read;"
                    f"GRANT {db18.name}_read TO {db18.name}_app")  # fmt: skip
    made = make_world(db18, tmp_path)
    made.sql(f"ALTER TABLE wallets OWNER TO {db18.name}_app; GRANT SELECT ON users TO {db18.name}_read")
    made.back_up()
    yield made


def test_a_lost_server_comes_back_on_a_fresh_one(lost: World, tmp_path: Path) -> None:
    written = tmp_path / "address"
    change(
        lost,
        set_address=(
            "sh",
            "-c",
            'printf "%s\\n" "$@" > "$0"',
            str(written),
            "{host}",
            "{port}",
            "{url}",
            "{x}",
        ),
    )
    app, name = f"{lost.live.name}_app", lost.live.name
    with fresh_server() as other:
        guide = picked(decided(lost.guide(), Scenario.INSTANCE_LOST))
        with pytest.raises(Refused, match="address"):
            guide.plan()
        with pytest.raises(UsageError):
            guide.set_address("db one:5432")
        with pytest.raises(Unreachable):
            guide.set_address("127.0.0.1:1")
        old = lost.live.endpoint
        with pytest.raises(Refused) as refused:
            guide.set_address(f"{old.host}:{old.port}")
        assert "backup was taken of" in str(refused.value.why)

        # what is not the fresh server's own user is settled by the configuration's passfile
        passfile = other.endpoint.passfile
        change(lost, endpoint=replace(lost.database.endpoint, user=other.endpoint.user, passfile=passfile))
        guide = picked(decided(lost.guide(), Scenario.INSTANCE_LOST))
        guide.set_address(f"127.0.0.1:{other.port}")
        plan = guide.plan()
        assert (plan.host, plan.port) == ("127.0.0.1", other.port)
        assert plan.findings[0].about == "server" and str(old.port) in plan.findings[0].what
        assert f'CREATE ROLE "{app}";' in plan.roles
        with pytest.raises(Refused, match="name"):
            guide.make_roles("yes", plan.roles)
        guide.make_roles(name, plan.roles)
        role = other.sql(f"SELECT rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname = '{app}'")
        assert role == "t|7"
        member = f"SELECT pg_has_role('{app}', '{name}_read', 'MEMBER')"
        assert other.sql(member) == "t"
        plan = guide.plan()
        assert plan.roles == ()

        guide.start_restore(name, plan)
        ended = finish(guide)
        assert (ended.state, ended.verdict) == (JobState.DONE, Verdict.CLEAN), ended.errors
        assert lost.databases() == {name}  # the old server is not touched
        with pytest.raises(Refused, match="started already"):
            guide.set_address("127.0.0.1:5432")
        guide.verify(lambda c: None)
        assert guide.incident.record(Step.VERIFY).status is StepStatus.DONE, guide.incident.checks
        assert guide.ways[0] is Way.ADDRESS
        guide.swap(name)
        assert other.sql("SELECT count(*) FROM wallets", name) == "2000"
        with pytest.raises(Refused, match="name"):
            guide.hand_over("yes", run=True)
        handed = guide.hand_over(name, run=True).handed
        user = other.endpoint.user
        assert handed is not None and handed.url == f"postgresql://{user}@127.0.0.1:{other.port}/{name}"
        assert written.read_text().splitlines() == ["127.0.0.1", str(other.port), handed.url, "{x}"]
        # the way back is known there, too
        guide.undo(name)
        assert other.sql(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "0"


def test_a_lost_site_comes_back_from_the_off_site_copy(bucket: Bucket, tmp_path: Path) -> None:
    with doomed_shop(tmp_path, bucket) as world, fresh_server() as other:
        reached_with(world, other.endpoint.passfile)
        burn_local_store(world)
        guide = world.guide()
        proposal = guide.assess(lambda finding: None).proposal
        assert proposal is not None and proposal.scenario is Scenario.SITE_LOST
        guide = decided(guide, Scenario.SITE_LOST)
        found, problems = guide.candidates()
        assert [p.store for p in problems] == ["local"] and [c.backup.store for c in found] == ["offsite"]
        guide.pick(found[0])
        guide.set_address(f"127.0.0.1:{other.port}")
        guide.make_roles("shop", guide.plan().roles)
        guide.start_restore("shop", guide.plan())
        ended = finish(guide)
        assert (ended.state, ended.verdict) == (JobState.DONE, Verdict.CLEAN), ended.errors
        guide.verify(lambda c: None)
        assert guide.incident.record(Step.VERIFY).status is StepStatus.DONE, guide.incident.checks
        guide.swap("shop")
        handed = guide.hand_over("shop", run=False).handed
        assert handed is not None and handed.url.endswith(f"@127.0.0.1:{other.port}/shop")
        assert guide.close("recovered").closed_at is not None
        assert other.sql("SELECT count(*) FROM orders", "shop") == "500"
        assert other.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'", "shop") == "clerk"
        assert "offsite:" in guide.report_path.read_text()


def test_a_cancelled_restore_goes_on_on_the_fresh_server(lost: World) -> None:
    with fresh_server() as other:
        change(lost, endpoint=replace(lost.database.endpoint, user=other.endpoint.user,
                                      passfile=other.endpoint.passfile))  # fmt: skip
        guide = picked(decided(lost.guide(), Scenario.SITE_LOST))
        guide.set_address(f"127.0.0.1:{other.port}")
        guide.start_restore(lost.live.name, guide.plan())
        guide.cancel_restore(keep=True)
        if finish(guide).state is JobState.CANCELLED:
            guide.resume_restore()
            finish(guide)
        assert guide.incident.verdict is not None and guide.incident.target is not None
        assert other.sql("SELECT count(*) FROM wallets", guide.incident.target) == "2000"
        assert lost.databases() == {lost.live.name}


def test_after_a_restart_nothing_is_restored_and_all_is_looked_at(world: World) -> None:
    world.back_up()
    guide = decided(world.guide(), Scenario.RESTART)
    for step in (Step.PICK, Step.RESTORE):
        record = guide.incident.record(step)
        assert record.status is StepStatus.SKIPPED and record.note == NOTHING
    with pytest.raises(Refused):
        guide.plan()
    world.sql("INSERT INTO users (email) VALUES ('late@example.org')")
    guide.verify(lambda c: None)
    checks = {c.name: c for c in guide.incident.checks}
    assert checks["rows of public.users"].passed and checks["rows of public.users"].found == "401 rows"
    assert guide.incident.record(Step.VERIFY).status is StepStatus.DONE and guide.in_use
    world.sql("DELETE FROM orders WHERE id < 10; UPDATE wallets SET balance = -4 WHERE id = 7")
    guide.verify(lambda c: None)
    checks = {c.name: c for c in guide.incident.checks}
    assert checks["rows of public.orders"].passed is None and not checks["No negative balances"].passed
    assert guide.incident.record(Step.VERIFY).status is StepStatus.FAILED
    # it was no restart after all: the steps are needed
    decided(guide, Scenario.DATABASE_CORRUPTION)
    assert guide.incident.record(Step.PICK).status is StepStatus.PENDING


@pytest.fixture
def application() -> Iterator[str]:
    """The address of an application that answers as its server's `answer` says."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "ok", "checks": {"database": "down"}}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ready"
    finally:
        server.shutdown()
        server.server_close()


def test_smokes_stop_the_way_and_are_asked_of_the_live_one_too(
    world: World, application: str, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    script = f'echo "$PGDATABASE $PGHOST $PGPORT $PGUSER" > {said}; exit "$1"'
    database: Database = world.database
    change(
        world,
        smokes=(
            Smoke(name="users", kind="sql", sql="SELECT count(*) FROM users", expect="400"),
            Smoke(name="suite", kind="command", command=("sh", "-c", script, "sh", "3"), exit_code=0),
            Smoke(name="up", kind="http", url=application, when="live", json=(("status", "ok"),)),
            Smoke(name="base", kind="http", url=application, when="live", json=(("checks.database", "up"),)),
            Smoke(name="gone", kind="command", command=("/no/such/program",), when="live"),
        ),
    )
    world.back_up()
    guide = restored(world, Scenario.DATABASE_CORRUPTION)
    guide.verify(lambda c: None)
    asked = {c.name: c for c in guide.incident.checks}
    assert asked["users"].passed and asked["suite"].passed is False and asked["suite"].found == "exit 3"
    end = database.endpoint
    assert said.read_text().split() == [guide.incident.target, end.host, str(end.port), end.user]
    assert guide.incident.record(Step.VERIFY).status is StepStatus.FAILED
    with pytest.raises(Refused, match="not passed"):
        guide.swap(world.live.name)
    guide.skip(Step.VERIFY, "The suite knows of the old host only.")
    guide.swap(world.live.name)
    live = {c.name: c for c in guide.ask_live()}
    assert (live["up"].passed, live["base"].passed, live["gone"].passed) == (True, False, False)
    assert "should be up, and is down" in live["base"].found
    guide.close("recovered")
    report = guide.report_path.read_text()
    assert "The suite knows of the old host only." in report and "base" in report
