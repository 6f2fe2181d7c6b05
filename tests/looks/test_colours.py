"""Which theme is worn when, and NO_COLOR."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import ColorType

from tests.looks.world import app_of, opened, settle
from tui.widgets.themes import theme_for

SIZE = (120, 40)


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
