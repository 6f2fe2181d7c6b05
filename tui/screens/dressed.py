"""What the app looks like and which keys it has, whatever screen is on it: themes, ASCII, the mouse,
read-only mode, copying, and what is said on a terminal that is too small."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from textual import events
from textual.actions import ActionParseResult
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.filter import Monochrome, NoColor
from textual.geometry import Size
from textual.screen import Screen

from tui.config.paths import own_themes
from tui.config.resources import themes_directory
from tui.files import private_directory, write_whole
from tui.model.fleet import Fleet
from tui.model.text import clean, stamp
from tui.screens.rooms import House
from tui.screens.small import FLOOR, SmallScreen
from tui.widgets.ascii import AsciiFilter
from tui.widgets.keys import bound, is_dangerous, keymap
from tui.widgets.line_table import LineTable
from tui.widgets.text_lines import TextLines
from tui.widgets.themes import Themes, load_themes, theme_for

# A picture may load nothing from elsewhere; without these it uses the reader's own monospace.
_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


_SAID_S = 4.0  # how long it is said that read-only mode has taken a key away


@runtime_checkable
class AtWork(Protocol):
    """A screen or a step's pane that may be changing something: what, and whether it must be waited for."""

    doing: str

    @property
    def must_finish(self) -> bool: ...


