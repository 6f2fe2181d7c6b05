"""Backups that are damaged, lie, have odd names, or meet others: what is said, and what is kept of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.recovery.world import World
from tui.jobs.lock import held, target_lock_path
from tui.model.errors import Refused
from tui.operations.backup import backup as operation
from tui.operations.report import never
from tui.stores.open import open_store


def archive_of(world: World) -> tuple[str, Path]:
    """A new backup's ref and its archive."""
    (row,) = world.answer("backup", "shop")
    ref = str(row["ref"])
    return ref, world.config.parent / "backups" / ref.partition(":")[2]


def manifest_beside(archive: Path) -> Path:
    return archive.with_name(archive.name + ".manifest.json")


def outcomes(archive: Path) -> list[str]:
    """The verdicts that are kept beside an archive."""
    return [p.name.split(".")[-2] for p in archive.parent.glob(archive.name + ".verified.*.json")]


def test_a_backup_that_can_not_be_restored_is_remembered_as_such(world: World) -> None:
    ref, archive = archive_of(world)
    archive.write_bytes(archive.read_bytes()[:-3000])
    answer = world.answer("verify", ref, code=1)
    assert answer["verdict"] == "failed" and outcomes(archive) == ["failed"]
    (row,) = world.answer("backups")["backups"]
    assert row["verified_at"] is not None


def test_an_archive_that_is_another_one_is_found_by_verifying(world: World) -> None:
    ref, archive = archive_of(world)
    known = hashlib.sha256(archive.read_bytes()).hexdigest()
    manifest = manifest_beside(archive)
    manifest.write_text(manifest.read_text().replace(known, "0" * 64))
    answer = world.answer("verify", ref, code=1)
    failed = [c["name"] for c in answer["checks"] if c["passed"] is False]
    assert failed == ["It can be restored", "The archive can be read to its end"]
    assert outcomes(archive) == ["failed"]


@pytest.mark.parametrize("manifest", ["{", "null", '"x"', "[" * 200_000], ids=["cut", "null", "text", "deep"])
def test_an_archive_whose_manifest_is_rubbish_is_tried_all_the_same(world: World, manifest: str) -> None:
    ref, archive = archive_of(world)
    manifest_beside(archive).write_text(manifest)
    answer = world.answer("verify", ref, code=1)
    assert answer["verdict"] == "failed"
    failed = [c["name"] for c in answer["checks"] if c["passed"] is False]
    assert failed == ["The manifest can be read"] and len(answer["checks"]) > 1


def test_a_file_whose_name_is_no_utf8_is_restored(world: World) -> None:
    _, archive = archive_of(world)
    odd = os.fsdecode(b"caf\xe9-20261101-000000.dump")
    (archive.parent / odd).write_bytes(archive.read_bytes())
    answer = world.answer("restore", f"local:{odd}", "--database", "shop")
    assert answer["verdict"] == "clean"
    assert world.answer("jobs")[0]["ref"] == f"local:{odd}"


def test_two_machines_in_one_second_keep_both_backups_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2026, 11, 21, 3, 0, tzinfo=timezone.utc)
    stores = [open_store(spec) for spec in world.fleet.stores]

    def take() -> None:
        operation.back_up(
            world.fleet, world.database, stores,
            staging=world.state / "staging", report=lambda event: None, stop=never, now=lambda: moment,
        )  # fmt: skip

    take()
    before = {p.name: p.read_bytes() for p in (world.config.parent / "backups").iterdir()}
    with pytest.raises(Refused, match="same second"):
        take()
    assert {p.name: p.read_bytes() for p in (world.config.parent / "backups").iterdir()} == before


def test_a_backup_that_another_one_is_in_the_way_of_is_refused(world: World) -> None:
    world.state.mkdir(mode=0o700)
    who = {"operator": "ann@db1", "job": "a backup", "since": "2026-11-21T03:00:00Z"}
    with held(target_lock_path(world.state, "backup into local", "shop"), who):
        (row,) = world.answer("backup", "shop", code=4)
    assert "ann@db1" in row["error"] and "attach a backup" not in row["error"]


def test_a_verification_that_reaches_no_server_says_so_by_its_exit_code(world: World) -> None:
    ref, _ = archive_of(world)
    text = world.config.read_text()
    world.config.write_text(text.replace(f"port = {world.live.endpoint.port}", "port = 1"))
    said = world.answer("verify", ref, code=5)["error"]
    assert "No PostgreSQL server answers" in said["what"] and said["mend"]


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, to give up its rights"
)
def test_directories_that_may_not_be_read_or_written(world: World) -> None:
    archive_of(world)
    for closed in (world.config.parent / "backups", world.state):
        closed.chmod(0o700)
        shutil.chown(closed, "nobody")

    def run(*verb: str) -> subprocess.CompletedProcess[str]:
        # root without its capabilities is a user like others
        argv = ["setpriv", "--bounding-set", "-all", *world.argv(*verb)]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    done = run("backups", "--json")
    assert done.returncode == 5, done.stderr
    (error,) = json.loads(done.stdout)["errors"]
    assert "Permission denied" in error["what"] and error["mend"] and "Traceback" not in done.stderr
    done = run("jobs", "--json")
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    said = json.loads(done.stdout)["error"]
    assert "Permission denied" in f"{said['what']} {said['why']}" and said["mend"]
    done = run("backup", "shop", "--json")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    json.loads(done.stdout)
