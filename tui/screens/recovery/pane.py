"""What the panes of the six steps have in common: they ask the guide in a thread and show what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from tui.model.errors import PgdrError
from tui.model.incident import Step
from tui.model.text import clean
from tui.operations.layers.encryption import NoKey
from tui.postgres.troubles.search import search
from tui.screens.recovery.desk import Desk
from tui.widgets.keys import named
from tui.widgets.lines import BAD, BLANK, FAINT, line, wrapped
from tui.widgets.text_lines import TextLines

T = TypeVar("T")
WIDE = 160  # columns from which a list and what is told of it stand side by side, both to be read


class StepPane(Vertical):
    """One step. Everything on it comes from the incident, read again whenever it is shown, so that
    leaving and coming back, or another start of the program, shows the same."""

    step: ClassVar[Step]

    def __init_subclass__(cls, **given: Any) -> None:
        """Gives each key the id under which a configuration may change it, and read-only mode finds it."""
        cls.BINDINGS = named(cls.step.value, cls.__dict__.get("BINDINGS", ()))
        super().__init_subclass__(**given)

    class Changed(Message):
        """The guide has done something: the incident is another now, or work has begun or ended."""

    class Go(Message):
        """Another step is wanted."""

        def __init__(self, step: Step) -> None:
            super().__init__()
            self.step = step

    def __init__(self, desk: Desk) -> None:
        super().__init__(id=self.step.value)
        self.desk = desk
        self.guide = desk.guide
        self.doing = ""  # what is being waited for, in words
        self.must_finish = False  # whether leaving has to wait for it
        self.error: BaseException | None = None
        self._then: Callable[[Any], None] | None = None
        self._tick: Timer | None = None
        self._since = 0.0  # of time.monotonic(): since when it is waited

    # For each step to fill in

    def opened(self) -> None:
        """The step has come onto the screen: asks what has to be asked."""

    def draw(self) -> None:
        """Shows the state of things."""
        raise NotImplementedError

    # Asking

    def ask(
        self,
        doing: str,
        call: Callable[[], T],
        then: Callable[[T], None] | None = None,
        *,
        must_finish: bool = False,
    ) -> None:
        """Runs `call` in a thread, saying `doing` meanwhile; hands what it returns to `then`.

        One at a time: a second wish while one is being worked on is not taken, only said. What only
        looks can be left behind; `must_finish` is for what changes things, so that whoever comes back
        finds it written down.
        """
        if self.doing:
            self.notify(f"Still at it: {self.doing}", markup=False)
            return
        self.doing, self.error, self._then = doing, None, then
        self._since = time.monotonic()
        self.must_finish = must_finish
        # Twice a second is as often as a person can read and a slow link can carry.
        self._tick = self.set_interval(0.5, self.draw)
        self.run_worker(call, thread=True, group="guide", exit_on_error=False)
        self._changed()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Takes what the guide answered, or the reason why it didn't."""
        event.stop()
        if event.worker.group != "guide" or event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        self.doing, self.must_finish = "", False
        if self._tick is not None:
            self._tick.stop()
        if event.state is WorkerState.ERROR:
            self.error = event.worker.error
        elif self._then is not None:
            self._then(event.worker.result)
        self._changed()

    def _changed(self) -> None:
        self.draw()
        self.refresh_bindings()
        self.post_message(self.Changed())

    def on_resize(self, event: events.Resize) -> None:
        """Puts detail beside where there is room."""
        self.set_class(event.size.width >= WIDE, "wide")

    def on_text_lines_resized(self, event: TextLines.Resized) -> None:
        """Draws for the room that there is now."""
        event.stop()
        self.draw()

    def trouble_text(self) -> str:
        """What went wrong here, for looking up what is known of it; nothing when nothing did."""
        if isinstance(self.error, PgdrError):
            return f"{self.error.what} {self.error.why or ''}"
        return str(self.error or "")

    # Showing

    def room(self) -> int:
        """How many cells a line may have."""
        return max(40, self.size.width - 3)

    def waiting(self) -> list[Content]:
        """What is being waited for, as lines; none when nothing is."""
        waited = int(time.monotonic() - self._since)
        told = f"◌ {self.doing}… {waited}s" if waited else f"◌ {self.doing}…"
        return [line((told, FAINT))] if self.doing else []

    def trouble(self) -> list[Content]:
        """What failed last, why and what to do next, as lines; none when nothing did."""
        if self.error is None:
            return []
        return [*told_error(self.error, self.room()), BLANK]


def told_error(error: BaseException, width: int) -> list[Content]:
    """Given an error, returns what failed, why, and the next step, in full."""
    if not isinstance(error, PgdrError):
        # Not one that a person can meet: this program's own mistake, and it is called so.
        what = f"pgdr itself went wrong: {type(error).__name__}: {error}"
        made = wrapped(clean(what), width, line(("✘ ", BAD)), style=BAD)
        return [
            *made,
            *wrapped("The incident is on disk; leave and come back, or use the commands.", width, "  "),
        ]
    made = wrapped(clean(error.what), width, line(("✘ ", BAD)), style=BAD)
    if error.why:
        made += wrapped(clean(error.why), width, line(("  why   ", FAINT)))
    if error.mend:
        made += wrapped(clean(error.mend), width, line(("  next  ", FAINT)))
    if isinstance(error, NoKey):
        said = "The configuration is read when pgdr starts: end it (ctrl+q), the incident stays. "
        made += wrapped(f"{said}Or pick a backup that needs no key (2).", width, "        ")
    known = _known(f"{error.what} {error.why or ''}")
    if known:
        made += wrapped(f"what is known of it: {known}", width, line(("  !     ", FAINT)))
    return made


@lru_cache(maxsize=64)  # drawn twice a second while something is waited for
def _known(text: str) -> str:
    """The trouble that a text is a message of, in a few words; nothing where none is known for sure."""
    found = search(text, 1)
    return found[0].trouble.symptom if found and found[0].sure else ""