class DressedApp(App[int]):
    """Given the house and the state directory, an app with its looks and its keys."""

    CSS = """
    Screen { background: $background; color: $foreground; }
    Choice:disabled { opacity: 1; }
    Input > .input--cursor, TextArea:focus > .text-area--cursor {
        background: $input-cursor-background; color: $input-cursor-foreground;
        text-style: $input-cursor-text-style;
    }
    Input > .input--placeholder { color: $foreground-muted; }
    LineTable > .line--bad, ErrorScreen #body #what, ConfirmScreen #box #hint {
        color: $bad-foreground; background: $bad-background;
    }
    Toast { background: $panel; color: $foreground; border-left: outer $foreground; }
    StatusHeader, StepStrip {
        background: $header-background; color: $header-foreground; text-style: $header-text-style;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("app")
    ENABLE_COMMAND_PALETTE = False  # there is one of its own, which finds more and draws less

    def __init__(self, house: House, state: Path) -> None:
        super().__init__()
        self.animation_level = "none"
        self._house = house
        self._bearings = house.bearings
        self._state = state
        self._notices: list[str] = []
        self._refused_at = float("-inf")  # of time.monotonic(): when read-only mode last said why
        self._themes = Themes({}, {}, ())
        self._chosen_theme: str | None = None  # what is worn when no incident is on the screen
        self.keymap_of_fleet = house.fleet.keys
        if house.fleet.keys:
            self.set_keymap(keymap(house.fleet.keys))

    # Colours and characters

    def dress(self, theme: str | None, ascii_only: bool) -> None:
        """Given the theme that is wanted (None: what the configuration or the terminal says) and whether to
        draw with ASCII alone, puts them on. What is wrong with themes is told when the app is there."""
        if ascii_only or self._house.fleet.app.ascii:
            self._filters.append(AsciiFilter())
        self._themes = load_themes(themes_directory(), own_themes())
        for known in self._themes.themes.values():
            self.register_theme(known)
        self._notices += [str(problem) for problem in self._themes.problems]
        wanted = theme or self._house.fleet.app.theme
        if wanted is not None and wanted not in self._themes.themes:
            names = ", ".join(sorted(self._themes.themes))
            self._notices.append(f"There is no theme {clean(wanted, 40)}; there are {names}.")
            wanted = None
        if self.no_color:
            # Textual would turn colours into greys. None at all are asked for.
            self._filters = [f for f in self._filters if not isinstance(f, Monochrome | NoColor)]
            self._filters.append(NoColor())
            wanted = "mono"
        self.wear(wanted or theme_for(os.environ))

    def wear(self, theme: str) -> None:
        """Given a theme's name, wears it, but in an incident the one that goes with it."""
        self._chosen_theme = theme
        self._wear_what_fits()

    def _wear_what_fits(self) -> None:
        chosen = self._chosen_theme
        earnest = any(getattr(screen, "in_earnest", False) for screen in self.screen_stack)
        if earnest and chosen is not None:
            said = self._house.fleet.app.incident_theme
            # One without colours stays so, whatever the configuration says.
            own = self._themes.incident.get(chosen)
            chosen = own if said is None or self.no_color else chosen if said == "none" else said
            chosen = chosen or self._chosen_theme
        if chosen in self._themes.themes and self.theme != chosen:
            self.theme = chosen

    def get_css_variables(self) -> dict[str, str]:
        """Returns the theme's variables, and what only some themes set: the colours of rules, of the header,
        and of what is bad (which stands on one where no colour of letters can be relied on)."""
        variables = super().get_css_variables()
        plain = {
            "rule": variables["border"],
            "header-background": variables["background"],
            "header-foreground": variables["foreground"],
            "header-text-style": "none",
            "bad-foreground": variables["error"],
            "bad-background": "transparent",
        }
        return {**plain, **variables}

    @property
    def fleet(self) -> Fleet:
        """The fleet that it is the app of."""
        return self._house.fleet

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed."""
        return self._bearings.read_only

    @property
    def theme_names(self) -> tuple[str, ...]:
        """The themes that can be worn."""
        return tuple(sorted(self._themes.themes))

    # Screens

    def push_screen(self, *given: Any, **named: Any) -> Any:
        """Pushes a screen, under the word that the terminal is too small where that is said."""
        if isinstance(self.screen_stack[-1] if self.screen_stack else None, SmallScreen):
            super().pop_screen()
        pushed = super().push_screen(*given, **named)
        self.call_later(self._fit)
        return pushed

    def pop_screen(self) -> AwaitComplete:
        """Pops the screen that a person works with."""
        if isinstance(self.screen, SmallScreen):
            super().pop_screen()
        popped = super().pop_screen()
        self.call_later(self._fit)
        return popped

    def on_resize(self, event: events.Resize) -> None:
        """Says so where the terminal is too small, and goes on by itself where it no longer is."""
        self._fit(event.size)

    def _fit(self, size: Size | None = None) -> None:
        width, height = size or self.size  # the event's: the app's own is still that of before
        small = width < FLOOR[0] or height < FLOOR[1]
        covered = isinstance(self.screen, SmallScreen)
        if small and not covered:
            super().push_screen(SmallScreen())
        elif covered and not small:
            super().pop_screen()
        self._wear_what_fits()

    # Keys

    def _check_action_state(self, action: str, default_namespace: DOMNode) -> bool | None:
        """In read-only mode what is dangerous isn't there: not for keys, footer, help or finding."""
        if self._bearings.read_only and is_dangerous(default_namespace, action):
            return False
        return super()._check_action_state(action, default_namespace)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Any = None,
    ) -> bool:
        """Does what a key is bound to; nothing dangerous in read-only mode."""
        node = self if default_namespace is None else default_namespace
        if isinstance(action, str) and self._bearings.read_only and is_dangerous(node, action):
            if time.monotonic() - self._refused_at > _SAID_S:  # a key that is held says it once
                self._refused_at = time.monotonic()
                self.notify("Read-only: what would change anything is off.", timeout=_SAID_S, markup=False)
            return False
        return await super().run_action(action, default_namespace, namespaces)

    def action_help(self) -> None:
        """Shows every key that works here, and what the screen is for."""
        from tui.screens.help import HelpScreen, help_on

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self._bearings, help_on(self.screen), self.copy_text))

    def _must_finish(self) -> str | None:
        """What is being changed at this moment, and has to be written down before anyone may leave."""
        return None

    def set_mouse(self, on: bool) -> None:
        """Takes the mouse, or leaves it to the terminal, whose own selection works then."""
        driver = self._driver
        turn = getattr(driver, "_enable_mouse_support" if on else "_disable_mouse_support", None)
        if turn is None:
            self.notify("This terminal's mouse can't be switched while the app runs.", markup=False)
            return
        if on:
            driver._mouse = True  # type: ignore[union-attr]
        turn()
        said = "The app has the mouse." if on else "The terminal has the mouse: its own selection works."
        self.notify(said, markup=False)

    # Copying

    def action_copy(self) -> None:
        """Copies what is at hand, on a screen that has no copying of its own."""
        focused = self.screen.focused
        if isinstance(focused, LineTable) and focused.cursor_row is not None:
            text = focused.cursor_text()
        elif isinstance(focused, TextLines) and focused.plain:
            text = focused.plain
        else:
            text = self.screen_text()
        self.notify(self.copy_text(self._name_of(self.screen), text), markup=False)

    def copy_text(self, name: str, text: str) -> str:
        """Puts `text` on the terminal's clipboard (OSC 52, which not every terminal takes) and into a
        file called after `name`; returns a sentence on both."""
        self.copy_to_clipboard(text)
        path = private_directory(self._state / "copied") / f"{_safe(name)}.txt"
        try:
            write_whole(path, text if text.endswith("\n") else text + "\n")
        except OSError as error:
            return f"Copied to the clipboard; {path} could not be written: {error.strerror}."
        return f"Copied to the clipboard, and to {path}"

    def action_export(self) -> None:
        """Writes the screen as text and as a picture."""
        self.notify(self.export(self.screen), markup=False)

    def export(self, screen: Screen[Any]) -> str:
        """Given the screen that is on the terminal, writes it as text and as SVG into the state directory;
        returns a sentence on where they are."""
        name = f"{self._name_of(screen)}-{stamp(self._bearings.now())}"
        picture = _FONTS.sub("", self.export_screenshot(title=f"pgdr {self._name_of(screen)}"))
        directory = private_directory(self._state / "exports")
        try:
            write_whole(directory / f"{name}.txt", self.screen_text())
            write_whole(directory / f"{name}.svg", picture)
        except OSError as error:
            return f"{directory} could not be written: {error.strerror}."
        return f"Written to {directory / name}.txt and .svg"

    def screen_text(self) -> str:
        """The screen as text, line by line."""
        strips = self.screen._compositor.render_strips(self.size)
        rows = ["".join(segment.text for segment in strip).rstrip() for strip in strips]
        return "\n".join(rows).rstrip() + "\n"

    def _name_of(self, screen: Screen[Any]) -> str:
        named = getattr(screen, "name_of_copy", "") or getattr(screen, "help_page", "")
        return _safe(named or type(screen).__name__.removesuffix("Screen").lower())


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "copied"
