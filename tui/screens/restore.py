"""One job, live, wherever it was started: followed from its journal, and from it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tui.jobs.watch import ask_cancel, view
from tui.model.event import JobKind, JobState
from tui.model.progress import Progress
from tui.model.text import clean
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.pane import told_error
from tui.screens.recovery.restore_pane import STOP_CHOICES
from tui.widgets.header import Bearings, StatusHeader
from tui.widgets.job_pane import JobPane, error_text
from tui.widgets.keys import KeyFooter, bound


class RestoreScreen(Screen[None]):
    """Follows the job `job` of the state directory until it has ended; leaving it stops nothing.

    `copy` puts a text into a file and on the clipboard, and answers with what it did.
    """

    CSS_PATH = "restore.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("job")
    help_page = "job"

    def __init__(
        self,
        bearings: Bearings,
        state: Path,
        job: str,
        operator: str,
        copy: Callable[[str, str], str],
    ) -> None:
        super().__init__()
        self._bearings, self._state, self._job, self._operator = bearings, state, job, operator
        self._copy = copy
        self._read: Callable[[], Progress] | None = None
        self._looking = False

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._bearings, f"jobs › {clean(self._job)}")
        yield JobPane()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Looks twice a second until the job has ended."""
        self._eyes = self.set_interval(0.5, self._look)
        self.query_one(JobPane).focus()
        self._look()

    @property
    def picture(self) -> Progress | None:
        """The job as it was seen last."""
        return self.query_one(JobPane).picture

    def trouble(self) -> tuple[str, str | None]:
        """What the job complained of, to be looked for, and its database."""
        return error_text(self.picture), self.picture.database if self.picture else None

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            self.run_worker(self._take_picture, thread=True, group="picture", exit_on_error=False)

    def _take_picture(self) -> Progress:
        if self._read is None:
            # Kept: a view reads on from where it stopped, so a look costs what is new.
            watched = view(self._state, self._job)
            self._read = lambda: watched.picture(self._bearings.now())
        return self._read()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Shows the picture that was taken, or why there is none."""
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        self._looking = False
        pane = self.query_one(JobPane)
        if event.state is WorkerState.ERROR:
            self._eyes.pause()
            error = event.worker.error
            pane.say(told_error(error, max(40, self.size.width - 3)) if error is not None else [])
            return
        if event.worker.group != "picture":
            return
        picture: Progress | None = event.worker.result
        if picture is None:
            return
        before = pane.picture
        pane.show(picture, self._bearings.now())
        if picture.state is not JobState.RUNNING:
            self._eyes.pause()
        if before is None or before.state is not picture.state:
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a running job can be stopped, and not in read-only mode."""
        if action == "stop":
            running = self.picture is not None and self.picture.state is JobState.RUNNING
            return running and not self._bearings.read_only
        return True

    def action_stop(self) -> None:
        """Asks whether to stop, and what becomes of what is unfinished."""
        picture = self.picture
        if picture is None:
            return
        choices: Sequence[tuple[str, str]] = STOP_CHOICES
        if picture.kind in (JobKind.BACKUP, JobKind.COPY):
            choices = (
                ("go on", f"The {picture.kind.value} goes on."),
                ("stop", "What was written of it so far is removed."),
            )

        def answered(choice: int | None) -> None:
            if choice in (1, 2):
                keep = choice == 1 and picture.kind not in (JobKind.BACKUP, JobKind.COPY)
                self.run_worker(
                    lambda: ask_cancel(self._state, self._job, self._operator, keep),
                    thread=True, group="stop", exit_on_error=False,
                )  # fmt: skip

        about = f"into {clean(picture.target)}" if picture.target else clean(picture.database)
        self.app.push_screen(ChooseScreen(f"Stop the {picture.kind.value}", about, choices), answered)

    def action_copy(self) -> None:
        """Copies everything that is known of the job, as text."""
        self.notify(self._copy(f"job-{self._job}", self.query_one(JobPane).text()), markup=False)
