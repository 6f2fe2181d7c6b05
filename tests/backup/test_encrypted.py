"""Encrypted backups: what lies in the stores, what opens it, and what `check` says of the keys."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backup.keys import AgeKey, GpgKey, age_key
from tests.recovery.world import World
from tui.config.write import text_of
from tui.files import write_whole
from tui.model.errors import ConfigError
from tui.model.fleet import Encryption
from tui.model.secret import Secret
from tui.operations.backup.backup import Making
from tui.operations.catalogue.catalogue import read_manifest
from tui.operations.layers.encryption import decrypted
from tui.postgres.archive.archive import MAGIC
from tui.stores.open import open_store


def encrypting(world: World, recipient: str, encryption: Encryption) -> World:
    """The same world, whose configuration encrypts for that recipient."""
    fleet = world.fleet
    policy = replace(world.database.backup, encrypt_to=(recipient,))
    changed = replace(fleet, databases=(replace(world.database, backup=policy),), encryption=encryption)
    write_whole(world.config, text_of(changed))
    return world


@pytest.fixture
def age(tmp_path: Path) -> AgeKey:
    (tmp_path / "keys").mkdir()
    return age_key(tmp_path / "keys")


def test_what_lies_there_opens_with_the_key_alone(two_stores: World, age: AgeKey) -> None:
    world = encrypting(two_stores, age.recipient, age.fleet.encryption)
    made = world.back_up()
    manifest = made.manifest
    assert manifest.key.endswith(".dump.age") and manifest.encryption == "age"
    assert manifest.recipients == (age.recipient,) and not manifest.blocks and manifest.rows == 2900
    for store in (open_store(s) for s in world.fleet.stores):
        stored = store.read(manifest.key, 0, manifest.size_bytes + 1)
        assert hashlib.sha256(stored).hexdigest() == manifest.sha256 and len(stored) == manifest.size_bytes
        archive = b"".join(decrypted((stored,), "age", world.fleet))
        assert archive.startswith(MAGIC) and MAGIC not in stored
        assert read_manifest(store, manifest.key) == manifest
    plain = world.config.parent / "plain.dump"
    plain.write_bytes(archive)
    program = world.live.server.bin_directory / "pg_restore"
    done = subprocess.run([program, "-f", "/dev/null", plain], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_show_tells_what_it_holds_and_what_it_costs(world: World, age: AgeKey) -> None:
    encrypting(world, age.recipient, Encryption())  # no key at hand
    ref = world.back_up().refs[0]
    answer = world.answer("show", ref)
    assert (answer["encryption"], answer["format"], answer["database"]) == ("age", "custom", world.live.name)
    assert answer["tables"][0] == {
        "schema": "public", "name": "wallets", "compressed_bytes": None, "rows": 2000,
    }  # fmt: skip
    assert any("a restore fetches all of it" in p["what"] for p in answer["problems"])
    done = world.pgdr("show", ref)
    assert "encrypted with age" in done.stdout and "wallets" in done.stdout
    (row,) = world.answer("backups")["backups"]
    assert row["encrypted"] is True


def test_gpg_too(world: World, gpg_one: GpgKey) -> None:
    encrypting(world, gpg_one.recipient, gpg_one.fleet.encryption)
    manifest = world.back_up().manifest
    assert manifest.key.endswith(".dump.gpg") and manifest.encryption == "gpg"
    stored = open_store(world.fleet.stores[0]).read(manifest.key, 0, manifest.size_bytes)
    assert b"".join(decrypted((stored,), "gpg", world.fleet)).startswith(MAGIC)


def test_a_recipient_that_can_t_be_used_is_told_before_anything_is_dumped(world: World) -> None:
    with pytest.raises(ConfigError):
        world.back_up(making=Making(encrypt_to=("gpg:" + "A" * 40,)))
    assert not list((world.config.parent / "backups").iterdir())


def test_role_passwords_are_only_kept_where_asked_for(world: World, age: AgeKey) -> None:
    world.sql("CREATE ROLE holder LOGIN PASSWORD 'correct horse'")
    backups = world.config.parent / "backups"
    done = world.pgdr("backup", "shop", "--with-role-passwords")
    assert done.returncode == 4 and "for all to read" in done.stderr and not list(backups.iterdir())
    world.answer("backup", "shop", "--with-role-passwords", "--confirm", "shop")
    assert "SCRAM-SHA-256" in next(backups.glob("*.globals.sql")).read_text()
    for file in backups.iterdir():
        file.unlink()
    encrypting(world, age.recipient, age.fleet.encryption)
    world.answer("backup", "shop", "--with-role-passwords")
    assert "SCRAM-SHA-256" not in next(backups.glob("*.globals.sql")).read_text()
    secret = next(backups.glob("*.globals.sql.age")).read_bytes()
    assert b"SCRAM-SHA-256" in b"".join(decrypted((secret,), "age", world.fleet))
    assert all(b"SCRAM-SHA-256" not in file.read_bytes() for file in backups.iterdir())
    listed = world.answer("backups")["backups"]
    assert len(listed) == 1 and listed[0]["has_manifest"] and listed[0]["database"] == world.live.name


def test_check_tries_the_key_on_the_newest_backup(world: World, age: AgeKey, tmp_path: Path) -> None:
    encrypting(world, age.recipient, age.fleet.encryption)
    world.back_up()
    assert world.answer("check")["ok"]
    other = age_key(tmp_path, "other.key")
    for encryption, words in (
        (other.fleet.encryption, "doesn't open it"),
        (Encryption(), "no identity is configured"),
        (Encryption(age_identity=Secret(file=tmp_path / "nosuch")), "could not be read"),
    ):
        encrypting(world, age.recipient, encryption)
        (problem,) = world.answer("check", code=1)["problems"]
        assert words in problem["what"] and ".dump.age" in problem["what"] and problem["mend"]
        if "opens" in words or "doesn't" in words:
            assert f"encrypted for {age.recipient}" in problem["what"]


def test_check_tries_gpg_s_key(world: World, gpg_one: GpgKey) -> None:
    encrypting(world, gpg_one.recipient, gpg_one.fleet.encryption)
    world.back_up()
    assert world.answer("check")["ok"]
    encrypting(world, gpg_one.recipient, Encryption(gnupg_home=world.config.parent))
    problems = world.answer("check", code=1)["problems"]
    assert any("no key at hand opens it" in p["what"] for p in problems)
    assert any("could not encrypt" in p["what"] for p in problems)


def test_check_warns_of_a_key_beside_the_backups(world: World) -> None:
    key = age_key(world.config.parent / "backups")
    encrypting(world, key.recipient, key.fleet.encryption)
    (problem,) = world.answer("check", code=1)["problems"]
    assert "The key lies in the store local" in problem["what"]
