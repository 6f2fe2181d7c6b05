"""Configuration files and docker volumes as backups of their own."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import socket
import tarfile
from pathlib import Path

import pytest

from tests.backup.keys import age_key
from tests.recovery.world import World
from tui.model.errors import ConfigError
from tui.model.fleet import Component
from tui.operations.backup.tar import Counted, packed, volume_command
from tui.operations.layers.encryption import decrypted


def with_components(world: World, toml: str) -> World:
    with world.config.open("a") as file:
        file.write(toml)
    return world


FILES = """
[components."configuration files"]
method = "tar"
paths = ["compose.yml", "k8s"]
keep_for = "indefinite"

[components.shown]
method = "by hand"
"""


@pytest.fixture
def filled(two_stores: World) -> World:
    base = two_stores.config.parent
    (base / "compose.yml").write_text("services: {}\n")
    (base / "k8s" / "deep").mkdir(parents=True)
    (base / "k8s" / "deep" / "a\nb\x1b[31m.yml").write_text("hostile\n")
    (base / "k8s" / "deep" / os.fsdecode(b"\xff.yml")).write_text("no UTF-8\n")
    (base / "secret").write_text("outside\n")
    (base / "k8s" / "out").symlink_to("/etc/passwd")
    (base / "k8s" / "all").symlink_to("..")
    (base / "k8s" / "run.sh").write_text("#!/bin/sh\n")
    (base / "k8s" / "run.sh").chmod(0o750)
    return with_components(two_stores, FILES)


def tar_of(data: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(data), mode="r:gz")


def test_files_go_into_every_store_with_a_manifest(filled: World) -> None:
    (row,) = filled.answer("backup", "--component", "configuration files")
    assert (row["kind"], row["component"], row["database"]) == ("component", "configuration files", None)
    assert len(row["refs"]) == 2 and row["error"] is None
    key = row["ref"].partition(":")[2]
    assert key.startswith("components/configuration%20files-") and key.endswith(".tar.gz")
    data = (filled.config.parent / "backups" / key).read_bytes()
    assert hashlib.sha256(data).hexdigest() == row["sha256"] and len(data) == row["size_bytes"]
    manifest = json.loads((filled.config.parent / "backups" / f"{key}.manifest.json").read_text())
    assert (manifest["component"], manifest["files"], manifest["sha256"]) == (
        "configuration files", 4, row["sha256"],
    )  # fmt: skip
    with tar_of(data) as tar:
        names = tar.getnames()
        assert names[:2] == ["compose.yml", "k8s"]
        assert "k8s/deep/a\nb\x1b[31m.yml" in names and os.fsdecode(b"k8s/deep/\xff.yml") in names
        assert tar.getmember("k8s/out").issym() and tar.getmember("k8s/all").issym()  # kept, not followed
        assert not any("secret" in name or name.startswith("/") or ".." in name for name in names)
        assert tar.getmember("k8s/run.sh").mode == 0o750


def test_they_are_listed_as_what_they_are(filled: World) -> None:
    filled.answer("backup", "--component", "configuration files", "--store", "local")
    (row,) = filled.answer("backups")["backups"]
    assert (row["kind"], row["component"], row["database"]) == ("component", "configuration files", None)
    assert row["has_manifest"] and row["created_at"]
    assert filled.answer("backups", "shop")["backups"] == []
    done = filled.pgdr("backups")
    assert "component configuration files" in done.stdout


def test_a_component_is_encrypted_too(world: World, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    key = age_key(tmp_path / "keys")
    (world.config.parent / "compose.yml").write_text("services: {}\n")
    with_components(
        world,
        '\n[components.compose]\nmethod = "tar"\npaths = ["compose.yml"]\n'
        f'encrypt_to = ["{key.recipient}"]\n',
    )
    (row,) = world.answer("backup", "--component", "compose")
    assert row["ref"].endswith(".tar.gz.age")
    data = (world.config.parent / "backups" / row["ref"].partition(":")[2]).read_bytes()
    with tar_of(b"".join(decrypted((data,), "age", key.fleet))) as tar:
        assert tar.getnames() == ["compose.yml"]


@pytest.mark.parametrize(
    ("path", "words"),
    [("nosuch", "is not there"), ("link", "symbolic link that leads out"), ("loop", "is not there")],
)
def test_what_can_t_be_packed_whole_is_no_backup(world: World, path: str, words: str) -> None:
    (world.config.parent / "link").symlink_to("/etc")
    (world.config.parent / "loop").symlink_to("loop")
    with_components(world, f'\n[components.some]\nmethod = "tar"\npaths = ["{path}"]\n')
    (row,) = world.answer("backup", "--component", "some", code=2)
    assert words in row["error"] and not list((world.config.parent / "backups").rglob("*"))


def test_what_has_nothing_to_back_up_says_so(filled: World) -> None:
    (row,) = filled.answer("backup", "--component", "shown", code=2)
    assert "neither paths nor volumes" in row["error"]
    done = filled.pgdr("backup", "--component", "nosuch")
    assert done.returncode == 2 and "configuration files" in done.stderr


def packed_names(component: Component, base: Path, counted: Counted, told: list[str]) -> list[str]:
    with tar_of(b"".join(packed(component, base, counted, told.append))) as tar:
        return tar.getnames()


def test_names_stay_inside(tmp_path: Path) -> None:
    base = tmp_path / "etc"
    base.mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "f").write_text("f")
    (base / "own").write_text("own")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(base / "socket"))
        counted = Counted()
        told: list[str] = []
        names = packed_names(Component("c", "tar", paths=(".", "../other")), base, counted, told)
    outside = str(tmp_path / "other").lstrip("/")
    assert names == [".", "own", outside, f"{outside}/f"]
    assert (counted.files, counted.bytes, counted.left_out) == (2, 4, 1) and "socket" in told[0]


def test_a_pipe_would_hang_its_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    counted = Counted()
    assert packed_names(Component("c", "tar", paths=("pipe",)), tmp_path, counted, []) == []
    assert counted.left_out == 1


def test_a_volume_is_read_by_a_container_of_its_own() -> None:
    shown = volume_command("kong-data", "alpine", "pgdr-1").shown
    assert shlex.split(shown) == [
        "docker", "run", "--rm", "--name", "pgdr-1", "--network", "none", "--log-driver", "none",
        "--volume", "kong-data:/data:ro", "--entrypoint", "tar", "alpine", "-C", "/data", "-cf", "-", ".",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["/etc", "../x", "a:b", "", "-v"])
def test_what_docker_would_take_for_a_directory_is_no_volume(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no name of a docker volume"):
        list(packed(Component("c", "docker", volumes=(name,)), tmp_path, Counted(), lambda _: None))
