"""A fleet whose names are as bad as names can be, and what the forms are held against."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tui.config.write import text_of
from tui.model.channels import Webhook
from tui.model.fleet import BackupPolicy, Component, Database, Endpoint, Fleet, LocalStore
from tui.model.secret import Secret

HOSTILE = (
    "we ird", 'quo"ted', "it's", "50%", "%n%%", "back\\slash", "trailing\\", "$HOME", "$(id)", "`id`", "a;b",
    "a&b|c", "#no", "-dash", "--all", "*", "ünï 𝄞", "{x}", "'@", "’curly’", "<xml>&amp;", "yes", "a\\\"b",
)  # fmt: skip


def needs(program: str) -> None:
    """Skips the test where a program isn't installed; in CI that is a failure."""
    if shutil.which(program) is None:
        said = f"{program} is not installed."
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)


@pytest.fixture
def hostile(tmp_path: Path) -> Fleet:
    """A fleet in a directory with a space and a percent sign, written down."""
    directory = tmp_path / "my con%fig's"
    directory.mkdir()
    password = Endpoint(password=Secret(env="SHOP_PASSWORD"))
    databases = [
        Database(
            name,
            f"d{n}",
            f"d{n}",
            endpoint=password,
            backup=BackupPolicy(timedelta(hours=6), stores=("local",)),
        )
        for n, name in enumerate(HOSTILE)
    ]
    fleet = Fleet(
        name="The % fleet's",
        source=directory / "pgdr.toml",
        databases=tuple(databases),
        stores=(LocalStore("local", directory / "backups"), LocalStore("disk", Path("/mnt/disk"))),
        channels=(Webhook("ops", Secret(env="HOOK")),),
        components=(
            Component("some files", "tar", timedelta(days=7), paths=("a",)),
            Component("shown", "by hand", timedelta(days=7)),
        ),
    )
    (directory / "pgdr.toml").write_text(text_of(fleet))
    return fleet
