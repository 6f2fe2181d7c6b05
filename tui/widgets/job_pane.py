"""A live pane on one job: whatever is known of it, drawn from its latest picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message

from tui.model.progress import Progress
from tui.widgets import job_body
from tui.widgets.job_head import JobContext, job_head
from tui.widgets.keys import bound
from tui.widgets.lines import FAINT, line
from tui.widgets.text_lines import TextLines

WIDE = 120  # from this many columns on, tables stand beside


def error_text(picture: Progress | None) -> str:
    """The worst that a job complained of: an error that lost something, else why it ended so, else an error
    that is explained; nothing where it complained of nothing."""
    if picture is None:
        return ""
    serious = [error.message for error in picture.errors if not error.harmless]
    said = [*serious, picture.message or "", *(error.message for error in picture.errors)]
    return next((text for text in said if text), "")


class JobPane(Vertical):
    """Shows a job. It keeps nothing but the picture it was given last, and starts and stops nothing.

    Keys switch between the overview and the log, errors, tables and checks alone.
    """

    DEFAULT_CSS = """
    JobPane { height: 1fr; padding: 0 1; }
    JobPane #job-head { height: auto; max-height: 11; overflow: hidden; }
    JobPane #job-body { width: 1fr; height: 1fr; }
    JobPane #job-beside { width: 40%; height: 1fr; padding-left: 2; display: none; }
    JobPane.wide #job-beside { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("views")

    class WholeLogWanted(Message):
        """Someone wants to read the log of this job from its beginning."""

        def __init__(self, job: str) -> None:
            super().__init__()
            self.job = job

    def __init__(self, context: JobContext | None = None, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.context = context or JobContext()
        self.said: tuple[Content, ...] = ()  # what its screen has to say, above everything else
        self._picture: Progress | None = None
        self._now: datetime | None = None
        self._view = "overview"

    def compose(self) -> ComposeResult:
        yield TextLines(id="job-head")
        with Horizontal():
            yield TextLines(id="job-body")
            yield TextLines(id="job-beside")

    def on_mount(self) -> None:
        self.query_one("#job-head", TextLines).can_focus = False
        self.query_one("#job-beside", TextLines).can_focus = False
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Puts the tables beside where there is room."""
        self.set_class(event.size.width >= WIDE, "wide")

    def on_text_lines_resized(self, event: TextLines.Resized) -> None:
        """Draws for the room that there is now."""
        event.stop()
        self._draw()

    @property
    def picture(self) -> Progress | None:
        """What is shown."""
        return self._picture

    def show(self, picture: Progress, now: datetime) -> None:
        """Given a job's picture and the moment it is looked at, shows it."""
        self._picture, self._now = picture, now
        if self.is_mounted:
            self._draw()

    def say(self, lines: Sequence[Content]) -> None:
        """Given lines, shows them above everything else from now on."""
        self.said = tuple(lines)
        if self.is_mounted:
            self._draw()

    def text(self) -> str:
        """Returns all that is known of the job as plain text: head, tables, errors, checks, log."""
        picture, now = self._picture, self._now
        if picture is None or now is None:
            return ""
        parts = (
            job_head(picture, self.context, now, 110),
            job_body.tables_and_indexes(picture, 110),
            job_body.errors(picture, 110),
            job_body.checks(picture, 110) if picture.checks else [],
            job_body.log(picture),
        )
        return "\n\n".join("\n".join(row.plain.rstrip() for row in part) for part in parts if part) + "\n"

    def focus(self, scroll_visible: bool = True) -> JobPane:
        self.query_one("#job-body", TextLines).focus(scroll_visible)
        return self

    def action_whole_log(self) -> None:
        """Asks for the log from its beginning."""
        if self._picture is not None and self._picture.job:
            self.post_message(self.WholeLogWanted(self._picture.job))

    def action_view(self, view: str) -> None:
        """Shows one thing alone, or, when it is already shown, the overview again."""
        body = self.query_one("#job-body", TextLines)
        self._view = "overview" if self._view == view else view
        body.follow = self._view == "log"
        self._draw()
        if self._view == "log":
            body.scroll_end(animate=False)
        else:
            body.scroll_home(animate=False)

    def _draw(self) -> None:
        head = self.query_one("#job-head", TextLines)
        body = self.query_one("#job-body", TextLines)
        if self._picture is None or self._now is None:
            body.show([*self.said, line(("Reading the journal…", FAINT))])
            return
        picture = self._picture
        head.show([*self.said, *job_head(picture, self.context, self._now, max(40, head.size.width))])
        # Without the scrollbar: lines made for the room with it would be folded, and so keep it there.
        width, height = max(40, body.scrollable_content_region.width), body.size.height
        if self._view == "log":
            body.show(job_body.log(picture))
        elif self._view == "errors":
            body.show(job_body.errors(picture, width - 1))
        elif self._view == "tables":
            body.show(job_body.tables_and_indexes(picture, width - 1))
        elif self._view == "checks":
            body.show(job_body.checks(picture, width - 1))
        else:
            wide = self.has_class("wide")
            body.show(job_body.overview(picture, width, height, with_tables=not wide))
            if wide:
                side = self.query_one("#job-beside", TextLines)
                side.show(job_body.beside(picture, max(40, side.size.width - 3)))
