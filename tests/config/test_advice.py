"""What a fleet that loads should be told all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.advice import advice
from tui.config.load import load_text
from tui.model.plan import Level


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, mode in (("open", 0o644), ("closed", 0o600)):
        (tmp_path / name).write_text("hunter2-Xk9\n")
        (tmp_path / name).chmod(mode)
    return tmp_path


LOCAL = '[stores.near]\nkind = "local"\npath = "b"\n'
OFFSITE = '[stores.far]\nkind = "s3"\nbucket = "b"\n'


def told(text: str, home: Path) -> list[tuple[Level, str, str]]:
    findings = advice(load_text(text, home / "pgdr.toml"))
    assert "hunter2" not in repr(findings)
    return [(finding.level, finding.about, finding.what) for finding in findings]


@pytest.mark.parametrize(
    ("text", "level", "about", "what"),
    [
        ("password = {env = 'PGDR_NONE'}", Level.STOP, "password", "PGDR_NONE is not set"),
        ("password = {file = 'none'}", Level.STOP, "password", "No such file"),
        ("password = {file = 'open'}", Level.WARNING, "password", "Every user of this machine can read"),
        ("passfile = 'none'", Level.STOP, "passfile", "There is no file"),
        ("passfile = 'open'", Level.STOP, "passfile", "libpq will not use it"),
        ("rpo = '6h'", Level.WARNING, "backup.every", "due every 1d, but the RPO is 6h"),
        ("backup.stores = []", Level.WARNING, "backup.stores", "no store"),
        ("criticality = 'high'\nbackup.stores = ['near']", Level.WARNING, "backup.stores", "off-site"),
        (
            "backup.keep_for = 'indefinite'\nbackup.keep_weekly = 4",
            Level.WARNING,
            "backup.keep_weekly",
            "nothing",
        ),
    ],
)
def test_a_database_is_told(text: str, level: Level, about: str, what: str, home: Path) -> None:
    found = told(f"{LOCAL}{OFFSITE}[databases.kong]\n{text}", home)

    assert [(finding[0], finding[1]) for finding in found] == [(level, f"databases.kong.{about}")]
    assert what in found[0][2]


@pytest.mark.parametrize(
    "text",
    [
        "password = {file = 'closed'}",
        "passfile = 'closed'",
        "criticality = 'critical'",
        "rpo = '6h'\nbackup.every = 'on demand'\nbackup.stores = []",
    ],
)
def test_nothing_to_tell(text: str, home: Path) -> None:
    assert told(f"{LOCAL}{OFFSITE}[databases.kong]\n{text}", home) == []


def test_secrets_of_stores_and_channels(home: Path) -> None:
    found = told(
        OFFSITE
        + "access_key = {env = 'PGDR_NONE'}\nsecret_key = {file = 'open'}\n[databases.kong]\n"
        + "[channels.ntfy]\nkind = 'ntfy'\ntopic = {env = 'PGDR_NONE'}\n"
        + "[channels.hook]\nkind = 'webhook'\nurl = {env = 'PGDR_NONE'}\n",
        home,
    )
    assert [(level, about) for level, about, _ in found] == [
        (Level.STOP, "stores.far.access_key"),
        (Level.WARNING, "stores.far.secret_key"),
        (Level.STOP, "channels.ntfy.topic"),
        (Level.STOP, "channels.hook.url"),
    ]
