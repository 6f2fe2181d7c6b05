"""However a backup ends early, nothing that looks like one is left, nobody goes on, the next one works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from tests.backup.gate import Gate, gate
from tests.backup.keys import age_key
from tests.recovery.world import World, make_world
from tests.servers import Bucket, FreshDatabase, place

ROWS = 60_000  # some 6 MB as pg_dump reads them
LIMIT = 3 << 20
WITHIN_S = 60.0


@dataclass
class Stalled:
    """A backup that has written a part of its archive, and whose server says no more for now."""

    world: World
    gate: Gate
    process: subprocess.Popen[str]

    @property
    def objects(self) -> set[str]:
        """What lies in the stores' directories, half-written files among them."""
        roots = [self.world.config.parent / "backups", self.bucket]
        return {str(p.relative_to(root)) for root in roots for p in root.rglob("*") if p.is_file()}

    @property
    def bucket(self) -> Path:
        return Path(self.world.config.parent / "bucket").resolve()

    def pg_dump(self) -> psutil.Process:
        """The pg_dump that is at work for it."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next(p for p in children if p.name() == "pg_dump")

    def ended(self) -> tuple[int, str, str]:
        """Waits for its end; returns exit code, stdout and stderr."""
        out, err = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, out, err


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def stalled(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> Iterator[Stalled]:
    assert db18.endpoint.port is not None
    with gate(db18.endpoint.port, LIMIT) as shut:
        world = make_world(
            db18,
            tmp_path,
            rows=ROWS,
            offsite=bucket.store,
            change=lambda d: replace(d, endpoint=replace(d.endpoint, host="127.0.0.1", port=shut.port)),
        )
        (tmp_path / "bucket").symlink_to(bucket.directory)
        bucket.directory.mkdir(exist_ok=True)
        made = Stalled(world, shut, begun(world))
        partial = tmp_path / "backups"
        until(lambda: any(p.stat().st_size > 0 for p in partial.glob(".pgdr-*.partial")))
        yield made
        if made.process.poll() is None:
            made.process.kill()
            made.process.communicate()


def begun(world: World, *options: str) -> subprocess.Popen[str]:
    argv = world.argv("backup", "shop", "--compress", "none", "--json", *options)
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def nothing_left(stalled: Stalled) -> None:
    assert stalled.objects == set()
    assert stalled.world.answer("backups")["backups"] == []


def next_one_works(stalled: Stalled) -> None:
    stalled.gate.open()
    (row,) = stalled.world.answer("backup", "shop")
    assert row["error"] is None and row["rows"] == ROWS + 900 and len(row["refs"]) == 2


def test_pg_dump_is_killed(stalled: Stalled) -> None:
    stalled.pg_dump().send_signal(signal.SIGKILL)
    code, out, _ = stalled.ended()
    (row,) = json.loads(out)
    assert code == 1 and row["ref"] is None and "signal 9" in row["error"]
    nothing_left(stalled)
    next_one_works(stalled)


def test_the_server_goes_away(stalled: Stalled) -> None:
    stalled.gate.cut()
    code, out, _ = stalled.ended()
    assert code == 5 and json.loads(out)[0]["ref"] is None, out
    nothing_left(stalled)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_is_told_to_stop(stalled: Stalled, number: signal.Signals) -> None:
    dump = stalled.pg_dump()
    stalled.process.send_signal(number)
    code, _, _ = stalled.ended()
    assert code == 130 and not dump.is_running()
    nothing_left(stalled)


def test_a_terminal_that_is_closed_says_so_more_than_once(stalled: Stalled) -> None:
    """What clears up after the first must not be ended by the second: a dump in clear would stay."""
    stalled.process.kill()
    stalled.process.communicate()
    world = stalled.world
    process = begun(world, "--format", "directory", "--encrypt-to", age_key(world.config.parent).recipient)
    staged = world.state / "dumps"
    until(lambda: any(p.stat().st_size > 0 for p in staged.rglob("*.dat")))
    for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
        process.send_signal(number)
        time.sleep(0.01)
    process.communicate(timeout=WITHIN_S)
    assert process.returncode == 130 and not list(staged.rglob("*"))


def test_it_is_killed(stalled: Stalled) -> None:
    """No chance to clean up: what is left is known by its name and never listed, and pg_dump ends."""
    dump = stalled.pg_dump()
    stalled.process.kill()
    stalled.process.communicate()
    dump.wait(WITHIN_S)
    left = stalled.objects
    assert left and all(Path(key).name.startswith(".pgdr-") for key in left)
    assert stalled.world.answer("backups")["backups"] == []
    next_one_works(stalled)
    assert left <= stalled.objects  # it may be of one that is at work
    for key in left:
        os.utime(stalled.world.config.parent / "backups" / key, (0, 0))
    (stalled.world.config.parent / "backups" / "theirs").mkdir()
    theirs = stalled.world.config.parent / "backups" / "theirs" / ".pgdr-x.partial"
    theirs.touch()
    os.utime(theirs, (0, 0))
    stalled.world.answer("backup", "shop")
    assert not left & stalled.objects and theirs.exists()


def test_a_second_one_into_the_same_store_is_refused(stalled: Stalled) -> None:
    """By the lock of this machine, and from another one, which has a state of its own, by the server's."""
    done = stalled.world.pgdr("backup", "shop", "--store", "local")
    assert done.returncode == 4 and "a backup into local, since 20" in done.stderr
    other = replace(stalled.world, state=stalled.world.state.parent / "other machine")
    done = other.pgdr("backup", "shop", "--store", "local")
    assert done.returncode == 4 and "Another pgdr works on" in done.stderr
    assert "pgdr backup" in done.stderr and "from 127.0.0.1" in done.stderr and "since 20" in done.stderr
    assert stalled.process.poll() is None
    stalled.gate.open()
    code, out, _ = stalled.ended()
    assert code == 0 and json.loads(out)[0]["rows"] == ROWS + 900


