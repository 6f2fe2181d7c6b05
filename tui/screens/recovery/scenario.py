"""What has happened? The seven scenarios, each with what it means and what is promised of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from tui.incident.scenarios import SCENARIOS, Known, Scope, Way, targets
from tui.model import amounts as show
from tui.model.fleet import Fleet
from tui.model.incident import Incident, Step
from tui.model.scenario import Scenario
from tui.model.text import clean
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.lines import FAINT, STRONG, line, wrapped
from tui.widgets.text_lines import TextLines
from tui.widgets.tones import GOOD, WARN, Cell, Piece

_COLUMNS = (
    Column("scenario", 28, wide=34),
    Column("RTO", 6),
    Column("RPO", 5),
    Column("restores", 16, priority=1),
    Column("", 8, gap=1),
)
_SCOPES = {Scope.DATABASE: "all of it", Scope.TABLES: "single tables", Scope.NOTHING: "nothing"}
_WAYS = {
    Way.SWAP: "the restored database takes the live one's place",
    Way.MERGE: "what is missing is put back into the live one",
    Way.ADDRESS: "the application is pointed to a fresh server",
    Way.WAIT: "it comes back by itself",
}


class ScenarioScreen(ModalScreen[Scenario | None]):
    """Given the fleet and an incident, dismisses with the scenario that was chosen, None for none. The cursor
    begins on the one that was decided on, else on the one proposed."""

    CSS = """
    ScenarioScreen { align: center middle; background: $background; }
    ScenarioScreen #box {
        width: 100%; max-width: 110; height: 100%; max-height: 30;
        border: solid $warning; border-title-style: bold; background: $background;
    }
    ScenarioScreen LineTable { height: 8; }
    ScenarioScreen TextLines { height: 1fr; padding: 0 1; border-top: solid $rule; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("scenario")
    help_page = "scenario"

    def __init__(self, fleet: Fleet, incident: Incident) -> None:
        super().__init__()
        self._fleet = fleet
        self._incident = incident

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        with Vertical(id="box") as box:
            box.border_title = "What has happened?"
            yield LineTable[Known](_COLUMNS, self._cells, lambda k: k.scenario, enter="decide for it")
            yield TextLines()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Shows the scenarios."""
        table: LineTable[Known] = self.query_one(LineTable)
        table.set_rows(list(SCENARIOS.values()))
        first = self._incident.scenario or self._proposed
        if first is not None:
            table.go_to(first)
        table.focus()

    @property
    def _proposed(self) -> Scenario | None:
        return self._incident.proposal.scenario if self._incident.proposal else None

    def _cells(self, row: Known) -> Sequence[Piece]:
        rto, rpo = targets(self._fleet, row.scenario)
        mark: Piece = ""
        if row.scenario is self._incident.scenario:
            mark = Cell("DECIDED", GOOD)
        elif row.scenario is self._proposed:
            mark = Cell("PROPOSED", WARN)
        lost = show.limit(rpo) if rpo else "none"
        return row.title, show.limit(rto), lost, _SCOPES[row.scope], mark

    @on(LineTable.Highlighted)
    def _moved(self, event: LineTable.Highlighted) -> None:
        event.stop()
        told = self.query_one(TextLines)
        if event.row is not None:
            told.show(scenario_detail(event.row, self._incident, max(40, self.size.width - 6)))

    @on(LineTable.Chosen)
    def _chosen(self, event: LineTable.Chosen) -> None:
        event.stop()
        self.dismiss(event.row.scenario)

    def on_text_lines_resized(self, event: TextLines.Resized) -> None:
        """Folds anew for the room there is."""
        event.stop()
        row = self.query_one(LineTable).cursor_row
        if row is not None:
            self.query_one(TextLines).show(
                scenario_detail(row, self._incident, max(40, self.query_one(TextLines).size.width - 2))
            )

    def action_cancel(self) -> None:
        """Closes; nothing is decided."""
        self.dismiss(None)


def scenario_detail(row: Known, incident: Incident, width: int) -> list[Content]:
    """Given a scenario, returns what it means, how it ends, what to do first, and why it is proposed."""
    made = wrapped(row.what, width, style=STRONG)
    ends = ", or ".join(_WAYS[way] for way in row.ways)
    made += wrapped(f"{ends}.", width, line(("ends   ", FAINT)))
    if row.before_damage:
        made += wrapped("only a backup from before the damage helps.", width, line(("needs  ", FAINT)))
    if row.offsite:
        made += wrapped("a backup that lies off-site.", width, line(("needs  ", FAINT)))
    for sentence in row.steps.get(Step.ASSESS, ()):
        made += wrapped(sentence, width, line(("first  ", FAINT)))
    proposal = incident.proposal
    if proposal is not None and proposal.scenario is row.scenario:
        made += wrapped(clean(proposal.why), width, line(("why    ", FAINT)))
    return made
