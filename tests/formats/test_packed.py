"""Archives that are encrypted or compressed as a whole: shown, planned, restored, refused when damaged."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backup.keys import age_key
from tests.formats.conftest import Packed, plan
from tui.config.write import text_of
from tui.files import write_whole
from tui.model.backup import Layer, Verdict
from tui.model.errors import ArchiveError, PgdrError
from tui.model.plan import Level
from tui.operations.catalogue.catalogue import describe, listing
from tui.operations.layers.encryption import NoKey
from tui.postgres.archive.archive import MAGIC
from tui.stores.open import open_store

NAME = "shop-20261121-010210"


@pytest.mark.parametrize("store", ["local", "offsite"])
@pytest.mark.parametrize("ending", [".gz", ".zst", ".lz4", ".age", ".gpg", ".zst.age"])
def test_it_is_restored_as_it_was(packed: Packed, store: str, ending: str) -> None:
    ref = packed.put(store, f"{NAME}.dump{ending}", packed.bytes_of("dump", ending))
    done = packed.restore(ref)
    assert done.verdict is Verdict.CLEAN, done.errors
    packed.equal()
    assert not packed.staging.exists()
    assert bool(done.fetched_bytes) is (store == "offsite")


@pytest.mark.parametrize(("name", "ending"), [("a.dump.gz", ""), ("b.dump", ".gz"), ("c.dump.zst", ".gz")])
def test_what_it_is_counts_and_not_what_it_is_called(packed: Packed, name: str, ending: str) -> None:
    ref = packed.put("local", name, packed.bytes_of("dump", ending))
    shown = packed.world.answer("show", ref)
    assert any("By its name" in problem["what"] for problem in shown["problems"])
    assert packed.restore(ref).verdict is Verdict.CLEAN


def test_one_table_of_it_alone(packed: Packed) -> None:
    ref = packed.put("offsite", f"{NAME}.dump.zst", packed.bytes_of("dump", ".zst"))
    packed.restore(ref, tables=("public.users",))
    assert packed.world.count("users", f"{packed.world.live.name}_restored") == 400


@pytest.mark.parametrize("ending", [".gz", ".zst", ".lz4", ".age", ".gpg"])
@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "longer"])
def test_a_damaged_one_leaves_nothing(packed: Packed, ending: str, harm: str) -> None:
    data = packed.bytes_of("dump", ending)
    middle = len(data) * 3 // 4
    flipped = data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :]
    harmed = {"cut": data[:-20], "flipped": flipped, "empty": b"", "longer": data + b"and more"}[harm]
    for store in ("local", "offsite"):
        ref = packed.put(store, f"{NAME}.dump{ending}", harmed)
        with pytest.raises(ArchiveError) as raised:
            packed.restore(ref)
        assert raised.value.what and raised.value.mend
        packed.nothing_left()


@pytest.mark.parametrize("ending", [".age", ".gpg"])
def test_without_the_right_key_it_is_said_before_anything_is_made(
    packed: Packed, ending: str, tmp_path: Path
) -> None:
    ref = packed.put("local", f"{NAME}.dump{ending}", packed.bytes_of("dump", ending))
    config, fleet = packed.world.config, packed.world.fleet
    other = replace(age_key(tmp_path).fleet.encryption, gnupg_home=tmp_path)
    try:
        write_whole(config, text_of(replace(fleet, encryption=other)))
        with pytest.raises(NoKey):
            packed.restore(ref)
        with pytest.raises(NoKey):
            plan(packed, ref)
        shown = packed.world.answer("show", ref)
        assert any("doesn't open it" in p["what"] or "no key at hand" in p["what"] for p in shown["problems"])
    finally:
        write_whole(config, text_of(fleet))
    packed.nothing_left()


@pytest.mark.parametrize("store", ["local", "offsite"])
def test_it_is_shown_from_its_beginning(packed: Packed, store: str) -> None:
    # More than its beginning: random bytes behind the archive, which nothing looks at
    data = packed.packed(packed.bytes_of("dump") + os.urandom(8 << 20), "gz")
    packed.put(store, f"{NAME}.dump.gz", data)
    (spec,) = (s for s in packed.world.fleet.stores if s.name == store)
    opened = open_store(spec)
    found = describe(opened, f"{NAME}.dump.gz", packed.world.fleet)
    assert found.contents is not None and found.contents.layers == (Layer.GZIP,)
    assert {t.name for t in found.tables} == {"users", "wallets", "orders", "nothing"}
    assert found.fetched_bytes < 1 << 20
    assert "compression" in [p.about for p in found.problems if p.level is Level.WARNING]
    assert not [p for p in found.problems if p.level is Level.STOP]
    (listed,) = (b for page in listing(opened) for b in page)
    assert listed.database == "shop"


def test_an_undated_one_is_listed_by_what_is_inside(packed: Packed) -> None:
    packed.put("local", "latest", packed.bytes_of("dump", ".zst"))
    packed.put("local", "photos", packed.packed(os.urandom(9000), "gz"))
    (listed,) = (b for page in listing(open_store(packed.world.fleet.stores[0])) for b in page)
    assert (listed.key, listed.database) == ("latest", packed.world.live.name)


@pytest.mark.parametrize("ending", [".gz", ".zst", ".gpg", ".zst.age"])
def test_the_plan_says_what_it_costs_and_its_commands_work(
    packed: Packed, ending: str, tmp_path: Path
) -> None:
    ref = packed.put("local", f"{NAME}.dump{ending}", packed.bytes_of("dump", ending))
    for program in {"age", "zstd"} & set(ending.replace("zst", "zstd").split(".")):
        needs(program)
    made, encrypts = plan(packed, ref), ending.endswith((".age", ".gpg"))
    staged = next(f.what for f in made.findings if f.about == "staging disk")
    assert ("at least" in staged) is (ending != ".gpg") and ("in clear" in staged) is encrypts
    assert made.staging_bytes == made.archive_bytes
    (opening,) = (c for c in made.commands if "> archive.dump" in c)
    done = subprocess.run(["bash", "-c", opening], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "archive.dump").read_bytes() == packed.bytes_of("dump")
    assert (tmp_path / "archive.dump").stat().st_mode & 0o077 == 0


def test_a_whole_run_by_hand_with_its_manifest(packed: Packed) -> None:
    """A backup that pgdr took and encrypted: listed, shown by its manifest, planned, verified, restored."""
    policy = replace(packed.world.database.backup, encrypt_to=(packed.age.recipient,))
    fleet = packed.world.fleet
    changed = replace(fleet, databases=(replace(packed.world.database, backup=policy),))
    try:
        write_whole(packed.world.config, text_of(changed))
        refs = packed.world.back_up().refs
        for ref in refs:
            planned = packed.world.answer("restore", ref, "--plan")
            assert any("age -d" in command for command in planned["plan"]["commands"])
            assert any("sha256sum" in command for command in planned["plan"]["commands"])
            verified = packed.world.answer("verify", ref)
            assert verified["verdict"] == "clean"
        stored = packed.bucket / refs[1].partition(":")[2]
        data = stored.read_bytes()
        stored.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(PgdrError):
            packed.restore(refs[1])
        packed.nothing_left()
    finally:
        write_whole(packed.world.config, text_of(fleet))
    jobs = packed.world.state / "jobs"
    assert not [p for p in jobs.rglob("*") if p.is_file() and p.read_bytes()[:5] == MAGIC]


def needs(program: str) -> None:
    """Skips where a program isn't installed, but fails in CI."""
    if shutil.which(program) is None:
        said = f"{program} is not installed (Debian: apt-get install {program})."
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
