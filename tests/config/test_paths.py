"""Which configuration and which state directory are meant."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tui.config.paths import config_path, require_config, state_dir
from tui.model.errors import ConfigError


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory and a working directory with nothing in them."""
    for variable in ("PGDR_CONFIG", "PGDR_STATE", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_each_place_before_the_next(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_path(None) is None

    home = touch(empty_home / "home" / ".config" / "pgdr" / "pgdr.toml")
    assert config_path(None) == home

    monkeypatch.setenv("XDG_CONFIG_HOME", "relative/is/ignored")
    assert config_path(None) == home
    xdg = touch(empty_home / "xdg" / "pgdr" / "pgdr.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(empty_home / "xdg"))
    assert config_path(None) == xdg

    here = touch(empty_home / "work" / "pgdr.toml")
    assert config_path(None) == here

    said = touch(empty_home / "home" / "said.toml")
    monkeypatch.setenv("PGDR_CONFIG", "~/said.toml")
    assert config_path(None) == said

    assert config_path(Path("pgdr.toml")) == here


def test_what_was_asked_for_must_be_there(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(empty_home / "work" / "pgdr.toml")
    with pytest.raises(ConfigError, match=r"no configuration .*/missing.toml \(--config\)"):
        config_path(Path("missing.toml"))
    monkeypatch.setenv("PGDR_CONFIG", "missing.toml")
    with pytest.raises(ConfigError, match=r"\(\$PGDR_CONFIG\)"):
        config_path(None)


def test_a_configuration_is_required(empty_home: Path) -> None:
    with pytest.raises(ConfigError, match="There is no configuration: not at --config"):
        require_config(None)
    here = touch(empty_home / "work" / "pgdr.toml")
    assert require_config(None) == here


def test_state_is_made_private(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = empty_home / "home"
    assert state_dir(None) == home / ".local" / "state" / "pgdr"
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    assert state_dir(None) == home / "state" / "pgdr"
    monkeypatch.setenv("PGDR_STATE", "~/mine")
    assert state_dir(None) == home / "mine"
    assert state_dir(Path("own/deep")) == empty_home / "work" / "own" / "deep"
    for made in (home / "mine", home / "state" / "pgdr", empty_home / "work" / "own" / "deep"):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_state_directory_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    there.chmod(0o755)
    assert state_dir(there) == there
    assert stat.S_IMODE(there.stat().st_mode) == 0o755


def test_a_state_directory_for_everyone_is_refused(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    there.chmod(0o777)
    with pytest.raises(ConfigError, match="Every user may write"):
        state_dir(there)


def test_a_state_directory_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"could not be made: .* Name another"):
        state_dir(touch(tmp_path / "file") / "state")
    with pytest.raises(ConfigError, match="could not be made"):
        state_dir(tmp_path / "file")


def test_a_home_that_nobody_knows() -> None:
    with pytest.raises(ConfigError, match="No home directory is known"):
        state_dir(Path("~nosuchuserhere/state"))
