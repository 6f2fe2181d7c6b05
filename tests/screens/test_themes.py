"""Themes from files, and ASCII mode."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from tui.config.resources import themes_directory
from tui.widgets.ascii import AsciiFilter, to_ascii
from tui.widgets.themes import load_themes


def test_the_house_s_themes_can_all_be_used() -> None:
    found = load_themes(themes_directory())
    assert found.problems == ()
    assert {"dark", "light", "ansi16", "mono", "colour-blind"} <= set(found.themes)
    assert found.themes["ansi16"].ansi and found.themes["mono"].ansi


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        def part(value: int) -> float:
            share = value / 255
            return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

        rgb = Color.parse(colour).rgb
        return 0.2126 * part(rgb[0]) + 0.7152 * part(rgb[1]) + 0.0722 * part(rgb[2])

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["dark", "light", "colour-blind"])
def test_text_can_be_read_on_its_background(name: str) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1."""
    theme = load_themes(themes_directory()).themes[name]
    background = theme.background or ""
    for colour in (theme.foreground, theme.error, theme.warning, theme.success):
        assert _contrast(colour or "", background) >= 4.5, colour
    assert _contrast(theme.variables["foreground-muted"], background) >= 4.5
    cursor = theme.variables["block-cursor-foreground"], theme.variables["block-cursor-background"]
    assert _contrast(*cursor) >= 4.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("primary =", "not used"),
        ("[colours]\nsecondary = '#fff'", "colours.primary is missing"),
        ("[colours]\nprimary = 'no colour'", "colours.primary = 'no colour' is no colour"),
        ("[colours]\nprimary = '#fff'\nprimery = '#000'", "colours.primery is not a colour"),
        ("colors = {}", "colors is not a key"),
        ("dark = 'yes'\n[colours]\nprimary = '#fff'", "dark must be true or false"),
        ("[colours]\nprimary = '#fff'\n[variables]\nborder = 'nope'", "variables.border"),
        ("[colours]\nprimary = 7", "colours must be a table of text"),
    ],
)
def test_a_broken_theme_is_told_of_and_the_others_go_on(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "good.toml").write_text("[colours]\nprimary = '#123456'\n")
    (tmp_path / "odd.toml").write_text(text)
    found = load_themes(tmp_path)
    assert list(found.themes) == ["good"]
    [problem] = found.problems
    assert problem.where == "odd.toml" and said in str(problem)


def test_no_directory_is_no_crash(tmp_path: Path) -> None:
    assert load_themes(tmp_path / "gone").themes == {}


@pytest.mark.parametrize(
    "text", ["▲ MISSING …", "─│┌┐└┘ ├┤", "██░░", "データ", "✔ ✖ ⊘ ◌ ● ▶ ▸ – · › →", "naïve"]
)
def test_ascii_mode_keeps_the_width(text: str) -> None:
    plain = to_ascii(text)
    assert plain.isascii() and len(plain) == cell_len(text)
    [segment] = AsciiFilter().apply([Segment(text)], Color(0, 0, 0))
    assert segment.text == plain


def test_ascii_mode_tells_the_states_apart() -> None:
    assert len({to_ascii(shape) for shape in "▲●✖⊘◌"}) == 5


def test_own_themes_come_after_the_house_s(tmp_path: Path) -> None:
    """One of the same name takes its place; a broken one doesn't; the incident's must be there."""
    house, own = tmp_path / "house", tmp_path / "own"
    house.mkdir()
    own.mkdir()
    (house / "dark.toml").write_text("incident = 'red'\n[colours]\nprimary = '#111111'\n")
    (house / "red.toml").write_text("[colours]\nprimary = '#222222'\n")
    (own / "dark.toml").write_text("[colours]\nprimary = '#333333'\n")
    (own / "red.toml").write_text("[colours]\nprimary = 'no'\n")
    (own / "mine.toml").write_text("incident = 'none such'\n[colours]\nprimary = '#444444'\n")
    found = load_themes(house, own, tmp_path / "gone", None)
    assert {name: theme.primary for name, theme in found.themes.items()} == {
        "dark": "#333333",
        "red": "#222222",
        "mine": "#444444",
    }
    assert found.incident == {}
    assert [problem.where for problem in found.problems] == ["red.toml", "mine.toml"]
    assert load_themes(house).incident == {"dark": "red"}


def test_every_theme_of_the_house_has_one_for_an_incident() -> None:
    found = load_themes(themes_directory())
    assert {name for name in found.themes if not name.startswith("incident")} == set(found.incident)
