"""Who runs the servers, and from where."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.demo.conftest import SCALE
from tests.servers import place
from tui.demo import account, binaries
from tui.demo.account import Account, passable, readable, servers_place
from tui.model.errors import PgdrError

STRANGER = Account("stranger", 54321, 54321)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run programs as another user")


def test_private_directories_are_not_passable(tmp_path: Path) -> None:
    with place() as open_to_all:
        (open_to_all / "file").touch()
        assert passable(open_to_all / "not" / "there", STRANGER)
        (open_to_all / "file").chmod(0o600)
        assert not readable(open_to_all / "file", STRANGER)
        inner = open_to_all / "private"
        inner.mkdir(mode=0o700)
        assert not passable(inner / "data", STRANGER)
        own = inner.stat()
        assert passable(inner / "data", Account("owner", own.st_uid, own.st_gid))
    assert not passable(tmp_path, STRANGER)  # pytest's are the tester's alone


def test_servers_of_a_private_directory_lie_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place() as open_to_all:
        monkeypatch.setattr(account, "ROOTS_PLACE", open_to_all / "roots")
        before = stat.S_IMODE(tmp_path.stat().st_mode)
        first, second = servers_place(tmp_path / "a", STRANGER), servers_place(tmp_path / "b", STRANGER)
        assert first.parent == second.parent == open_to_all / "roots" and first != second
        assert servers_place(open_to_all / "demo", STRANGER) == (open_to_all / "demo").resolve() / "servers"
        assert stat.S_IMODE(tmp_path.stat().st_mode) == before


def test_a_place_that_others_can_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots").chmod(0o777)
    monkeypatch.setattr(account, "ROOTS_PLACE", tmp_path / "roots")
    with pytest.raises(PgdrError, match="not a directory of root's own"):
        servers_place(tmp_path / "demo", STRANGER)


def test_programs_in_a_private_directory_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = binaries.embedded_bin().parents[1]
    shutil.copytree(package / "pginstall", tmp_path / binaries.PACKAGE / "pginstall", symlinks=True)
    if (libraries := package.with_name(f"{package.name}.libs")).is_dir():
        shutil.copytree(libraries, tmp_path / libraries.name, symlinks=True)
    private = tmp_path / binaries.PACKAGE / "pginstall" / "bin"
    monkeypatch.setattr(binaries, "embedded_bin", lambda: private)
    with place() as open_to_all:
        monkeypatch.setattr(account, "ROOTS_PLACE", open_to_all / "roots")
        copied = binaries.reachable_bin(STRANGER)
        assert copied.is_relative_to(open_to_all / "roots") and passable(copied, STRANGER)
        assert binaries.reachable_bin(STRANGER) == copied
        user = 65534 if os.geteuid() == 0 else None
        said = subprocess.run(
            [copied / "postgres", "--version"],
            user=user,
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        assert said.stdout.startswith("postgres (PostgreSQL) 18."), said.stderr
        assert readable(copied.parent / "share" / "postgres.bki", STRANGER)


@as_root
def test_an_ordinary_user_can_start_it() -> None:
    nobody = pwd.getpwnam("nobody")
    who = Account("nobody", nobody.pw_uid, nobody.pw_gid)
    packages, checkout = Path(psutil.__file__).parents[1], Path(binaries.__file__).parents[2]
    # This Python may lie in root's home; the system's own of the same version reads the same packages.
    system = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    python = next((p for p in (Path(sys.executable), system) if p.exists() and readable(p, who)), None)
    if python is None or not (passable(packages, who) and passable(checkout, who)):
        pytest.skip("no Python here that other users can run, or this checkout is private")
    code = f"""
import os, sys
from pathlib import Path
from tui.demo.start import prepare
with prepare(Path(sys.argv[1]) / "demo", {SCALE}) as demo:
    print(demo.servers["kong"].sql("SELECT count(*) > 10 FROM consumers", "kong"))
    print({{os.stat(s.data).st_uid for s in demo.servers.values()}} == {{os.geteuid()}})
"""
    with place() as directory:
        own = directory / "own"
        own.mkdir()
        os.chown(own, who.uid, who.gid)
        done = subprocess.run(
            [python, "-c", code, str(own)],
            capture_output=True,
            text=True,
            cwd=checkout,
            env={
                **os.environ,
                **{"TMPDIR": str(own), "HOME": str(own), "PYTHONDONTWRITEBYTECODE": "1"},
                "PYTHONPATH": f"{checkout}{os.pathsep}{packages}",
            },
            user=who.uid,
            group=who.gid,
            extra_groups=[],
            timeout=300,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("t\nTrue\n", "")
