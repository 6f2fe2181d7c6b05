"""`init`: what it writes can be used at once, nothing is overwritten, no secret gets in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.recovery.world import World
from tests.servers import Bucket, FreshDatabase
from tui.config.load import load
from tui.config.starter import store_at
from tui.model.errors import UsageError
from tui.model.fleet import AzureStore, GcsStore, LocalStore, S3Store


def pgdr(at: Path, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs it in a directory where nothing is configured, nor anywhere else."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(at),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "tui", *argv],
        cwd=at,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def answer(at: Path, *argv: str, **variables: str) -> Any:
    done = pgdr(at, *argv, "--json", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("where", "store"),
    [
        ("s3://b/k/more", S3Store("offsite", "b", "k/more/")),
        ("s3://b", S3Store("offsite", "b")),
        ("gs://b/k/", GcsStore("offsite", "b", "k/")),
        ("azure://account/c/k", AzureStore("offsite", "c", "account", "k/")),
        ("/some/where", LocalStore("local", Path("/some/where"))),
    ],
)
def test_a_store_from_its_address(where: str, store: object) -> None:
    assert store_at(where) == store


@pytest.mark.parametrize(
    "where",
    [
        "s3://",
        "ftp://b/k",
        "azure://account",
        "s3://key:hidden@b/k",
        "azure://a/c/k?sig=hidden",
        "s3://b/../k",
        "gs://b ad",
        "s3://b/\x1b[2J",
    ],
)
def test_addresses_that_are_none_are_not_repeated(where: str) -> None:
    with pytest.raises(UsageError) as raised:
        store_at(where)
    assert "hidden" not in str(raised.value)


def test_from_a_bucket_to_a_restored_database_with_nothing_but_credentials(
    two_stores: World, bucket: Bucket, tmp_path: Path
) -> None:
    two_stores.answer("backup", "shop", "--store", "offsite")
    at = tmp_path / "laptop"
    at.mkdir()
    spec = bucket.store
    assert spec.access_key and spec.access_key.file and spec.secret_key and spec.secret_key.file
    keys = {
        "AWS_ACCESS_KEY_ID": spec.access_key.file.read_text().strip(),
        "AWS_SECRET_ACCESS_KEY": spec.secret_key.file.read_text().strip(),
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    prefix = spec.prefix
    written = answer(
        at, "init", f"s3://{spec.bucket}/{prefix}", "--endpoint-url", spec.endpoint_url or "", **keys
    )
    assert (written["backups"], written["backups_of"]) == (1, [two_stores.live.name])
    assert (written["path"], written["next"]) == (str(at / "pgdr.toml"), "pgdr backups")
    assert (at / "pgdr.toml").stat().st_mode & 0o777 == 0o600
    text = (at / "pgdr.toml").read_text()
    assert not any(secret in text for secret in (keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]))

    (row,) = answer(at, "backups", **keys)["backups"]
    assert len(answer(at, "show", row["ref"], **keys)["tables"]) == 3
    nowhere = pgdr(at, "restore", row["ref"], "--plan", PGHOST="127.0.0.1", PGPORT="9", **keys)
    assert nowhere.returncode == 5
    assert f"[databases.{two_stores.live.name}]" in nowhere.stderr and "PGHOST" in nowhere.stderr

    endpoint = two_stores.live.endpoint
    server = {
        "PGHOST": endpoint.host or "",
        "PGPORT": str(endpoint.port),
        "PGUSER": endpoint.user or "",
        "PGPASSFILE": str(endpoint.passfile),
    }
    done = answer(at, "restore", row["ref"], **keys, **server)
    assert done["verdict"] == "clean"
    assert two_stores.count("orders", done["target"]) == 500


def test_from_a_server_its_databases(db18: FreshDatabase, tmp_path: Path) -> None:
    endpoint = db18.endpoint
    argv = ["--host", endpoint.host or "", "--port", str(endpoint.port), "--user", endpoint.user or ""]
    store = tmp_path / "backups"
    store.mkdir()
    written = answer(tmp_path, "init", str(store), *argv, PGPASSFILE=str(endpoint.passfile))
    assert db18.name in written["databases"]
    fleet = load(tmp_path / "pgdr.toml")
    made = fleet.database(db18.name)
    assert made is not None
    assert (made.endpoint.port, made.endpoint.user, made.backup.stores) == (
        endpoint.port,
        endpoint.user,
        ("local",),
    )
    assert "postgres" not in written["databases"]
    (checked,) = [answer(tmp_path, "check", PGPASSFILE=str(endpoint.passfile))]
    assert checked["ok"]


def test_a_file_that_is_there_stays_unless_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "pgdr.toml").write_text("# mine\n")
    refused = pgdr(tmp_path, "init", str(tmp_path))
    assert refused.returncode == 4
    assert (tmp_path / "pgdr.toml").read_text() == "# mine\n"
    printed = pgdr(tmp_path, "init", str(tmp_path), "--output", "-")
    assert printed.returncode == 0 and 'kind = "local"' in printed.stdout
    assert (tmp_path / "pgdr.toml").read_text() == "# mine\n"
    assert pgdr(tmp_path, "--read-only", "init", str(tmp_path), "--force").returncode == 4
    assert pgdr(tmp_path, "init", str(tmp_path), "--force").returncode == 0
    assert load(tmp_path / "pgdr.toml").stores == (LocalStore("local", tmp_path),)
    (tmp_path / "link.toml").symlink_to(tmp_path / "nothing")
    assert pgdr(tmp_path, "init", str(tmp_path), "--output", "link.toml").returncode == 4


def test_what_cannot_be_reached_is_said_and_a_server_that_is_down_writes_nothing(tmp_path: Path) -> None:
    written = pgdr(tmp_path, "init", str(tmp_path / "missing"), "--output", "a.toml")
    assert written.returncode == 5 and "not there" in written.stderr
    assert load(tmp_path / "a.toml").stores
    down = pgdr(tmp_path, "init", "--host", "127.0.0.1", "--port", "9", "--output", "b.toml")
    assert down.returncode == 5
    assert not (tmp_path / "b.toml").exists()
    assert pgdr(tmp_path, "init").returncode == 2
