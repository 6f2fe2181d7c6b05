"""What is drawn can be read: in every theme, with 256 colours, with sixteen, with none, in ASCII."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import ColorSystem, ColorType
from textual.pilot import Pilot

from tests.looks.colours import PALETTES, drawn, faint
from tests.looks.world import SCREENS, app_of, opened, settle
from tests.screens.eyes import screen_lines
from tui.config.resources import themes_directory
from tui.widgets.themes import load_themes, theme_for

FULL = [name for name, theme in load_themes(themes_directory()).themes.items() if not theme.ansi]
SIXTEEN = ["ansi16", "incident-ansi16"]
NONE = ["mono", "incident-mono"]
SIZE = (120, 40)


async def _in(pilot: Pilot[int], theme: str) -> None:
    pilot.app.theme = theme
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("name", SCREENS)
async def test_text_has_contrast_in_every_theme(name: str, tmp_path: Path) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1, in every pair of colours that is really drawn."""
    app = app_of(tmp_path)
    found: dict[str, list[str]] = {}
    async with opened(app, name, SIZE) as pilot:
        for theme in FULL:
            await _in(pilot, theme)
            found[theme] = faint(app)
            found[f"{theme}, 256 colours"] = faint(app, system=ColorSystem.EIGHT_BIT)
        for theme in SIXTEEN:
            await _in(pilot, theme)
            for terminal, palette in PALETTES.items():
                found[f"{theme} on {terminal}"] = faint(app, palette)
        for theme in NONE:
            await _in(pilot, theme)
            found[theme] = [
                text
                for text, *pair in drawn(app)
                if any(colour is not None and colour.type is not ColorType.DEFAULT for colour, _ in pair)
            ]
    assert {theme: texts[:5] for theme, texts in found.items() if texts} == {}


@pytest.mark.parametrize("name", SCREENS)
async def test_ascii_mode_draws_nothing_else(name: str, tmp_path: Path) -> None:
    app = app_of(tmp_path, ascii_only=True)
    async with opened(app, name, (80, 24)) as pilot:
        odd = [line for line in screen_lines(app) if not line.isascii()]
        await pilot.resize_terminal(200, 50)
        await settle(pilot)
        assert odd + [line for line in screen_lines(app) if not line.isascii()] == []


@pytest.mark.parametrize("theme", [None, "dark", "ansi16"])
async def test_no_color_is_no_colour(
    theme: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_of(tmp_path, theme=theme)
    for name in ("fleet", "pick"):
        async with opened(app_of(tmp_path, theme=theme), name, SIZE) as pilot:
            app = pilot.app  # type: ignore[assignment]
            for strip in app.screen._compositor.render_strips(app.size):
                for segment in strip:
                    pair = (segment.style.color, segment.style.bgcolor) if segment.style else ()
                    assert all(c is None or c.type is ColorType.DEFAULT for c in pair), segment


async def test_an_incident_wears_its_own_colours_and_a_drill_doesn_t(tmp_path: Path) -> None:
    for name, worn in (("pick", "incident"), ("drill", "dark")):
        app = app_of(tmp_path)
        async with opened(app, name, SIZE) as pilot:
            assert app.theme == worn
            app.wear("light")
            assert app.theme == ("incident-light" if worn == "incident" else "light")
            app.pop_screen()
            await settle(pilot)
            assert app.theme == "light"


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({"TERM": "xterm-256color"}, "dark"),
        ({"TERM": "screen-256color"}, "dark"),
        ({"TERM": "xterm-kitty"}, "dark"),
        ({"TERM": "screen"}, "ansi16"),
        ({"TERM": "xterm"}, "ansi16"),
        ({"TERM": "linux"}, "ansi16"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "dark"),
        ({"TERM": "vt100"}, "mono"),
        ({"TERM": "dumb"}, "mono"),
    ],
)
def test_a_theme_for_each_terminal(environ: dict[str, str], theme: str) -> None:
    assert theme_for(environ) == theme
