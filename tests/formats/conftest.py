"""One small database, dumped in every format and packed in every way, in a directory and in a bucket."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lz4.frame
import pyrage
import pytest
import zstandard

from tests.backup.conftest import gpg_one
from tests.backup.keys import AgeKey, GpgKey, age_key
from tests.faults.life import Fingerprint, fingerprint
from tests.recovery.world import World, make_world, utc_now
from tests.servers import fresh_database
from tui.config.write import text_of
from tui.demo.objects import ObjectServer
from tui.demo.server import Server
from tui.files import write_whole
from tui.model.fleet import Encryption
from tui.model.plan import RestorePlan
from tui.operations.layers.encryption import encrypted
from tui.operations.plan.plan import plan_restore
from tui.operations.report import never
from tui.operations.restore.restore import Restored, restore

__all__ = ["gpg_one"]

MORE = """
CREATE TABLE nothing (id int);
SELECT lo_from_bytea(0, decode(repeat('00ff', 500), 'hex'));
SELECT lo_from_bytea(0, '');
"""


@dataclass(frozen=True)
class Packed:
    """The world, what was dumped of it, and where it can be put."""

    world: World
    bucket: Path
    age: AgeKey
    truth: Fingerprint
    dumped: Path

    @property
    def staging(self) -> Path:
        """Where a restore of these tests stages."""
        return self.world.state / "jobs" / "one" / "staging"

    def place(self, store: str) -> Path:
        """The directory that is the store."""
        return self.world.config.parent / "backups" if store == "local" else self.bucket

    def put(self, store: str, key: str, data: bytes | Path) -> str:
        """Puts a file, or a directory's files, into a store; returns the ref."""
        path = self.place(store) / key
        if isinstance(data, Path):
            shutil.copytree(data, path)
        else:
            path.write_bytes(data)
        return f"{store}:{key}"

    def bytes_of(self, kind: str, ending: str = "") -> bytes:
        """A dump, `kind` being dump or tar, packed as `ending` says: `.gz.age`."""
        data = (self.dumped / kind).read_bytes()
        for end in ending.split(".")[1:]:
            data = self.packed(data, end)
        return data

    def packed(self, data: bytes, end: str) -> bytes:
        """The bytes, packed as one ending says."""
        if end == "gz":
            return gzip.compress(data)
        if end == "lz4":
            return bytes(lz4.frame.compress(data, content_checksum=True))
        if end == "zst":
            return zstandard.ZstdCompressor(write_checksum=True).compress(data)
        if end == "age":
            return bytes(pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(self.age.recipient)]))
        encryption = self.world.fleet.encryption
        recipient = (encryption.gnupg_home or Path()) / "recipient"
        return b"".join(encrypted((data,), (recipient.read_text(),), encryption.gnupg_home))

    def restore(self, ref: str, target: str = "restored", **how: Any) -> Restored:
        """Restores it for real."""
        return restore(
            self.world.fleet, self.world.state, self.world.database, ref, f"{self.world.live.name}_{target}",
            workers=2, staging=self.staging, application="pgdr test", operator="ann@db1",
            **{"report": lambda event: None, "stop": never, "keep": never, "now": utc_now, **how},
        )  # fmt: skip

    def equal(self, target: str = "restored") -> None:
        """The restored database is what was dumped."""
        assert fingerprint(self.world, f"{self.world.live.name}_{target}") == self.truth

    def nothing_left(self) -> None:
        """No database was made, and nothing lies in staging."""
        assert self.world.databases() == {self.world.live.name}
        assert not self.staging.exists()


@pytest.fixture(scope="module")
def module_packed(
    pg18: Server, s3: ObjectServer, gpg_one: GpgKey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Packed]:
    directory = tmp_path_factory.mktemp("formats")
    with fresh_database(pg18) as live:
        world = make_world(live, directory, offsite=s3.store("offsite", "formats"), rows=600)
        world.sql(MORE)
        key = age_key(directory)
        (gpg_one.home / "recipient").write_text(gpg_one.recipient)
        encryption = Encryption(age_identity=key.fleet.encryption.age_identity, gnupg_home=gpg_one.home)
        write_whole(world.config, text_of(replace(world.fleet, encryption=encryption)))
        dumped = directory / "dumped"
        dumped.mkdir()
        for name, how in (
            ("dump", ["-Fc"]), ("tar", ["-Ft"]), ("dir", ["-Fd"]), ("plaindir", ["-Fd", "-Z0"])
        ):  # fmt: skip
            dump(pg18, live.name, dumped / name, how)
        made = Packed(world, s3.objects / "formats", key, fingerprint(world, live.name), dumped)
        yield made
        shutil.rmtree(made.bucket, ignore_errors=True)


@pytest.fixture
def packed(module_packed: Packed) -> Iterator[Packed]:
    """Empty stores; afterwards no database is left but the live one."""
    module_packed.bucket.mkdir(parents=True, exist_ok=True)
    yield module_packed
    live = module_packed.world.live
    for name in module_packed.world.databases() - {live.name}:
        live.server.sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    for store in ("local", "offsite"):
        for path in module_packed.place(store).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(module_packed.staging, ignore_errors=True)


def dump(server: Server, database: str, path: Path, how: list[str]) -> None:
    """Runs pg_dump of the server's own version."""
    argv = [str(server.bin_directory / "pg_dump"), *how, "-w", "-U", server.user, "-h", "127.0.0.1"]
    argv += ["-p", str(server.port), "-f", str(path), database]
    subprocess.run(argv, env={"PGPASSFILE": str(server.passfile)}, check=True, timeout=60)


def plan(packed: Packed, ref: str) -> RestorePlan:
    """The plan of restoring it."""
    world = packed.world
    target = f"{world.live.name}_planned"
    return plan_restore(world.fleet, world.state, world.database, ref, target=target, now=utc_now())
