"""Directory archives whose files are encrypted, each by itself: taken, listed, shown, restored whole and in
part, opened by hand, refused without a key or when a file is another."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backup.keys import age_key
from tests.faults.life import fingerprint
from tests.formats.conftest import MORE, Packed, dump, plan
from tests.formats.test_packed import needs
from tests.recovery.world import make_world
from tests.servers import FreshDatabase
from tui.config.write import text_of
from tui.files import write_whole
from tui.model.backup import ArchiveFormat, Layer, Verdict
from tui.model.errors import ArchiveError, PgdrError
from tui.model.fleet import Encryption
from tui.model.secret import Secret
from tui.operations.backup.backup import Making
from tui.operations.catalogue.catalogue import describe
from tui.operations.layers.encryption import NoKey
from tui.operations.plan.estimate import opening, part_of, restore_estimate
from tui.postgres.archive.items import items
from tui.stores.open import open_store

KINDS = ("age", "gpg")


def recipient(packed: Packed, kind: str) -> str:
    home = packed.world.fleet.encryption.gnupg_home or Path()
    return packed.age.recipient if kind == "age" else (home / "recipient").read_text()


def taken(packed: Packed, kind: str) -> tuple[str, ...]:
    """A backup that pgdr took, into both stores; its refs."""
    making = Making(format=ArchiveFormat.DIRECTORY, encrypt_to=(recipient(packed, kind),))
    return packed.world.back_up(making=making).refs


@pytest.fixture(params=KINDS)
def sealed(packed: Packed, request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """The kind and the refs of one."""
    near, far = taken(packed, request.param)
    return request.param, near, far


@pytest.fixture
def without_keys(packed: Packed, tmp_path: Path) -> Iterator[None]:
    """A configuration whose keys open nothing."""
    config, fleet = packed.world.config, packed.world.fleet
    other = replace(age_key(tmp_path).fleet.encryption, gnupg_home=tmp_path)
    write_whole(config, text_of(replace(fleet, encryption=other)))
    yield
    write_whole(config, text_of(fleet))


def test_it_is_taken_listed_shown_and_verified(packed: Packed, sealed: tuple[str, str, str]) -> None:
    kind, near, far = sealed
    key = near.partition(":")[2]
    assert key.endswith(f".dir.{kind}")
    for store in ("local", "offsite"):
        files = list((packed.place(store) / key).iterdir())
        assert len(files) > 3 and all(file.suffix == f".{kind}" for file in files)
        assert all(b"PGDMP" not in file.read_bytes() for file in files)
    assert not list(packed.world.state.rglob("toc.dat*"))
    for ref in (near, far):
        (row,) = packed.world.answer("backups", "--store", ref.partition(":")[0])["backups"]
        assert (row["ref"], row["format"], row["encrypted"]) == (ref, "directory", True)
        assert row["database"] == packed.world.live.name and row["has_manifest"]
        for said in (ref, f"{ref}/", f"{ref}/toc.dat.{kind}"):
            shown = packed.world.answer("show", said)
            assert (shown["ref"], shown["encryption"]) == (ref, kind) and shown["tables"][0]["rows"]
        assert any("each by itself" in problem["what"] for problem in shown["problems"])
        assert packed.world.answer("verify", ref)["verdict"] == "clean"
    assert packed.world.answer("check")["ok"]


def test_it_is_restored_as_it_was(packed: Packed, sealed: tuple[str, str, str]) -> None:
    _, near, far = sealed
    whole = sum(file.stat().st_size for file in (packed.bucket / far.partition(":")[2]).iterdir())
    for ref, fetched in ((near, 0), (far, whole)):
        target = ref.partition(":")[0]
        done = packed.restore(ref, target)
        assert done.verdict is Verdict.CLEAN, done.errors
        assert done.fetched_bytes == fetched
        packed.equal(target)
        assert not packed.staging.exists()


def test_of_single_tables_only_their_files_are_fetched(packed: Packed, sealed: tuple[str, str, str]) -> None:
    _, near, far = sealed
    there = packed.bucket / far.partition(":")[2]
    described = describe(open_store(packed.world.fleet.stores[1]), far.partition(":")[2], packed.world.fleet,
                         to_restore=True)  # fmt: skip
    assert described.contents is not None and described.contents.sizes is not None
    (users,) = (e for e in described.contents.entries if e.desc == "TABLE DATA" and e.name == "users")
    wanted = {f"{stem}{end}" for stem in (users.file, "toc.dat") for end in ("", ".gz")}
    mine = [file for file in there.iterdir() if file.name.rpartition(".")[0] in wanted]
    assert len(mine) == 2
    # The list of large objects is read to tell what there is
    for file in (f for f in set(there.iterdir()) - set(mine) if not f.name.startswith("blobs")):
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))  # would be seen, were it read
    done = packed.restore(far, tables=("public.users",))
    assert done.verdict is Verdict.CLEAN and done.fetched_bytes == sum(f.stat().st_size for f in mine)
    assert packed.world.count("users", f"{packed.world.live.name}_restored") == 400
    with pytest.raises(ArchiveError):
        packed.restore(far, "again")
    assert packed.restore(near, "near", tables=("public.users",)).verdict is Verdict.CLEAN


@pytest.mark.parametrize("harm", ["cut", "flipped", "clear", "missing", "contents"])
def test_a_file_that_is_another_leaves_nothing(packed: Packed, harm: str) -> None:
    for ref in taken(packed, "age"):
        store, _, key = ref.partition(":")
        name = "toc.dat.age" if harm == "contents" else "[0-9]*.age"
        file = max((packed.place(store) / key).glob(name), key=lambda f: f.stat().st_size)
        data = file.read_bytes()
        middle = len(data) // 2
        if harm == "cut":
            file.write_bytes(data[:-9])
        elif harm == "clear":
            file.write_bytes(b"1\tone\n" * (len(data) // 6) + b"x" * (len(data) % 6))
        elif harm == "missing":
            file.unlink()
        else:
            file.write_bytes(data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :])
        with pytest.raises(PgdrError) as raised:
            packed.restore(ref)
        assert raised.value.mend or harm == "contents", raised.value
        packed.nothing_left()


def test_without_the_right_key_it_is_said_before_anything_is_made(
    packed: Packed, sealed: tuple[str, str, str], without_keys: None
) -> None:
    kind, near, far = sealed
    for ref in (near, far):
        with pytest.raises(NoKey):
            plan(packed, ref)
        with pytest.raises(NoKey):
            packed.restore(ref)
        shown = packed.world.answer("show", ref)
        assert shown["encryption"] == kind and len(shown["tables"]) == 4
    problems = packed.world.answer("check", code=1)["problems"]
    assert any(f".dir.{kind}" in p["what"] for p in problems)
    packed.nothing_left()


def test_one_that_was_encrypted_by_hand_is_found(packed: Packed) -> None:
    there = packed.place("offsite") / "by" / "hand"
    there.mkdir(parents=True)
    for file in (packed.dumped / "plaindir").iterdir():
        (there / f"{file.name}.age").write_bytes(packed.packed(file.read_bytes(), "age"))
    (row,) = packed.world.answer("backups", "--store", "offsite")["backups"]
    assert (row["ref"], row["encrypted"], row["has_manifest"]) == ("offsite:by/hand", True, False)
    shown = packed.world.answer("show", "offsite:by/hand")
    assert shown["database"] == packed.world.live.name and all(t["compressed_bytes"] for t in shown["tables"])
    found = describe(open_store(packed.world.fleet.stores[1]), "by/hand", packed.world.fleet)
    assert found.contents is not None and found.contents.layers == (Layer.AGE,)
    assert packed.restore("offsite:by/hand").verdict is Verdict.CLEAN
    packed.equal()


@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_says_what_it_costs_and_its_commands_work(packed: Packed, kind: str, tmp_path: Path) -> None:
    if kind == "age":
        needs("age")
    near, far = taken(packed, kind)
    for ref in (near, far):
        made = plan(packed, ref)
        staged = next(f.what for f in made.findings if f.about == "staging disk")
        assert "in clear" in staged and made.staging_bytes
        work = tmp_path / ref.partition(":")[0]
        work.mkdir()
        typed = [c for c in made.commands if not c.startswith(("aws s3 cp", "mkdir -p archive.dump."))]
        if ref == far:
            (work / f"archive.dump.{kind}").symlink_to(packed.bucket / far.partition(":")[2])
            assert len(typed) == len(made.commands) - 2
        packed.world.live.server.sql(f'DROP DATABASE IF EXISTS "{packed.world.live.name}_planned"')
        script = "\n".join(typed)
        done = subprocess.run(
            ["bash", "-e"], input=script, cwd=work, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{script}\n{done.stderr}"
        packed.equal("planned")
    part = plan_of_users(packed, far)
    assert 0 < part < plan(packed, far).staging_bytes


def plan_of_users(packed: Packed, ref: str) -> int:
    """The bytes that a plan of one table alone stages."""
    answer = packed.world.answer("restore", ref, "--table", "users", "--plan")
    return int(answer["plan"]["staging_bytes"])


def test_one_half_in_clear_comes_back_whole_by_hand_too(packed: Packed, tmp_path: Path) -> None:
    """As when someone has opened some of its files in place."""
    needs("age")
    there = packed.place("local") / "mixed.dir"
    there.mkdir()
    for number, file in enumerate(sorted((packed.dumped / "dir").iterdir())):
        data = file.read_bytes()
        if number % 2 or file.name == "toc.dat":
            (there / f"{file.name}.age").write_bytes(packed.packed(data, "age"))
        else:
            (there / file.name).write_bytes(data)
    assert packed.restore("local:mixed.dir").verdict is Verdict.CLEAN
    packed.equal()
    script = "\n".join(plan(packed, "local:mixed.dir").commands)
    done = subprocess.run(
        ["bash", "-e"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    packed.equal("planned")


@pytest.mark.parametrize("store", ["local", "offsite"])
def test_one_with_both_tables_of_contents_is_one_backup(packed: Packed, store: str) -> None:
    there = packed.place(store) / "shop-20261121-010210.dir"
    there.mkdir(parents=True)
    for file in (packed.dumped / "dir").iterdir():
        data = file.read_bytes()
        (there / file.name).write_bytes(data)
        (there / f"{file.name}.age").write_bytes(packed.packed(data, "age"))
    (row,) = packed.world.answer("backups", "--store", store)["backups"]
    assert row["size_bytes"] == sum(file.stat().st_size for file in there.iterdir())
    assert packed.restore(row["ref"]).verdict is Verdict.CLEAN


def test_a_large_object_that_is_missing_is_seen_under_gpg_s_own_compression(packed: Packed) -> None:
    for n in range(60):
        packed.world.sql(f"SELECT lo_from_bytea({700_000 + n}, 'x')")
    try:
        dumped = packed.bucket.parent / "many.d"
        dump(packed.world.live.server, packed.world.live.name, dumped, ["-Fd", "-Z0"])
        there = packed.place("local") / "many.dir"
        there.mkdir()
        home, to = packed.world.fleet.encryption.gnupg_home, recipient(packed, "gpg").removeprefix("gpg:")
        for file in dumped.iterdir():
            argv = ["gpg", "--homedir", str(home), "--batch", "--trust-model", "always", "-r", to]
            argv += ["-o", str(there / f"{file.name}.gpg"), "-e", str(file)]
            subprocess.run(argv, check=True, capture_output=True, timeout=60)
        lists = sorted(there.glob("blobs*.toc.gpg"), key=lambda f: f.stat().st_size)
        clear = dumped / lists[-1].name.removesuffix(".gpg")
        assert lists[-1].stat().st_size < clear.stat().st_size
        gone = clear.read_text().split()[-1]
        (there / f"{gone}.gpg").unlink()
        with pytest.raises(ArchiveError, match=gone):
            packed.restore("local:many.dir")
        packed.nothing_left()
    finally:
        packed.world.sql("SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata WHERE oid >= 700000")


def test_many_files_of_gpg_are_told_to_take_long(packed: Packed) -> None:
    _, ref = taken(packed, "gpg")
    key = ref.partition(":")[2]
    described = describe(open_store(packed.world.fleet.stores[1]), key, packed.world.fleet, to_restore=True)
    assert described.contents is not None
    todo = items(described.contents, described.backup.size_bytes, described.manifest)
    many = replace(described.contents, files=3007)  # large objects are files of their own
    locked = Encryption(gpg_passphrase=Secret(env="X"))
    for encryption, long in ((Encryption(), 100.0), (locked, 1000.0)):
        part = part_of(many, 10**6, todo, encryption, selected=False, streams=False)
        estimate, found = restore_estimate(part, True, ()), opening(part)
        assert part.opened_files == 3007 and estimate.high.total_seconds() > long
        assert found is not None and "opens each of its 3,007 files" in found.what and found.mend
    few = part_of(described.contents, 10**6, todo, locked, selected=False, streams=False)
    assert opening(few) is None and few.opened_files == described.contents.files > 5


def test_copied_and_pruned_as_one(packed: Packed) -> None:
    near, far = taken(packed, "age")
    key = far.partition(":")[2]
    for item in packed.bucket.rglob("*"):
        if item.is_file():
            item.unlink()
    assert packed.world.answer("copy", near, "offsite")["copied_to"] == far
    assert packed.restore(far).verdict is Verdict.CLEAN
    answer = packed.world.answer("prune", "--dry-run")
    refs = [decision["ref"] for part in ("kept", "removed", "refused") for decision in answer[part]]
    assert sorted(refs) == sorted((near, far)) and key.endswith(".dir.age")


def test_of_15_too(db15: FreshDatabase, tmp_path: Path) -> None:
    world = make_world(db15, tmp_path, rows=600)
    world.sql(MORE)
    key = age_key(tmp_path)
    write_whole(world.config, text_of(replace(world.fleet, encryption=key.fleet.encryption)))
    packed = Packed(world, tmp_path, key, fingerprint(world, db15.name), tmp_path)
    (ref,) = taken(packed, "age")
    assert packed.restore(ref).verdict is Verdict.CLEAN
    packed.equal()
    assert packed.restore(ref, "part", tables=("public.users",)).verdict is Verdict.CLEAN
