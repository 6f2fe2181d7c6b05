"""A backup streams into every store in one pass, and what it leaves can be looked into and restored."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.recovery.world import World, make_world
from tests.servers import FreshDatabase
from tui.config.load import load
from tui.config.write import text_of
from tui.files import write_whole
from tui.model.backup import ArchiveFormat, Verdict
from tui.model.errors import PgdrError
from tui.model.fleet import LocalStore
from tui.operations.backup.backup import Making
from tui.operations.catalogue.catalogue import describe, read_manifest
from tui.postgres.archive.archive import data_sizes
from tui.process import Command, run
from tui.stores.open import open_store


def restored_by_hand(world: World, archive: Path, jobs: int) -> str:
    """Restores an archive with the stock pg_restore; returns the new database's name."""
    server = world.live.server
    name = f"{world.live.name}_by_hand"
    server.sql(f'DROP DATABASE IF EXISTS "{name}"')
    server.sql(f'CREATE DATABASE "{name}"')
    program = str(server.bin_directory / "pg_restore")
    endpoint = server.endpoint
    argv = (program, "-w", "-h", str(endpoint.host), "-p", str(endpoint.port), "-U", str(endpoint.user))
    env = {"PGPASSFILE": str(endpoint.passfile)}
    done = run(Command((*argv, "-d", name, "-j", str(jobs), str(archive)), env), timeout_s=60)
    assert done.code == 0, done.stderr
    return name


def test_one_pass_into_two_stores(two_stores: World) -> None:
    world = two_stores
    made = world.back_up()
    assert [ref.partition(":")[0] for ref in made.refs] == ["local", "offsite"] and not made.failed
    local, offsite = (open_store(s) for s in world.fleet.stores)
    key, manifest = made.manifest.key, made.manifest
    path = local.path(key)
    assert path is not None
    data = path.read_bytes()
    assert offsite.read(key, 0, len(data) + 1) == data
    assert hashlib.sha256(data).hexdigest() == manifest.sha256 and len(data) == manifest.size_bytes
    for store in (local, offsite):
        assert read_manifest(store, key) == manifest
        assert store.read(key + ".globals.sql", 0, 9).startswith(b"--")
    assert not list(world.state.rglob("archive*"))  # nothing was staged


def test_the_blocks_lie_where_the_manifest_says(world: World) -> None:
    key = world.back_up().manifest.key
    store = open_store(world.fleet.stores[0])
    found = describe(store, key)
    assert found.contents is not None and found.manifest is not None
    entries = {e.dump_id: e for e in found.contents.entries if e.has_data}
    assert {b.dump_id for b in found.manifest.blocks} == set(entries)
    assert all(e.offset is None for e in entries.values())  # what was piped has none of its own
    for block in found.manifest.blocks:
        head = store.read(key, block.offset, 6)
        assert head[0] == 1 and int.from_bytes(head[2:6], "little") == block.dump_id
    head = store.read(key, 0, found.contents.toc_bytes)
    assert hashlib.sha256(head).hexdigest() == found.manifest.toc_sha256
    sizes = data_sizes(found.contents, found.backup.size_bytes, found.manifest.blocks)
    assert sum(sizes.values()) + found.contents.toc_bytes == found.backup.size_bytes
    tables = {t.name: t for t in found.tables}
    assert tables["wallets"].rows == 2000 and tables["wallets"].compressed_bytes
    assert found.tables[0].name == "wallets"  # the biggest first


@pytest.mark.parametrize("jobs", [1, 2])
def test_pg_restore_restores_what_was_streamed(world: World, jobs: int) -> None:
    path = open_store(world.fleet.stores[0]).path(world.back_up().manifest.key)
    assert path is not None
    name = restored_by_hand(world, path, jobs)
    for table in ("users", "wallets", "orders"):
        assert world.count(table, name) == world.count(table)


def test_postgresql_15_too(db15: FreshDatabase, tmp_path: Path) -> None:
    world = make_world(db15, tmp_path)
    found = world.back_up()
    assert found.manifest.dump_version.startswith("15.") and found.manifest.blocks
    path = open_store(world.fleet.stores[0]).path(found.manifest.key)
    assert path is not None
    assert world.count("wallets", restored_by_hand(world, path, 2)) == 2000


def test_pgdr_restores_what_was_streamed(two_stores: World) -> None:
    world = two_stores
    for ref in world.back_up().refs:
        target = f"{world.live.name}_{ref.partition(':')[0]}"
        answer = world.answer("restore", ref, "--to", target, "--confirm", target, "--jobs", "2")
        assert answer["verdict"] == Verdict.CLEAN.value
        assert world.count("wallets", target) == 2000


