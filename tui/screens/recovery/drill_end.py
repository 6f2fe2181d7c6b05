"""The end of a drill: what it found, and what becomes of its scratch database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.incident.drill import BROKEN_OFF, DONE
from tui.model import amounts as show
from tui.model.incident import Incident
from tui.model.text import clean
from tui.widgets.choice import Choice
from tui.widgets.keys import bound
from tui.widgets.lines import BLANK, GOOD, STRONG, line, wrapped


class DrillEnd(NamedTuple):
    """How a drill is closed: `rehearsed` or `broken off`, whether its database is kept, what was found."""

    outcome: str
    keep: bool
    found: str


_CHOICES = (
    ("not yet", "The drill stays open.", None),
    ("done, drop the scratch database", "What it measured is remembered.", DrillEnd(DONE, False, "")),
    (
        "done, keep the scratch database",
        "Remembered too; drop the database later (d on its database).",
        DrillEnd(DONE, True, ""),
    ),
    (
        "break it off",
        "Nothing is remembered; the scratch database is dropped.",
        DrillEnd(BROKEN_OFF, False, ""),
    ),
)


def measured(incident: Incident, now: datetime) -> list[str]:
    """Given a drill, returns what it has measured so far, a line each."""
    took = (incident.rehearsed_at or now) - incident.declared_at
    said = "to the cutover" if incident.rehearsed_at else "so far; the cutover was not gone through"
    lines = [f"{show.duration(took)} {said}"]
    if incident.backup_at is not None:
        lines.append(
            f"{show.duration(incident.declared_at - incident.backup_at)} of data would have been lost"
        )
    if incident.checks:
        passed = sum(check.passed is True for check in incident.checks)
        lines.append(f"{passed} of {len(incident.checks)} checks passed")
    return lines


def rehearsed_lines(incident: Incident, width: int) -> list[Content]:
    """Given a drill whose cutover was gone through, returns what is to be said of that at `width` cells."""
    made = [
        line(("✔ DRILL: the cutover was gone through at ", GOOD), show.clock(incident.rehearsed_at), " UTC")
    ]
    if incident.closed_at is None:
        text = "End the drill: it is written down, and the scratch database dropped or kept."
        made += [BLANK, *wrapped(text, width)]
    else:
        found = [row for what in incident.found for row in wrapped(clean(what), width, "  ")]
        made += [BLANK, line(("It found", STRONG)), *(found or [line("  nothing to be wrong")])]
    made += [BLANK, line(("It would have run", STRONG))]
    for entry in incident.timeline:
        if entry.kind == "command" and entry.text.startswith("DRILL: would run "):
            made += wrapped(clean(entry.text.removeprefix("DRILL: would run ")), width, "  ")
    return made


class DrillEndScreen(ModalScreen[DrillEnd | None]):
    """Given the drill's number and `facts` (what was measured and found), asks how it ended; dismisses with
    None for not yet. Dropping comes first; what was found may stay empty."""

    CSS_PATH = "drill_end.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("question")
    help_page = "drill_end"

    def __init__(self, number: str, facts: Sequence[str]) -> None:
        super().__init__()
        self._number = clean(number)
        self._facts = [clean(fact) for fact in facts]

    def compose(self) -> ComposeResult:
        """Makes the box."""
        with Vertical(id="box") as box:
            box.border_title = f"End DRILL {self._number}"
            yield Static("\n".join(self._facts), markup=False, id="about")
            with Horizontal(id="asked"):
                yield Static("What did you find? ", markup=False, id="prompt")
                yield Input(id="found", compact=True)
            for number, (label, meaning, _) in enumerate(_CHOICES):
                yield Choice(label, id=f"choice-{number}", deliberate=number > 0)
                yield Static(meaning, markup=False, classes="meaning")

    def on_mount(self) -> None:
        """What was found is asked first; the cursor doesn't blink, for a quiet line."""
        found = self.query_one("#found", Input)
        found.cursor_blink = False
        found.focus()

    @on(Input.Submitted)
    def _said(self, event: Input.Submitted) -> None:
        self.query_one("#choice-1").focus()

    @on(Choice.Pressed)
    def _chosen(self, event: Choice.Pressed) -> None:
        end = _CHOICES[int((event.choice.id or "choice-0").removeprefix("choice-"))][2]
        found = clean(self.query_one("#found", Input).value.strip(), 500)
        self.dismiss(end._replace(found=found) if end is not None else None)

    def action_cancel(self) -> None:
        """Closes; the drill stays open."""
        self.dismiss(None)
