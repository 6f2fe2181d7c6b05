"""Archives that were staged by jobs nobody went on with are removed, and only those."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from tests.jobs.test_supervisor import order, wait
from tests.recovery.world import make_world, utc_now
from tests.servers import FreshDatabase
from tui.files import private_directory
from tui.jobs.job import JobFiles, JobSpec, write_spec
from tui.jobs.lock import backup_lock_path, backup_staging, held
from tui.jobs.start import start_job
from tui.jobs.sweep import KEPT_FOR, sweep
from tui.jobs.watch import follow
from tui.model.event import JobKind, JobState

NOW = utc_now()


def left(state: Path, job: str, at: datetime) -> JobFiles:
    """A job of that time that has left an opened archive."""
    files = write_spec(state, JobSpec(job, JobKind.RESTORE, Path("pgdr.toml"), "shop", "anna"))
    (private_directory(files.staging) / "archive").write_bytes(b"PGDMP")
    files.journal.touch()
    for path in (files.spec, files.journal):
        os.utime(path, (at.timestamp(), at.timestamp()))
    return files


def test_what_is_old_and_of_no_living_job(tmp_path: Path) -> None:
    old = left(tmp_path, "old", NOW - KEPT_FOR - timedelta(minutes=1))
    young = left(tmp_path, "young", NOW - KEPT_FOR + timedelta(minutes=1))
    alive = left(tmp_path, "alive", NOW - 2 * KEPT_FOR)
    (tmp_path / "jobs" / "odd").write_text("no job")
    unreadable = left(tmp_path, "unreadable", NOW - 2 * KEPT_FOR)
    unreadable.lock.mkdir()  # as another user's would be
    with held(alive.lock, {}):
        assert sweep(tmp_path, NOW) == ("old",)
    assert not old.staging.exists() and old.spec.exists()
    assert young.staging.exists() and alive.staging.exists()


def test_what_a_killed_backup_had_staged(tmp_path: Path) -> None:
    locks = [backup_lock_path(tmp_path, "shop", store) for store in ("local", "offsite")]
    killed, alive = (backup_staging(tmp_path, lock) for lock in locks)
    for lock in locks:
        with held(lock, {}):
            pass
    for directory in (killed, alive):
        (private_directory(directory / "archive") / "toc.dat").write_bytes(b"PGDMP")
    (tmp_path / "jobs").mkdir()
    with held(locks[1], {}):
        sweep(tmp_path, NOW)
        assert not killed.exists() and (alive / "archive" / "toc.dat").exists()
    theirs = [tmp_path / "dumps" / name for name in ("precious", "a" * 24, "a" * 24 + ".gone-x")]
    for directory in theirs:
        (private_directory(directory) / "f").write_bytes(b"theirs")
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "dumps" / locks[0].stem
    link.symlink_to(tmp_path / "elsewhere")
    unreadable = tmp_path / "dumps" / ("b" * 24)
    unreadable.mkdir()
    (tmp_path / "locks" / f"{'b' * 24}.lock").mkdir()
    sweep(tmp_path, NOW)
    assert all((directory / "f").exists() for directory in theirs) and link.is_symlink()
    for directory in (*theirs, unreadable):
        shutil.rmtree(directory)
    link.unlink()
    (tmp_path / "elsewhere").rmdir()
    assert not alive.exists() and {p.name for p in tmp_path.iterdir()} == {"dumps", "jobs", "locks"}


def test_a_killed_backup_job_leaves_nothing_in_clear_for_a_day(tmp_path: Path) -> None:
    files = write_spec(tmp_path, JobSpec("one", JobKind.BACKUP, Path("pgdr.toml"), "shop", "anna"))
    (private_directory(files.staging / "archive") / "toc.dat").write_bytes(b"PGDMP")
    files.journal.touch()
    with held(files.lock, {}):
        assert sweep(tmp_path, NOW) == ()
    assert sweep(tmp_path, NOW) == ("one",) and not files.staging.exists()


def test_every_job_sweeps(db18: FreshDatabase, tmp_path: Path) -> None:
    world = make_world(db18, tmp_path)
    old = left(world.state, "old", NOW - 2 * KEPT_FOR)
    job = start_job(world.state, order(world, world.back_up().refs[0], world.live.name + "_restored"))
    wait(lambda: not old.staging.exists(), "nothing was swept")
    assert follow(world.state, job, lambda _: None, utc_now).state is JobState.DONE