def test_a_store_that_fails_keeps_the_others_theirs(two_stores: World) -> None:
    world = two_stores
    gone = world.config.parent / "not mounted"
    fleet = world.fleet
    stores = (LocalStore("gone", gone), *fleet.stores)
    text = text_of(fleet).replace('stores = ["local", "offsite"]', 'stores = ["gone", "local", "offsite"]')
    write_whole(
        world.config,
        text.replace("[stores.local]", f'[stores.gone]\nkind = "local"\npath = "{gone}"\n\n[stores.local]'),
    )
    assert load(world.config).stores == stores
    answer = world.answer("backup", "shop", code=1)[0]
    assert [ref.partition(":")[0] for ref in answer["refs"]] == ["local", "offsite"]
    assert answer["ref"] == answer["refs"][0] and answer["rows"] == 2900
    assert "gone" in answer["error"] and [f["store"] for f in answer["failed"]] == ["gone"]
    listed = world.answer("backups", code=5)["backups"]
    assert {b["ref"] for b in listed} == set(answer["refs"]) and all(b["has_manifest"] for b in listed)


def test_no_store_left_is_a_failure(world: World) -> None:
    world.config.parent.joinpath("backups").rmdir()
    answer = world.answer("backup", "shop", code=5)[0]
    assert answer["ref"] is None and "not there" in answer["error"]


def test_the_directory_format_goes_file_by_file(two_stores: World) -> None:
    world = two_stores
    made = world.back_up(making=Making(format=ArchiveFormat.DIRECTORY))
    manifest = made.manifest
    assert manifest.key.endswith(".dir") and not manifest.blocks
    names = {f.name for f in manifest.files}
    assert "toc.dat" in names and len(names) > 3
    for store in (open_store(s) for s in world.fleet.stores):
        for file in manifest.files:
            data = store.read(f"{manifest.key}/{file.name}", 0, file.size_bytes + 1)
            assert len(data) == file.size_bytes and hashlib.sha256(data).hexdigest() == file.sha256
        assert read_manifest(store, manifest.key) == manifest
    lines = "".join(f"{f.sha256}  {f.name}\n" for f in manifest.files)
    assert hashlib.sha256(lines.encode()).hexdigest() == manifest.sha256
    directory = world.config.parent / "backups" / manifest.key
    assert world.count("wallets", restored_by_hand(world, directory, 2)) == 2000
    assert not list(world.state.rglob("toc.dat"))


def test_plain_sql_with_inserts_seeds_a_database(world: World) -> None:
    made = world.back_up(making=Making(format=ArchiveFormat.PLAIN, inserts=True), selection="data")
    assert made.manifest.key.endswith(".sql") and made.manifest.selection == "data"
    path = open_store(world.fleet.stores[0]).path(made.manifest.key)
    assert path is not None and "INSERT INTO public.users VALUES" in path.read_text()
    other = f"{world.live.name}_seeded"
    world.live.server.sql(f'CREATE DATABASE "{other}" TEMPLATE "{world.live.name}"')
    world.live.server.sql("TRUNCATE users, wallets, orders", other)
    world.live.server.sql(path.read_text(), other)
    assert world.count("wallets", other) == 2000


def test_compression_is_what_the_program_offers(world: World, db15: FreshDatabase, tmp_path: Path) -> None:
    plain = world.back_up(making=Making(compression="none")).manifest
    best = world.back_up(making=Making(compression="gzip:9")).manifest
    assert best.size_bytes < plain.size_bytes and best.compression == "gzip:9"
    with pytest.raises(PgdrError, match=r"can't compress with zstd; it offers none, gzip\."):
        world.back_up(making=Making(compression="zstd:3"))
    (tmp_path / "old").mkdir()
    old = make_world(db15, tmp_path / "old")
    packed = old.back_up(making=Making(compression="gzip:9")).manifest
    assert packed.size_bytes < old.back_up(making=Making(compression="none")).manifest.size_bytes
    with pytest.raises(PgdrError, match=r"pg_dump 15\S+ can't compress with lz4; it offers none, gzip\."):
        old.back_up(making=Making(compression="lz4"))


def test_the_manifest_knows_collations(db15: FreshDatabase, tmp_path: Path) -> None:
    world = make_world(db15, tmp_path)
    world.sql(
        "CREATE COLLATION german (provider = icu, locale = 'de'); CREATE TABLE names (n text COLLATE german)"
    )
    versions = world.back_up().manifest.collation_versions
    assert versions is not None and versions["public.german"] == world.sql(
        "SELECT collversion FROM pg_collation WHERE collname = 'german'"
    )
    own = world.sql(
        "SELECT coalesce(datcollversion, '-') FROM pg_database WHERE datname = current_database()"
    )
    assert versions.get("", "-") == own
    key = next((world.config.parent / "backups").glob("*.manifest.json"))
    assert json.loads(key.read_text())["collation_versions"] == versions
