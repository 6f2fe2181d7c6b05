"""Themes from TOML files. A file that can't be used is told of, and the others go on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui.model.errors import Problem
from tui.model.text import clean

_COLOURS = (
    "primary", "secondary", "accent", "warning", "error", "success",
    "foreground", "background", "surface", "panel", "boost",
)  # fmt: skip
_KEYS = {"name", "dark", "ansi", "about", "colours", "variables"}


@dataclass(frozen=True, slots=True)
class Themes:
    """The themes of a directory, by name, and what was wrong with files that aren't among them."""

    themes: dict[str, Theme]
    problems: tuple[Problem, ...]


def load_themes(directory: Path) -> Themes:
    """Given a directory of `*.toml`, returns the themes in it. Never raises: what is wrong is in
    `problems`, each with its file and key."""
    themes: dict[str, Theme] = {}
    problems: list[Problem] = []
    try:
        files = sorted(directory.glob("*.toml"))
    except OSError as error:
        return Themes({}, (Problem(str(directory), f"The themes can't be read: {error.strerror}."),))
    for path in files:
        try:
            theme = theme_of(tomllib.loads(path.read_text(encoding="utf-8")), path.stem)
        except (OSError, ValueError) as error:
            problems.append(Problem(path.name, f"not used: {clean(str(error), 200)}"))
        else:
            themes[theme.name] = theme
    return Themes(themes, tuple(problems))


def theme_of(data: dict[str, Any], name: str) -> Theme:
    """Given a theme file's data, returns the theme, called `name` unless it says otherwise.

    Raises ValueError naming the key that is wrong.
    """
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise ValueError(f"{unknown[0]} is not a key of a theme; they are {', '.join(sorted(_KEYS))}")
    colours = _texts(data, "colours")
    for key, value in colours.items():
        if key not in _COLOURS:
            raise ValueError(f"colours.{key} is not a colour of a theme; they are {', '.join(_COLOURS)}")
        _check(f"colours.{key}", value)
    if "primary" not in colours:
        raise ValueError("colours.primary is missing")
    for flag in ("dark", "ansi"):
        if not isinstance(data.get(flag, True), bool):
            raise ValueError(f"{flag} must be true or false")
    variables = _texts(data, "variables")
    for key, value in variables.items():
        if not key.endswith("-style"):
            _check(f"variables.{key}", value)
    values: dict[str, Any] = {**colours, "dark": data.get("dark", True), "ansi": data.get("ansi", False)}
    return Theme(name=str(data.get("name", name)), variables=variables, **values)


def _texts(data: dict[str, Any], table: str) -> dict[str, str]:
    found = data.get(table, {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(f"{table} must be a table of text")
    return dict(found)


def _check(key: str, value: str) -> None:
    try:
        Color.parse(value.split()[0] if value else "")
    except ColorParseError as error:
        raise ValueError(f"{key} = {value!r} is no colour") from error
