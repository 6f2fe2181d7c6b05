"""The job that restores single tables; when it has ended well, how they differ is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.worker import Worker

from tui.model.backup import Verdict
from tui.model.event import JobState
from tui.screens.restore import RestoreScreen
from tui.screens.tables.desk import TableDesk
from tui.screens.tables.differences import DifferencesScreen
from tui.widgets.keys import bound


class TableRestoreScreen(RestoreScreen):
    """Follows the job `job`. Once `target` can be believed the differences are offered; with `go_on` they are
    shown by themselves."""

    CSS_PATH = "../restore.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("tables_job")
    help_page = "tables_job"

    def __init__(
        self, desk: TableDesk, job: str, target: str, tables: Sequence[str], *, go_on: bool = True
    ) -> None:
        super().__init__(desk.bearings, desk.state, job, desk.operator, desk.copy)
        self._desk = desk
        self._target = target
        self._tables = tuple(tables)
        self._went = not go_on

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Goes on when the job has ended well, once."""
        self.call_later(self._go_on)

    def _go_on(self) -> None:
        if not self._went and self._good and self.is_current:
            self._went = True
            self.action_differences()

    @property
    def _good(self) -> bool:
        picture = self.picture
        return (
            picture is not None
            and picture.state is JobState.DONE
            and picture.verdict in (Verdict.CLEAN, Verdict.EXPLAINED)
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The differences are offered once there is something to compare."""
        if action == "differences":
            return bool(self.query("JobPane")) and self._good
        return super().check_action(action, parameters)

    def action_differences(self) -> None:
        """Shows how the restored tables differ from the live ones."""
        self.app.push_screen(DifferencesScreen(self._desk, self._target, self._tables))
