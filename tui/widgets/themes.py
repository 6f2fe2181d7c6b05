"""Themes from TOML files. A file that can't be used is told of, and the others go on."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
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
_KEYS = {"name", "dark", "ansi", "about", "incident", "colours", "variables"}
_FEW_COLOURS = {"linux", "screen", "xterm", "ansi", "rxvt", "cygwin", "putty"}


@dataclass(frozen=True, slots=True)
class Themes:
    """Themes by name, for some of them the one that is worn in an incident instead, and what was wrong with
    files that aren't among them."""

    themes: dict[str, Theme]
    incident: dict[str, str]
    problems: tuple[Problem, ...]


def load_themes(*directories: Path | None) -> Themes:
    """Given directories of `*.toml`, returns the themes in them, a later one's in place of an earlier one's
    of the same name. Never raises: what is wrong is in `problems`, each with its file and key."""
    themes: dict[str, Theme] = {}
    incident: dict[str, str] = {}
    where: dict[str, str] = {}
    problems: list[Problem] = []
    for directory in directories:
        if directory is None:
            continue
        try:
            files = sorted(directory.glob("*.toml"))
        except OSError as error:
            problems.append(Problem(str(directory), f"The themes can't be read: {error.strerror}."))
            continue
        for path in files:
            try:
                data = tomllib.loads(path.read_text(encoding="utf-8"))
                theme = theme_of(data, path.stem)
            except (OSError, ValueError) as error:
                problems.append(Problem(path.name, f"not used: {clean(str(error), 200)}"))
                continue
            themes[theme.name] = theme
            where[theme.name] = path.name
            incident.pop(theme.name, None)
            if "incident" in data:
                incident[theme.name] = data["incident"]
    for name, other in list(incident.items()):
        if other not in themes:
            problems.append(
                Problem(where[name], f"incident = {clean(other, 40)!r} is no theme that there is")
            )
            del incident[name]
    return Themes(themes, incident, tuple(problems))


def theme_for(environ: Mapping[str, str]) -> str:
    """Given the environment, returns the name of the theme that suits its terminal best: `mono` for one
    without colours, `ansi16` for one with sixteen, else `dark`. SSH passes no COLORTERM on: TERM decides."""
    term = environ.get("TERM", "")
    if term.partition("-")[0] in ("dumb", "vt52", "vt100", "vt102", "vt220"):
        return "mono"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "dark"
    return "ansi16" if term in _FEW_COLOURS or term.endswith(("-16color", "-color")) else "dark"


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
    if not isinstance(data.get("incident", ""), str):
        raise ValueError("incident must be the name of a theme")
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
