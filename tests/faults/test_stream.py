"""Restores that read a remote archive as they load: what interrupts them, and that the result is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.life import (
    accounted_for,
    ended,
    equal,
    events,
    fingerprint,
    no_orphans,
    picture,
    processes_of,
    reach,
    resumed_clean,
    rich_world,
    start_restore,
    supervisor,
    wait,
)
from tests.recovery.world import World
from tests.servers import Bucket, FreshDatabase
from tui.jobs.job import files_of
from tui.jobs.watch import ask_cancel
from tui.model.backup import Verdict
from tui.model.event import JobState, Phase, PhaseBegan
from tui.operations.catalogue.catalogue import describe
from tui.stores.open import open_store


@pytest.fixture(params=["db18", "db15"])
def remote(request: pytest.FixtureRequest, bucket: Bucket, tmp_path: Path) -> World:
    """A world on PostgreSQL 18, then on 15, with a bucket besides its local store."""
    db: FreshDatabase = request.getfixturevalue(request.param)
    return rich_world(db, tmp_path, bucket.store)


@pytest.fixture
def remote18(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> World:
    return rich_world(db18, tmp_path, bucket.store)


def in_bucket(world: World) -> str:
    return next(r for r in world.back_up().refs if r.startswith("offsite:"))


@pytest.mark.parametrize("workers", [1, 3])
def test_the_result_is_that_of_a_restore_from_a_file(remote: World, workers: int) -> None:
    job = start_restore(remote, in_bucket(remote), workers)
    end = ended(remote, job)
    assert (end.state, end.verdict) == (JobState.DONE, Verdict.CLEAN), (end.message, end.errors)
    assert not any(isinstance(e, PhaseBegan) and e.phase is Phase.FETCH for e in events(remote, job))
    assert not files_of(remote.state, job).staging.exists()
    accounted_for(remote, job)
    equal(remote, job)
    no_orphans(remote, job)


@pytest.mark.parametrize("moment", ["data", "index"])
def test_a_killed_supervisor_takes_all_of_them_with_it(remote18: World, moment: str) -> None:
    job = start_restore(remote18, in_bucket(remote18))
    reach(remote18, job, moment)
    supervisor(remote18, job).kill()
    wait(lambda: picture(remote18, job).state is JobState.LOST, "not shown as lost")
    no_orphans(remote18, job)
    resumed_clean(remote18, job)


@pytest.mark.parametrize("keep", [False, True])
def test_cancel_leaves_no_orphan(remote18: World, keep: bool) -> None:
    job = start_restore(remote18, in_bucket(remote18))
    reach(remote18, job, "data")
    ask_cancel(remote18.state, job, "bob@db2", keep)
    end = ended(remote18, job)
    assert end.state is JobState.CANCELLED and (end.target in remote18.databases()) is keep
    no_orphans(remote18, job)
    resumed_clean(remote18, job, from_done=keep)


def test_a_killed_loader_fails_its_table_and_can_be_gone_on_with(remote18: World) -> None:
    job = start_restore(remote18, in_bucket(remote18))
    reach(remote18, job, "data")
    for process in processes_of(job):
        if process.name() == "pg_restore":
            process.kill()
    end = ended(remote18, job)
    assert end.verdict is Verdict.FAILED and end.mend is not None and f"pgdr resume {job}" in end.mend
    accounted_for(remote18, job)
    no_orphans(remote18, job)
    resumed_clean(remote18, job)


def test_bytes_that_are_not_those_that_were_backed_up_load_nothing(remote18: World, bucket: Bucket) -> None:
    ref = in_bucket(remote18)
    key = ref.partition(":")[2]
    store = open_store(next(s for s in remote18.fleet.stores if s.name == "offsite"))
    found = describe(store, key)
    assert found.contents is not None and found.manifest is not None
    entry = next(e for e in found.contents.entries if e.desc == "TABLE DATA" and e.name == "wallets")
    block = next(b for b in found.manifest.blocks if b.dump_id == entry.dump_id)
    path = next(bucket.directory.rglob(key))
    whole = path.read_bytes()
    hurt = bytearray(whole)
    hurt[block.offset + block.size_bytes // 2] ^= 1
    path.write_bytes(hurt)
    job = start_restore(remote18, ref)
    end = ended(remote18, job)
    assert end.state is JobState.FAILED and "not those that were backed up" in (end.message or "")
    no_orphans(remote18, job)
    assert end.target is not None and remote18.count("wallets", end.target) == 0
    path.write_bytes(whole)
    resumed_clean(remote18, job, from_done=False)


def test_a_table_of_contents_that_is_not_the_one_that_was_backed_up_makes_nothing(
    remote18: World, bucket: Bucket
) -> None:
    """It reads well; a definition in it is another one, which no hash of the data tells."""
    ref = in_bucket(remote18)
    path = next(bucket.directory.rglob(ref.partition(":")[2]))
    whole = path.read_bytes()
    assert b"email text" in whole
    path.write_bytes(whole.replace(b"email text", b"eMail text", 1))
    for more in ((), ("--table", "public.users")):
        done = remote18.pgdr("restore", ref, *more)
        assert done.returncode == 1 and "table of contents is not the one" in done.stderr, done.stderr
    path.write_bytes(whole)
    assert remote18.answer("restore", ref)["verdict"] == "clean"


def test_one_table_costs_only_its_own_bytes(remote18: World) -> None:
    remote18.sql("CREATE TABLE ballast AS SELECT n, sha256(n::text::bytea) FROM generate_series(1, 60000) n")
    truth = fingerprint(remote18, remote18.live.name)
    ref = in_bucket(remote18)
    (backup,) = (b for b in remote18.answer("backups")["backups"] if b["ref"] == ref)
    done = remote18.answer("restore", ref, "--table", "public.users")
    assert done["verdict"] == "clean" and done["fetched_bytes"] < backup["size_bytes"] / 4
    assert remote18.count("users", done["target"]) == 400
    assert fingerprint(remote18, remote18.live.name) == truth
