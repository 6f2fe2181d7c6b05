"""Files that come with the program: in an installed package beside the code, in a checkout at its top."""

from __future__ import annotations

from pathlib import Path

from tui.model.errors import PgdrError

_PACKAGE = Path(__file__).resolve().parents[1]


def sample() -> str:
    """Returns the text of sample.toml, the configuration that describes every key."""
    return _find("sample.toml").read_text(encoding="utf-8")


def themes_directory() -> Path:
    """Returns the directory of the theme files."""
    return _find("themes")


def _find(name: str) -> Path:
    for directory in (_PACKAGE, _PACKAGE.parent):
        if (directory / name).exists():
            return directory / name
    raise PgdrError(f"{name} did not come with this installation of pgdr.", mend="Install it again.")
