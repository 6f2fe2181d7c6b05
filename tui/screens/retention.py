"""What retention would remove and keep, each backup with its reason, and the question before it is done."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.model.amounts import plural
from tui.model.errors import PgdrError, Refused
from tui.model.text import clean
from tui.operations.report import Stopped
from tui.operations.retention.prune import PrunePlan, plan_removal
from tui.operations.retention.retention import Decision, Fate
from tui.screens import go
from tui.screens.backups_rows import troubles
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.list_screen import ListScreen
from tui.screens.rooms import House
from tui.widgets.detail import Detail
from tui.widgets.filter import FilterBar
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.tones import DIM, PLAIN, STRONG, WARN, Cell, Piece, lines

_COLUMNS = (
    Column("", 1, gap=0),
    Column("", 6, value=lambda d: d.fate.value),
    Column("backup", 40, wide=60, value=lambda d: d.ref),
    Column("why", 27, wide=110, priority=1, value=lambda d: d.why),
)
_SAID = {
    Fate.REMOVED: ("✖", "goes", STRONG),
    Fate.REFUSED: ("!", "look", WARN),
    Fate.KEPT: ("", "stays", PLAIN),
}
_NAMED = 6  # of the backups that go: so many by name in the question


class RetentionScreen(ListScreen):
    """Every backup of every store, what goes first, then what a person should look at, then what stays."""

    CSS_PATH = "retention.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bound("retention")
    help_page = "retention"

    class Planned(Message):
        """What would be done, or why that can't be told."""

        def __init__(self, outcome: PrunePlan | PgdrError) -> None:
            super().__init__()
            self.outcome = outcome

    class Done(Message):
        """One was removed, or refused."""

        def __init__(self, decision: Decision) -> None:
            super().__init__()
            self.decision = decision

    class Ended(Message):
        """How many were removed, which weren't, and what ended it early."""

        def __init__(
            self, removed: int, refused: tuple[Decision, ...], left: int, error: PgdrError | None
        ) -> None:
            super().__init__()
            self.left = left
            self.removed = removed
            self.refused = refused
            self.error = error

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house
        self._plan: PrunePlan | None = None
        self._goes = 0  # how many of it
        self.doing = ""
        self._stopping = False
        self._gone: set[str] = set()  # refs of what was removed since the stores were read

    @property
    def must_finish(self) -> bool:
        """Whether something is being removed at this moment."""
        return bool(self.doing)

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._house.bearings, "backups › retention")
        yield FilterBar(always=True, hint="backup, reason")
        yield Detail(id="troubles")
        yield LineTable[Decision](
            _COLUMNS,
            self._cells,
            lambda decision: decision.ref,
            words=lambda decision: clean(f"{_SAID[decision.fate][1]} {decision.ref} {decision.why}"),
            empty="Reading the stores…",
        )
        yield Detail(id="details")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Reads the stores."""
        self.query_one(LineTable).focus()
        self.query_one("#troubles").display = False
        self.action_refresh()

    # Looking

    def action_refresh(self) -> None:
        """Reads the stores anew, and decides anew."""
        if self.doing:
            self.notify(f"One moment: {self.doing}.", markup=False)
            return
        self.waits(True)
        self._read()

    @work(thread=True, exit_on_error=False, exclusive=True)
    def _read(self) -> None:
        try:
            self.post_message(self.Planned(self._house.rooms.retention()))
        except PgdrError as error:
            self.post_message(self.Planned(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the screen must not wait for ever
            self.post_message(self.Planned(_own_fault(error)))

    def on_retention_screen_planned(self, message: Planned) -> None:
        """Shows it."""
        self.waits(False)
        table = self.query_one(LineTable)
        if isinstance(message.outcome, PgdrError):
            table.empty = "What would be removed can't be told."
            table.set_rows(())
            self.app.push_screen(ErrorScreen.of(self._house.bearings, message.outcome))
            return
        plan = self._plan = message.outcome
        self._gone.clear()
        self._goes = len(plan.removed)
        told = f"{self._goes:,} go · {len(plan.refused):,} to look at · {len(plan.kept):,} stay"
        self.query_one(FilterBar).status(told)
        table.empty = "No backup."
        table.set_rows((*plan.removed, *plan.refused, *plan.kept))
        self._show_troubles()
        self._tell()

    def _show_troubles(self) -> None:
        found = self._plan.problems if self._plan is not None else ()
        shown = self.query_one("#troubles", Detail)
        shown.display = bool(found)
        shown.update(lines(*troubles(found, self.size.width - 1)))

    def on_resize(self) -> None:
        """Fits what is told of the stores to the width."""
        self._show_troubles()

    def on_line_table_highlighted(self, message: LineTable.Highlighted) -> None:
        """Shows why."""
        self._tell()

    def _tell(self) -> None:
        chosen = self._chosen
        told: list[Piece] = [f"◌ {self.doing}…"] if self.doing else []
        if chosen is not None:
            _, word, tone = _SAID[chosen.fate]
            told += [Cell(chosen.ref, STRONG), Cell(word, tone), chosen.why]
        self.query_one("#details", Detail).update(lines(*told))
        self.refresh_bindings()

    @property
    def _chosen(self) -> Decision | None:
        tables = self.query(LineTable)
        return tables.first().cursor_row if tables else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        writes = not self._house.bearings.read_only and not self.doing
        if action == "prune":
            return writes and self._goes > 0
        if action == "remove":
            chosen = self._chosen
            return writes and chosen is not None and not chosen.fixed
        return action != "copy" or self._chosen is not None

    def action_copy(self) -> None:
        """Copies the chosen one's name."""
        if self._chosen is not None:
            self.post_message(go.Copy("backup", self._chosen.ref))

    # Removing

    def action_prune(self) -> None:
        """Asks for the fleet's name, then removes what may go."""
        plan, fleet = self._plan, self._house.fleet
        if plan is None or not plan.removed:
            return
        named = [("deletes", decision.ref) for decision in plan.removed[:_NAMED]]
        if len(plan.removed) > _NAMED:
            named.append(("and", f"{len(plan.removed) - _NAMED:,} more, those that “go” in the list"))
        stores = Counter(decision.ref.partition(":")[0] for decision in plan.removed)
        seen, known = self.query_one(LineTable).count
        if seen < known:
            named.append(("MIND", "all of them, those that the filter hides too"))
        facts = [
            *named,
            ("in", ", ".join(f"{store}: {number:,}" for store, number in sorted(stores.items()))),
            ("with each", "all that lies beside it: manifest, roles, verifications"),
            ("stay", f"{len(plan.kept) + len(plan.refused):,}, each for the reason that the list tells"),
            ("way back", "none, but what a versioned store keeps"),
        ]
        asked = ConfirmScreen(
            "Remove what retention lets go",
            facts,
            action=f"delete {plural(len(plan.removed), 'backup')}",
            name=fleet.name,
            prompt="Type the fleet's name",
        )
        self._ask(asked, plan, f"removing {plural(len(plan.removed), 'backup')}")

    def action_remove(self) -> None:
        """Asks for its whole name, then removes the chosen one, whatever retention says of it."""
        chosen, plan = self._chosen, self._plan
        if chosen is None or plan is None:
            return
        try:
            alone = plan_removal(plan, chosen.ref)
        except Refused as error:
            self.app.push_screen(ErrorScreen.of(self._house.bearings, error))
            return
        facts = [
            ("deletes", chosen.ref),
            ("retention", chosen.why),
            ("with it", "all that lies beside it: manifest, roles, verifications"),
            ("way back", "none, but what a versioned store keeps"),
        ]
        asked = ConfirmScreen(
            "Remove one backup", facts, action="delete it", name=chosen.ref, prompt="Type its name"
        )
        self._ask(asked, alone, f"removing {clean(chosen.ref, 80)}")

    def _ask(self, asked: ConfirmScreen, plan: PrunePlan, doing: str) -> None:
        def answered(yes: bool | None) -> None:
            if yes and not self.doing:
                self.doing, self._stopping = doing, False
                self._tell()
                self._carry_out(plan)

        self.app.push_screen(asked, answered)

    @work(thread=True, exit_on_error=False, group="do")
    def _carry_out(self, plan: PrunePlan) -> None:
        removed = 0
        refused: list[Decision] = []

        def told_of(decision: Decision) -> None:
            nonlocal removed
            if decision.fate is Fate.REMOVED:
                removed += 1
            else:
                refused.append(decision)
            self.post_message(self.Done(decision))
            if self._stopping:
                raise Stopped

        error: PgdrError | None = None
        try:
            self._house.rooms.prune(plan, told_of)
        except Stopped:
            pass
        except PgdrError as caught:
            error = caught
        except Exception as caught:  # noqa: BLE001 - whatever it is, the screen must not wait for ever
            error = _own_fault(caught)
        left = len(plan.removed) - removed - len(refused)
        self.post_message(self.Ended(removed, tuple(refused), left, error))

    def on_retention_screen_done(self, message: Done) -> None:
        """Says in its row what became of one."""
        if message.decision.fate is Fate.REMOVED:
            self._gone.add(message.decision.ref)
        self.query_one(LineTable).put(message.decision)

    def on_retention_screen_ended(self, message: Ended) -> None:
        """Tells what became of it, and looks again."""
        self.doing = ""
        error = message.error
        if error is None and message.refused:
            first = message.refused[0]
            error = PgdrError(
                f"{plural(len(message.refused), 'backup')} could not be removed.",
                f"{clean(first.ref, 120)}: {first.why}",
                "Look at what is left of it with R. A store may have it locked for a while.",
            )
        removed = f"{plural(message.removed, 'backup')} removed"
        if message.left:
            removed += f", {message.left:,} left"
        if error is None:
            self.notify(f"{removed}.", markup=False)
        else:
            safe = f"{removed}; those that the list still shows are there."
            self.app.push_screen(ErrorScreen.of(self._house.bearings, error, safe=safe))
        self.action_refresh()

    def action_leave(self) -> None:
        """Leaves; what is being removed ends after the one at work, so that it is known how it ended."""
        if self.doing:
            self._stopping = True
            self.notify("It ends after the one that is being removed. Then you can leave.", markup=False)
            return
        self.app.pop_screen()

    def _cells(self, decision: Decision) -> list[Piece]:
        shape, word, tone = _SAID[decision.fate]
        if decision.ref in self._gone:
            shape, word, tone = "", "gone", DIM
        return [Cell(shape, tone), Cell(word, tone), decision.ref, Cell(decision.why, DIM)]


def _own_fault(error: Exception) -> PgdrError:
    # Its own text could hold anything
    return PgdrError(
        f"pgdr itself went wrong: {type(error).__name__}.",
        mend="Try it on the command line, which may say more: pgdr prune --dry-run",
    )
