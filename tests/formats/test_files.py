"""Directory archives and tar: listed as one backup, shown, planned, restored, copied, pruned, and refused
when a part is missing."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from tests.backup.keys import age_key
from tests.faults.life import fingerprint
from tests.formats.conftest import MORE, Packed, dump, plan
from tests.recovery.world import make_world
from tests.servers import FreshDatabase
from tui.model.backup import ArchiveFormat, Verdict
from tui.model.errors import ArchiveError, PgdrError
from tui.model.event import Event, Phase, PhaseBegan
from tui.operations.backup.backup import Making
from tui.operations.catalogue.catalogue import describe, listing
from tui.operations.report import Stopped
from tui.stores.open import open_store

NAME = "shop-20261121-010210"
STORES = ("local", "offsite")


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("kind", ["dir", "plaindir"])
def test_a_directory_is_restored_as_it_was(packed: Packed, store: str, kind: str) -> None:
    ref = packed.put(store, f"{NAME}.dir", packed.dumped / kind)
    done = packed.restore(ref)
    assert done.verdict is Verdict.CLEAN, done.errors
    packed.equal()
    assert not packed.staging.exists()
    whole = sum(file.stat().st_size for file in (packed.dumped / kind).iterdir())
    assert done.fetched_bytes == (whole if store == "offsite" else 0)


@pytest.mark.parametrize("store", STORES)
def test_a_tar_is_restored_as_it_was(packed: Packed, store: str) -> None:
    ref = packed.put(store, f"{NAME}.tar", packed.bytes_of("tar"))
    done = packed.restore(ref)
    assert done.verdict is Verdict.CLEAN, done.errors
    packed.equal()
    assert not packed.staging.exists()
    sizes = [t["compressed_bytes"] for t in packed.world.answer("show", ref)["tables"]]
    assert all(sizes) if store == "local" else not any(sizes)  # there each would cost a request
    assert not any("--jobs" in command for command in plan(packed, ref).commands)


def test_a_tar_that_is_compressed(packed: Packed) -> None:
    ref = packed.put("local", "nightly.tar.gz", packed.bytes_of("tar", ".gz"))
    assert packed.restore(ref).verdict is Verdict.CLEAN
    packed.equal()


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("key", [f"{NAME}.dir", "by/hand"])
def test_a_directory_is_one_backup(packed: Packed, store: str, key: str) -> None:
    ref = packed.put(store, key, packed.dumped / "dir")
    whole = sum(file.stat().st_size for file in (packed.dumped / "dir").iterdir())
    answer = packed.world.answer("backups", "--store", store)
    (row,) = answer["backups"]
    assert (row["ref"], row["size_bytes"], row["format"]) == (ref, whole, "directory")
    assert row["database"] == packed.world.live.name
    for said in (ref, f"{ref}/", f"{ref}/toc.dat"):
        shown = packed.world.answer("show", said)
        assert (shown["ref"], shown["size_bytes"], shown["format"]) == (ref, whole, "directory")
    assert all(table["compressed_bytes"] for table in shown["tables"])


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("harm", ["missing", "empty", "no contents", "large object", "cut"])
def test_a_directory_without_a_file_leaves_nothing(packed: Packed, store: str, harm: str) -> None:
    ref = packed.put(store, f"{NAME}.dir", packed.dumped / "plaindir")
    path = packed.place(store) / f"{NAME}.dir"
    biggest = max(path.glob("[0-9]*.dat"), key=lambda file: file.stat().st_size)
    if harm == "missing":
        biggest.unlink()
    elif harm == "empty":
        biggest.write_bytes(b"")
    elif harm == "no contents":
        biggest = path / "toc.dat"
        biggest.unlink()
    elif harm == "large object":
        biggest = next(path.glob("blob_*.dat"))
        biggest.unlink()
    else:
        biggest.write_bytes(biggest.read_bytes()[:-2000])
    with pytest.raises(PgdrError) as raised:
        packed.restore(ref)
    assert biggest.name in str(raised.value.what), raised.value
    packed.nothing_left()


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("harm", ["cut", "empty", "header"])
def test_a_damaged_tar_leaves_nothing(packed: Packed, store: str, harm: str) -> None:
    data = packed.bytes_of("tar")
    at = data.index(b"restore.sql\0")  # the last member's header
    harmed = {"cut": data[: at - 5000], "empty": b"", "header": data[:at] + b"X" + data[at + 1 :]}[harm]
    ref = packed.put(store, f"{NAME}.tar", harmed)
    with pytest.raises(ArchiveError):
        packed.restore(ref)
    packed.nothing_left()


@pytest.mark.parametrize("kind", ["dir", "dump.age", "dump.gpg", "dump.gz"])
def test_one_that_is_stopped_while_it_is_fetched_leaves_nothing(packed: Packed, kind: str) -> None:
    name, _, ending = kind.partition(".")
    data = packed.dumped / "dir" if kind == "dir" else packed.bytes_of(name, f".{ending}")
    ref = packed.put("offsite", f"{NAME}.{kind}", data)
    fetching: list[Event] = []

    def seen(event: Event) -> None:
        fetching.extend([event] if isinstance(event, PhaseBegan) and event.phase is Phase.FETCH else [])

    with pytest.raises(Stopped):
        packed.restore(ref, report=seen, stop=lambda: bool(fetching))
    assert fetching
    packed.nothing_left()


@pytest.fixture
def taken(packed: Packed) -> tuple[str, ...]:
    """A backup that pgdr took in the directory format, into both stores; its refs."""
    return packed.world.back_up(making=Making(format=ArchiveFormat.DIRECTORY)).refs


def test_one_that_pgdr_took(packed: Packed, taken: tuple[str, ...]) -> None:
    near, far = taken
    for ref in taken:
        assert packed.world.answer("verify", ref)["verdict"] == "clean"
    (row,) = packed.world.answer("backups", "--store", "offsite")["backups"]
    assert row["ref"] == far and row["has_manifest"] and row["verdict"] == "clean"
    assert packed.restore(far, tables=("public.users",)).verdict is Verdict.CLEAN
    assert packed.world.count("users", f"{packed.world.live.name}_restored") == 400
    key = far.partition(":")[2]
    file = max((packed.bucket / key).glob("[0-9]*.dat.gz"), key=lambda f: f.stat().st_size)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)
    with pytest.raises(ArchiveError) as raised:
        packed.restore(far, "again")
    assert file.name in raised.value.what and not packed.staging.exists()
    file.write_bytes(data[:-7])
    with pytest.raises(ArchiveError) as raised:
        packed.restore(far, "again")
    assert file.name in raised.value.what and not packed.staging.exists()
    assert f"{packed.world.live.name}_again" not in packed.world.databases()
    damaged = packed.place("local") / key / file.name
    damaged.write_bytes(bytes(len(damaged.read_bytes())))
    assert packed.world.answer("verify", near, code=1)["verdict"] == "failed"


def test_it_is_copied_and_its_commands_work(packed: Packed, taken: tuple[str, ...], tmp_path: Path) -> None:
    near, far = taken
    key = far.partition(":")[2]
    for item in packed.bucket.rglob("*"):
        if item.is_file():
            item.unlink()
    assert packed.world.answer("copy", near, "offsite")["copied_to"] == far
    store = open_store(packed.world.fleet.stores[1])
    assert describe(store, key).problems == ()
    (row,) = (backup for page in listing(store) for backup in page)
    assert row.has_manifest and row.format is ArchiveFormat.DIRECTORY
    (fetching,) = (c for c in plan(packed, far).commands if c.startswith("aws s3 cp"))
    assert f"{key}/ archive.dump --recursive" in fetching
    (tmp_path / "archive.dump").symlink_to(packed.bucket / key)
    (checking,) = (c for c in plan(packed, far).commands if "sha256sum" in c)
    done = subprocess.run(["bash", "-c", checking], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert any("--jobs" in command for command in plan(packed, near).commands)


def test_it_is_pruned_as_one(packed: Packed, taken: tuple[str, ...]) -> None:
    answer = packed.world.answer("prune", "--dry-run")
    refs = [decision["ref"] for part in ("kept", "removed", "refused") for decision in answer[part]]
    assert sorted(refs) == sorted(taken)


def test_of_15_too(db15: FreshDatabase, tmp_path: Path) -> None:
    world = make_world(db15, tmp_path, rows=600)
    world.sql(MORE)
    backups = tmp_path / "backups"
    dump(db15.server, db15.name, backups / "a.tar", ["-Ft"])
    dump(db15.server, db15.name, backups / "b.dir", ["-Fd", "-Z0"])
    dump(db15.server, db15.name, tmp_path / "c", ["-Fc"])
    (backups / "c.dump.gz").write_bytes(gzip.compress((tmp_path / "c").read_bytes()))
    truth = fingerprint(world, db15.name)
    packed = Packed(world, tmp_path, age_key(tmp_path), truth, tmp_path)
    for target, key in enumerate(("a.tar", "b.dir", "c.dump.gz")):
        assert packed.restore(f"local:{key}", str(target)).verdict is Verdict.CLEAN
        packed.equal(str(target))
