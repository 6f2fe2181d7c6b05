"""A verification's checklist on real servers and stores, and that its scratch database never stays."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.recovery.world import World
from tui.operations.catalogue.catalogue import split_ref
from tui.operations.verify.backup import drop_stale
from tui.postgres.databases.databases import mark_unfinished, target_lock
from tui.stores.open import open_store

STEPS = ["The backup is there and not empty", "It can be restored", "The archive can be read to its end"]

# An index that takes long and little CPU, so that there is time to kill something meanwhile.
SLOW = """
CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
$$ BEGIN
    IF current_setting('application_name') LIKE 'pgdr%' THEN PERFORM pg_sleep(0.004); END IF;
    RETURN n;
END $$;
CREATE INDEX users_slow ON users (slow(id));
"""


def named(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in answer["checks"]}


def wait(until: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def supervisor_of(world: World) -> psutil.Process:
    """The one supervisor at work; its children (pg_restore) have the job's directory in their argv too."""
    (supervisor,) = (
        p
        for p in psutil.process_iter(["cmdline"])
        if "tui.jobs.supervisor" in (argv := p.info["cmdline"] or [])
        and argv[-1].startswith(str(world.state))
    )
    return supervisor


def path_of(world: World, ref: str) -> Path:
    spec, key = split_ref(world.fleet, ref)
    path = open_store(spec).path(key)
    assert path is not None
    return path


@pytest.mark.parametrize("number", [0, 1])
def test_the_checklist_of_a_good_backup(two_stores: World, number: int) -> None:
    ref = two_stores.back_up().refs[number]
    answer = two_stores.answer("verify", ref)
    checks = named(answer)
    assert answer["verdict"] == "clean" and answer["duration_s"] > 0
    assert all(checks[name]["passed"] is True for name in STEPS)
    assert all(
        check["passed"] is not False and check["expected"] and check["found"] for check in checks.values()
    )
    assert checks["rows of public.wallets"]["found"] == "2,000"
    assert checks["application role"]["passed"] is None
    spec, key = split_ref(two_stores.fleet, ref)
    (kept,) = [o.key for page in open_store(spec).pages(f"{key}.verified.") for o in page]
    document = json.loads(open_store(spec).read(kept, 0, 1 << 20))
    assert document["verdict"] == "clean" and document["operator"] and len(document["checks"]) == len(checks)
    assert two_stores.databases() == {two_stores.live.name}


def test_the_application_connects_or_that_it_cannot_is_told(world: World) -> None:
    text = world.config.read_text()
    user = world.live.endpoint.user
    world.config.write_text(text.replace("[databases.shop]", f'[databases.shop]\napp_role = "{user}"'))
    ref = world.back_up().refs[0]
    assert named(world.answer("verify", ref))["application role"]["passed"] is True
    world.config.write_text(text.replace("[databases.shop]", '[databases.shop]\napp_role = "nobody_here"'))
    answer = world.answer("verify", ref, code=1)
    assert answer["verdict"] == "failed" and "no such role" in named(answer)["application role"]["found"]


def test_a_damaged_archive_fails_at_the_right_check(world: World) -> None:
    ref = world.back_up().refs[0]
    path = path_of(world, ref)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    checks = named(world.answer("verify", ref, code=1))
    assert checks[STEPS[0]]["passed"] is True and checks[STEPS[2]]["passed"] is False
    path.write_bytes(data[:-9000])
    answer = world.answer("verify", ref, code=1)
    checks = named(answer)
    assert answer["verdict"] == "failed" and not any(checks[name]["passed"] for name in STEPS)
    assert world.databases() == {world.live.name}
    (row,) = world.answer("backups")["backups"]
    assert row["verdict"] == "failed"


def test_rows_that_the_manifest_does_not_have_are_told(world: World) -> None:
    ref = world.back_up().refs[0]
    manifest = path_of(world, ref).with_name(f"{path_of(world, ref).name}.manifest.json")
    manifest.write_text(manifest.read_text().replace('"rows": 2000', '"rows": 2001'))
    wrong = named(world.answer("verify", ref, code=1))["rows of public.wallets"]
    assert (wrong["passed"], wrong["expected"], wrong["found"]) == (False, "2,001", "2,000")


def test_a_result_that_cannot_be_kept_is_told_all_the_same(world: World) -> None:
    path = path_of(world, world.back_up().refs[0])
    # As long as a file's name may be with its manifest's ending, but not with a verification's
    long = path.with_name("x" * 230 + ".dump")
    long.write_bytes(path.read_bytes())
    manifest = path.with_name(f"{path.name}.manifest.json")
    long.with_name(f"{long.name}.manifest.json").write_bytes(manifest.read_bytes())
    done = world.pgdr("verify", f"local:{long.name}", "--json")
    assert json.loads(done.stdout)["verdict"] == "clean" and done.returncode == 0
    assert "could not be kept" in done.stderr
    assert world.databases() == {world.live.name}


def test_killed_its_scratch_database_is_dropped_by_the_next(world: World) -> None:
    world.sql(SLOW)
    ref = world.back_up().refs[0]
    os.spawnv(os.P_NOWAIT, world.argv()[0], [*world.argv("verify", ref), "--json"])
    wait(lambda: len(world.databases()) == 2, "a scratch database")
    (left,) = world.databases() - {world.live.name}
    supervisor_of(world).send_signal(signal.SIGKILL)
    wait(
        lambda: not world.live.server.sql(f"SELECT 1 FROM pg_stat_activity WHERE datname = '{left}'"),
        "its end",
    )
    assert left in world.databases()
    world.sql("DROP INDEX users_slow")
    assert world.answer("verify", world.back_up().refs[0])["verdict"] == "clean"
    assert world.databases() == {world.live.name}


def test_what_is_at_work_or_not_marked_is_no_stale_one(world: World) -> None:
    endpoint, sql, name = world.live.endpoint, world.live.server.sql, world.live.name
    names = [
        f"{name}_{kind}_20261121T03100{n}Z" for n, kind in enumerate(("verify", "drill", "verify", "restore"))
    ]
    for made in names:
        sql(f'CREATE DATABASE "{made}"')
    for marked in (names[0], names[1], names[3]):
        mark_unfinished(endpoint, marked, "it is a scratch database.")
    with target_lock(endpoint, f"the scratch database {names[1]}"):
        assert drop_stale(world.database, lambda event: None) == (names[0],)
    assert drop_stale(world.database, lambda event: None) == (names[1],)
    assert world.databases() == {name, names[2], names[3]}


def test_told_to_end_it_drops_what_it_made(world: World) -> None:
    world.sql(SLOW)
    ref = world.back_up().refs[0]
    os.spawnv(os.P_NOWAIT, world.argv()[0], [*world.argv("verify", ref), "--json"])
    wait(lambda: len(world.databases()) == 2, "a scratch database")
    supervisor = supervisor_of(world)
    supervisor.terminate()
    supervisor.wait(30)
    assert world.databases() == {world.live.name}
