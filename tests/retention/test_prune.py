"""`pgdr prune` on real stores: what it removes, what it never does, and that being killed leaves no half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import boto3
import pytest

from tests.recovery.world import World, utc_now
from tests.retention.conftest import Aged
from tests.stores.clouds import fresh_name, moto
from tui.config.write import text_of
from tui.files import write_whole
from tui.incident.book import Book
from tui.jobs.job import JobSpec, new_id, write_spec
from tui.jobs.lock import held
from tui.model.backup import ArchiveFormat, Verdict
from tui.model.event import JobKind
from tui.model.fleet import Component, S3Store
from tui.model.secret import Secret
from tui.operations.backup.backup import Making
from tui.operations.backup.components import back_up_component
from tui.operations.catalogue.catalogue import key_for, split_ref, write_manifest
from tui.operations.retention.prune import objects_of

__all__ = ["moto"]


def refs(rows: list[dict[str, str]]) -> set[str]:
    return {row["ref"] for row in rows}


@pytest.mark.parametrize("store", ["local", "offsite"])
def test_dry_run_is_what_is_done_and_all_beside_goes_too(aged_in_two: Aged, store: str) -> None:
    aged, world = aged_in_two, aged_in_two.world
    verdicts = {8: None, 9: Verdict.CLEAN, 10: Verdict.EXPLAINED, 11: None, 12: Verdict.FAILED}
    old = [aged.add(days, store, verdict=verdict) for days, verdict in verdicts.items()]
    before = aged.there("local"), aged.there("offsite")
    dry = world.answer("prune", "--dry-run")
    assert (aged.there("local"), aged.there("offsite")) == before
    # the newest three stay, of which the second is the newest that was verified
    assert refs(dry["removed"]) == set(old[2:]) and dry["refused"] == [] and dry["errors"] == []
    assert set(old[:2]) < refs(dry["kept"]) and all(row["why"] for part in dry.values() for row in part)
    done = world.answer("prune", "--confirm", "Shop")
    assert done == dry
    gone = {ref.partition(":")[2] for ref in old[2:]}
    assert not [key for key in aged.there(store) for part in gone if key.startswith(part)]
    assert len(aged.there("local") | aged.there("offsite")) == 3 * 3 + 1
    assert world.answer("prune", "--confirm", "Shop")["removed"] == []
    for ref in old[:2]:
        assert {
            f"{ref.partition(':')[2]}{end}" for end in ("", ".manifest.json", ".globals.sql")
        } < aged.there(store)


def test_without_its_confirmation_it_only_tells(aged: Aged) -> None:
    ref = aged.add(30)
    for days in (10, 11, 12):
        aged.add(days)
    before = aged.there()
    for said in ((), ("--confirm", "shop"), ("--confirm", "Other")):
        done = aged.world.pgdr("prune", *said)
        assert done.returncode == 4 and "--confirm Shop" in done.stderr
        assert f"goes   {ref}" in done.stdout and "older than 7d" in done.stdout
    assert aged.world.pgdr("prune", "shop", "--confirm", "Shop").returncode == 4
    assert aged.world.pgdr("prune", "--read-only", "--confirm", "Shop").returncode == 4
    assert aged.there() == before
    assert aged.world.pgdr("--read-only", "prune", "--dry-run").returncode == 0
    assert refs(aged.world.answer("prune", "shop", "--confirm", "shop")["removed"]) >= {ref}
    done = aged.world.pgdr("prune", "--confirm", "Shop", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_in_use_stays(aged: Aged) -> None:
    world = aged.world
    picked, running, resumable, free = (aged.add(days) for days in (20, 21, 22, 23))
    for days in (8, 9):
        aged.add(days)
    book = Book(world.state)
    incident = book.declare("shop", "ann@db1", utc_now())
    book.save(replace(incident, ref=picked))

    def job(ref: str) -> Path:
        spec = JobSpec(
            new_id(JobKind.RESTORE, utc_now()), JobKind.RESTORE, world.config, "shop", "ann", ref, "t"
        )
        files = write_spec(world.state, spec)
        os.utime(files.spec, (0, 0))  # ordered long ago
        return files.lock

    lock = job(running)
    job(resumable)
    with held(lock, {}):
        answer = world.answer("prune", "--confirm", "Shop")
    assert refs(answer["removed"]) == {free}
    said = {row["ref"]: row["why"] for row in answer["kept"]}
    assert "incident 1" in said[picked] and "works with" in said[running]
    assert "could be gone on with" in said[resumable]
    book.save(replace(incident, closed_at=utc_now(), ref=picked))
    assert refs(world.answer("prune", "--confirm", "Shop")["removed"]) >= {picked}


def test_what_is_not_whole_or_too_small_counts_for_nothing(aged: Aged) -> None:
    world = aged.world
    world.config.write_text(
        world.config.read_text().replace('keep_for = "7d"', 'keep_for = "7d"\nkeep_at_least = 1')
    )
    small = aged.add(9, cut=2000)
    good, spare, older = aged.add(10), aged.add(11), aged.add(30)
    unfinished = aged.add(40, manifest=False)
    _, key = split_ref(world.fleet, aged.ref)
    aged.store().delete(f"{key}.manifest.json")  # the newest isn't complete
    answer = world.answer("prune", "--dry-run")
    assert refs(answer["removed"]) == {unfinished}
    assert refs(answer["kept"]) == {good, spare, older, aged.ref}
    (refused,) = answer["refused"]
    assert refused["ref"] == small and "Suspiciously small" in refused["why"]
    assert world.pgdr("prune", "--remove", good, "--confirm", good).returncode == 4
    assert refs(world.answer("prune", "--remove", small, "--confirm", small)["removed"]) == {small}
    answer = world.answer("prune", "--confirm", "Shop")
    assert refs(answer["removed"]) == {unfinished, spare, older}


def test_what_is_not_ours_is_left_alone(aged: Aged) -> None:
    world, store = aged.world, aged.store()
    mine = aged.add(90)
    _, key = split_ref(world.fleet, mine)
    for days in (8, 9):
        aged.add(days)
    data = store.read(key, 0, 1 << 20)
    foreign = {
        "notes.txt": b"x", "other-20200101-000000.dump": b"PGDMP nonsense", f"{key}.manifest.json.bak": b"{}",
        f"{key}-2": b"x", "before the migration.dump": data, "photo.jpg": bytes(9000),
        "lost-20200101-000000.dump.manifest.json": b"{}",
    }  # fmt: skip
    for name, content in foreign.items():
        store.put(name, content)
    answer = world.answer("prune", "--confirm", "Shop")
    assert refs(answer["removed"]) == {mine}
    assert foreign.keys() < aged.there()
    refused = {row["ref"]: row["why"] for row in answer["refused"]}
    assert "schedule" in refused["local:before the migration.dump"]
    assert "other" in refused["local:other-20200101-000000.dump"]


KILLED = """
import os, signal, sys
from tui.stores import {module} as module
was, left = module.{store}.delete, [{after}]
def delete(self, key):
    was(self, key)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