def test_another_store_may_have_its_own(stalled: Stalled, tmp_path: Path) -> None:
    (tmp_path / "third").mkdir()
    with stalled.world.config.open("a") as file:
        file.write(f'\n[stores.third]\nkind = "local"\npath = "{tmp_path / "third"}"\n')
    stalled.gate.open()
    (row,) = stalled.world.answer("backup", "shop", "--store", "third")
    assert row["error"] is None
    assert stalled.ended()[0] == 0


def test_a_full_disk_fails_its_store_alone(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    world = make_world(db18, tmp_path, rows=ROWS, offsite=bucket.store)
    small = tmp_path / "backups"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        (row,) = world.answer("backup", "shop", "--compress", "none", code=1)
        assert "full" in row["error"] and [r.partition(":")[0] for r in row["refs"]] == ["offsite"]
        assert list(small.iterdir()) == []
        (row,) = world.answer("backup", "shop", "--compress", "none", "--store", "local", code=1)
        assert "full" in row["error"] and row["ref"] is None
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True, capture_output=True)


def test_a_full_disk_fails_a_directory_dump(db18: FreshDatabase, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    with place() as small:
        world = make_world(db18, tmp_path, rows=ROWS)
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            pytest.skip("no small disk can be mounted here")
        try:
            on_small = replace(world, state=small / "state")
            options = ("--format", "directory", "--compress", "none")
            (row,) = on_small.answer("backup", "shop", *options, code=1)
            assert row["ref"] is None and "No space left" in row["error"]
            assert not list((small / "state").rglob("*.dat"))
        finally:
            subprocess.run(["umount", str(small)], check=True, capture_output=True)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_killed_one_leaves_its_dump_in_clear_only_until_the_next(stalled: Stalled) -> None:
    stalled.process.kill()
    stalled.process.communicate()
    world = stalled.world
    recipient = age_key(world.config.parent).recipient
    process = begun(world, "--format", "directory", "--encrypt-to", recipient)
    staged = world.state / "dumps"
    until(lambda: any(p.stat().st_size > 0 for p in staged.rglob("*.dat")))
    assert staged.stat().st_mode & 0o077 == 0
    dumps = [p for p in psutil.Process(process.pid).children(recursive=True) if p.name() == "pg_dump"]
    process.kill()
    process.communicate()
    psutil.wait_procs(dumps, WITHIN_S)
    assert dumps and any(staged.rglob("*.dat"))
    stalled.gate.open()
    world.answer("backup", "shop")
    assert not list(staged.rglob("*"))


def test_a_half_upload_in_the_directory_format_goes_after_a_day(
    db18: FreshDatabase, bucket: Bucket, tmp_path: Path
) -> None:
    """Killed between its files: without a table of contents it is no backup, and goes when it is old."""
    world = make_world(db18, tmp_path, offsite=bucket.store)
    name = world.live.name
    roots = [tmp_path / "backups", bucket.directory]
    for root in roots:
        for backup in ("20260101-000000.dir", "20260102-000000.dir", "other-20260101-000000.dir",
                       "20260101-000001.dir.age"):  # fmt: skip
            half = root / f"{name}-{backup}" / "3001.dat.gz"
            half.parent.mkdir(parents=True)
            half.write_bytes(b"half")
            if "0101" in backup:
                os.utime(half, (0, 0))
    world.answer("backup", "shop", "--format", "directory")
    for root in roots:
        left = {p.parent.name.removeprefix(f"{name}-") for p in root.glob("*/3001.dat.gz")}
        assert left == {"20260102-000000.dir", "other-20260101-000000.dir"}, left
    world.answer("backup", "shop")
