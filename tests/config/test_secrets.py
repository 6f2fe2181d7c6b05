"""Secrets are found where they are said to be, and no error has one in it."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from tui.config.secrets import exposure, reveal
from tui.model.errors import ConfigError
from tui.model.secret import Secret

VALUE = "hunter2-Xk9"


def refused(secret: Secret) -> str:
    """What a person is told, after making sure that no value is in it or in its traceback."""
    with pytest.raises(ConfigError) as raised:
        reveal(secret)
    error = raised.value
    assert VALUE not in "".join(traceback.format_exception(error)) + repr(error)
    assert error.__context__ is None or VALUE not in repr(error.__context__.__dict__)
    return str(error)


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDR_TEST_SECRET", f" {VALUE}\t")
    assert reveal(Secret(env="PGDR_TEST_SECRET")) == f" {VALUE}\t"


@pytest.mark.parametrize("text", [VALUE, f"{VALUE}\n", f"{VALUE}\r\nmore\n"])
def test_from_a_files_first_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(text.encode())
    path.chmod(0o444)  # as container platforms mount them: taken all the same
    assert reveal(Secret(file=path)) == VALUE


def test_variables_that_hold_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGDR_TEST_SECRET", raising=False)
    assert "PGDR_TEST_SECRET is not set. Set it" in refused(Secret(env="PGDR_TEST_SECRET"))
    monkeypatch.setenv("PGDR_TEST_SECRET", "")
    assert "PGDR_TEST_SECRET is empty." in refused(Secret(env="PGDR_TEST_SECRET"))


@pytest.mark.parametrize(
    "data",
    [b"", b"\n" + VALUE.encode(), VALUE.encode() + b"\xff", VALUE.encode() + b"\0", VALUE.encode() * 10_000],
)
def test_files_that_hold_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(data)
    assert f"{path} holds no secret on its first line." in refused(Secret(file=path))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert "could not be read: No such file or directory. Put the secret" in refused(
        Secret(file=tmp_path / "missing")
    )
    assert "could not be read: Is a directory" in refused(Secret(file=tmp_path))


@pytest.mark.parametrize(
    ("mode", "who"),
    [(0o600, None), (0o400, None), (0o640, "its group"), (0o644, "every user of this machine")],
)
def test_exposure(tmp_path: Path, mode: int, who: str | None) -> None:
    path = tmp_path / "secret"
    path.touch()
    path.chmod(mode)
    assert exposure(path) == who


def test_exposure_of_what_is_no_file(tmp_path: Path) -> None:
    assert exposure(tmp_path) is None
    assert exposure(tmp_path / "missing") is None