module.{store}.delete = delete
from tui.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("store", "after"), [("local", 1), ("local", 3), ("offsite", 2)])
def test_killed_between_deletions_nothing_half_is_left(aged_in_two: Aged, store: str, after: int) -> None:
    aged, world = aged_in_two, aged_in_two.world
    old = [aged.add(days, store, verdict=Verdict.CLEAN) for days in (8, 9, 10, 11)]
    kind = {"local": ("local", "DirectoryStore"), "offsite": ("s3", "BucketStore")}[store]
    script = KILLED.format(module=kind[0], store=kind[1], after=after)
    argv = world.argv("prune", "--confirm", "Shop")[3:]
    done = subprocess.run([sys.executable, "-c", script, *argv], capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    first = old[2].partition(":")[2]
    listed = {row["ref"] for row in world.answer("backups")["backups"]}
    assert old[2] not in listed and {key for key in aged.there(store) if key.startswith(first)}
    answer = world.answer("prune", "--confirm", "Shop")
    assert refs(answer["removed"]) == set(old[2:])
    assert "archive is gone" in {row["ref"]: row["why"] for row in answer["removed"]}[old[2]]
    assert not [key for key in aged.there(store) if key.startswith(first)]
    assert world.answer("prune", "--confirm", "Shop")["removed"] == []


def test_what_the_store_has_locked_stays_and_is_told(
    aged: Aged, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, world = fresh_name("bucket"), aged.world
    key = Secret(env="PGDR_TEST_KEY")
    monkeypatch.setenv("PGDR_TEST_KEY", "AKTEST")
    spec = S3Store("locked", name, endpoint_url=moto, region="us-east-1", access_key=key, secret_key=key)
    client = boto3.client("s3", endpoint_url=moto, region_name="us-east-1", aws_access_key_id="AKTEST",
                          aws_secret_access_key="AKTEST")  # fmt: skip
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    fleet = world.fleet
    (database,) = fleet.databases
    policy = replace(database.backup, stores=("local", "locked"))
    fleet = replace(fleet, stores=(*fleet.stores, spec), databases=(replace(database, backup=policy),))
    write_whole(world.config, text_of(fleet))
    old = [aged.add(days, "locked") for days in (8, 9, 10, 11, 12)]
    held_key = old[4].partition(":")[2]
    client.put_object_legal_hold(Bucket=name, Key=held_key, LegalHold={"Status": "ON"})
    answer = world.answer("prune", "--confirm", "Shop", code=3)
    assert refs(answer["removed"]) == {old[3]}
    (refused,) = answer["refused"]
    assert refused["ref"] == old[4] and "legal hold" in refused["why"]
    assert {held_key, f"{held_key}.manifest.json", f"{held_key}.globals.sql"} <= aged.there("locked")


def test_components_have_their_own_rule(aged: Aged) -> None:
    world = aged.world
    (world.config.parent / "compose.yml").write_text("services: {}\n")
    files = Component("files", "tar", None, None, ("compose.yml",))
    volumes = replace(files, name="some volumes", keep_for=world.database.backup.keep_for, keep_at_least=1)
    write_whole(world.config, text_of(replace(world.fleet, components=(files, volumes))))
    made = {}
    for component in world.fleet.components:
        for days in (10, 9, 8):
            made[component.name, days] = _component(world, aged, component, days)
    answer = world.answer("prune", "--confirm", "Shop")
    assert refs(answer["removed"]) == {made["some volumes", 10], made["some volumes", 9]}
    assert {made["files", days] for days in (8, 9, 10)} < refs(answer["kept"])


def _component(world: World, aged: Aged, component: Component, days: int) -> str:
    moment = utc_now() - timedelta(days=days)
    made = back_up_component(
        world.fleet, component, [aged.store()], report=lambda event: None, now=lambda: moment
    )
    return made.refs[0]


def test_a_store_that_cannot_be_read_is_told_and_the_others_pruned(aged_in_two: Aged) -> None:
    aged, world = aged_in_two, aged_in_two.world
    old = [aged.add(days) for days in (8, 9, 10)]
    world.config.write_text(world.config.read_text().replace("http://127.0.0.1:", "http://127.0.0.2:"))
    answer = world.answer("prune", "--confirm", "Shop", code=5)
    assert refs(answer["removed"]) == {old[2]}
    assert [error["store"] for error in answer["errors"]] == ["offsite"]


def test_only_what_was_named_is_touched(aged_in_two: Aged) -> None:
    aged, world = aged_in_two, aged_in_two.world
    here = [aged.add(days) for days in (8, 9, 10)]
    there = [aged.add(days, "offsite") for days in (8, 9, 10)]
    assert refs(world.answer("prune", "--store", "offsite", "--confirm", "Shop")["removed"]) == {there[2]}
    assert here[2].partition(":")[2] in aged.there()
    assert world.pgdr("prune", "nosuch").returncode == 2
    assert world.pgdr("prune", "--store", "nosuch").returncode == 2


@pytest.mark.parametrize("after", [None, 1, 4])
def test_a_directory_goes_with_all_its_files_and_nothing_else(aged: Aged, after: int | None) -> None:
    world, store = aged.world, aged.store()
    made = world.back_up(making=Making(format=ArchiveFormat.DIRECTORY))
    at = utc_now() - timedelta(days=10)
    key = key_for(world.live.name, at, ".dir")
    for name in objects_of(store, made.manifest.key):
        if name.startswith(f"{made.manifest.key}/"):
            store.put(f"{key}/{name.rpartition('/')[2]}", store.read(name, 0, 1 << 20))
    write_manifest(store, replace(made.manifest, key=key, created_at=at))
    store.put(f"{key}/mine.txt", b"someone's own")
    before = {name for name in aged.there() if name.startswith(key)}
    assert {f"{key}/toc.dat", f"{key}.manifest.json"} < before and len(before) >= 6
    assert world.answer("prune", "--confirm", "Shop")["removed"] == []
    if after is None:
        aged.add(8)
        assert refs(world.answer("prune", "--confirm", "Shop")["removed"]) == {f"local:{key}"}
    else:
        for name in objects_of(store, key)[:after]:
            store.delete(name)  # as far as a prune came that was killed
        answer = world.answer("prune", "--confirm", "Shop")
        assert refs(answer["removed"]) == {f"local:{key}"}
    assert {name for name in aged.there() if name.startswith(key)} == {f"{key}/mine.txt"}
    assert aged.ref.partition(":")[2] in aged.there()
