"""The files that come with the program are found in a checkout and in an installed package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tui.config import resources

ROOT = Path(__file__).parents[2]


def test_from_a_checkout() -> None:
    assert resources.sample() == (ROOT / "sample.toml").read_text(encoding="utf-8")
    assert resources.themes_directory() == ROOT / "themes"


@pytest.mark.parametrize("packaged", [True, False])
def test_from_an_installed_package(tmp_path: Path, packaged: bool) -> None:
    """Laid out as pyproject.toml's force-include does, which puts both beside the code."""
    package = tmp_path / "tui"
    for part in ("config", "model"):
        shutil.copytree(ROOT / "tui" / part, package / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tui" / "__init__.py", package)
    if packaged:
        shutil.copy(ROOT / "sample.toml", package)
        (package / "themes").mkdir()
    code = "from tui.config import resources as r; print(r.themes_directory()); print(len(r.sample()))"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    if packaged:
        assert done.stdout.split() == [str(package / "themes"), str(len(resources.sample()))]
    else:
        assert "themes did not come with this installation of pgdr. Install it again." in done.stderr
