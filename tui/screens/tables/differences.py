"""How restored tables differ from the live ones, and the offer to merge back what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from tui.model import amounts as show
from tui.model.difference import MergeBlocked, MergedTable, TableDifference
from tui.model.text import clean
from tui.screens.confirm import ConfirmScreen
from tui.screens.error import ErrorScreen
from tui.screens.tables import difference_lines as rows
from tui.screens.tables.desk import TableDesk, TableName, Wishes
from tui.widgets.detail import Detail
from tui.widgets.header import StatusHeader
from tui.widgets.keys import KeyFooter, bound
from tui.widgets.lines import FAINT, line, wrapped
from tui.widgets.mark_table import MarkTable

if TYPE_CHECKING:
    from tui.operations.restore.tables import MergePlan

_LOOK_S = 0.5


class _Left(Exception):
    """The screen was left: what only reads ends."""


class DifferencesScreen(Screen[None]):
    """Compares `tables` (`schema.table`) of the database `restored` with the live ones, and merges back what
    those that are marked miss."""

    CSS = """
    DifferencesScreen { background: $background; }
    DifferencesScreen #state { height: auto; max-height: 40%; padding: 0 1; border-bottom: solid $border; }
    DifferencesScreen #details { height: 9; max-height: 40%; padding: 0 1; border-top: solid $border; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bound("differences")
    help_page = "differences"

    class Compared(Message):
        """One more table is compared."""

        def __init__(self, difference: TableDifference) -> None:
            super().__init__()
            self.difference = difference

    def __init__(self, desk: TableDesk, restored: str, tables: Sequence[str]) -> None:
        super().__init__()
        self._desk = desk
        self._restored = restored
        self._tables = tuple(tables)
        self._wishes = Wishes()
        self.doing = ""  # what is being waited for, in words
        self.must_finish = False  # whether leaving has to wait for it
        self._reading: tuple[TableName, int, int] | None = None
        self._left = False
        self._dropped = False
        self._merged: tuple[MergedTable, ...] = ()
        self._plan: MergePlan | None = None
        self._then: Callable[[Any], None] | None = None
        self._ticking: Timer | None = None

    def compose(self) -> ComposeResult:
        """Makes the screen."""
        yield StatusHeader(self._desk.bearings, "tables › differences")
        yield Detail(id="state")
        yield MarkTable[TableDifference](
            rows.COLUMNS,
            lambda found: rows.cells(found, self._table.sign(found)),
            lambda found: found.table,
            empty="Comparing…",
        )
        yield Detail(id="details")
        yield KeyFooter()

    @property
    def _table(self) -> MarkTable[TableDifference]:
        return self.query_one(MarkTable)

    def on_mount(self) -> None:
        """Begins to compare."""
        self._ticking = self.set_interval(_LOOK_S, self._show, pause=True)
        self._table.focus()
        self.action_compare()

    def on_unmount(self) -> None:
        """Ends what only reads."""
        self._left = True

    # Comparing

    def action_compare(self) -> None:
        """Compares all the tables anew."""
        self._table.set_rows(())

        def told(difference: TableDifference) -> None:
            self.post_message(self.Compared(difference))

        self._ask(
            "comparing",
            lambda: self._desk.compare(self._restored, self._tables, told, self._on_rows),
            self._all_compared,
        )

    def _on_rows(self, table: TableName, live: int, restored: int) -> None:
        if self._left:
            raise _Left
        self._reading = table, live, restored

    def on_differences_screen_compared(self, message: Compared) -> None:
        """Shows one more."""
        self._table.add_rows([message.difference])
        self._show()

    def _all_compared(self, found: tuple[TableDifference, ...]) -> None:
        self._reading = None
        self._table.set_rows(found)
        self._table.set_marks(d.table for d in found if d.missing)

    # Merging

    @property
    def _chosen(self) -> list[TableDifference]:
        tables = self.query(MarkTable)
        if not tables:
            return []
        table = tables.first()
        return [d for d in table.rows if d.table in table.marked and d.reason is None]

    def action_merge(self) -> None:
        """Looks at what merging would do, asks, and does it."""
        self._ask("planning", lambda: self._desk.plan(self._restored, self._chosen), self._ask_to_merge)

    def _ask_to_merge(self, plan: MergePlan) -> None:
        self._plan = plan
        update = self._wishes.update_changed
        facts = [("live", f"{clean(plan.live)} on {plan.host}:{plan.port}"), ("from", clean(plan.restored))]
        for table in plan.tables:
            changed = table.difference.changed or 0
            said = f"{table.before:,} rows now, {table.after:,} after"
            said += f", {show.plural(changed, 'changed row')} OVERWRITTEN" if update and changed else ""
            facts.append((clean(".".join(table.difference.table), 30), said))
        if any(t.triggers for t in plan.tables):
            named = sorted({t for table in plan.tables for t in table.triggers})
            word = "FIRE" if self._wishes.triggers else "are switched off meanwhile"
            facts.append(("triggers", f"{word}: {', '.join(clean(t, 40) for t in named[:6])}"))
        facts += [(f.level.value, f.what) for f in plan.findings if "will fire" not in f.what]
        facts.append(("how", "one transaction: all of it or nothing; writers wait meanwhile, readers go on"))
        if plan.stops:
            facts.append(("so", "it can't be merged like this"))
            self.app.push_screen(ConfirmScreen("Merge", facts, action="back"))
            return
        self._confirm("Merge missing rows back", facts, "merge", self._wishes)

    def _confirm(self, title: str, facts: list[tuple[str, str]], action: str, wishes: Wishes) -> None:
        plan = self._plan
        assert plan is not None

        def answered(yes: bool | None) -> None:
            if yes:
                self._ask("merging", lambda: self._desk.merge(plan, wishes), self._done, must_finish=True)

        self.app.push_screen(
            ConfirmScreen(
                title, facts, action=action, name=plan.live, prompt="Type the name of the live database"
            ),
            answered,
        )

    def _done(self, merged: tuple[MergedTable, ...]) -> None:
        self._merged = merged
        self.call_after_refresh(self.action_compare)

    def _blocked(self, error: MergeBlocked) -> None:
        """Nothing was merged; offers to leave out the rows that stand in the way."""
        facts = [("nothing", "was changed")]
        facts += [("can't go in", str(blocked)) for blocked in error.blocked[:6]]
        facts.append(("or", "merge the tables that they refer to as well: mark them before"))
        wishes = Wishes(self._wishes.triggers, self._wishes.update_changed, skip_blocked=True)
        self._confirm("Leave these rows out?", facts, "merge the others", wishes)

    def action_triggers(self) -> None:
        """Whether the tables' own triggers fire."""
        self._wishes = Wishes(not self._wishes.triggers, self._wishes.update_changed)
        self._show()

    def action_update(self) -> None:
        """Whether changed rows get the backup's values too."""
        self._wishes = Wishes(self._wishes.triggers, not self._wishes.update_changed)
        self._show()

    # The rest

    def action_drop(self) -> None:
        """Asks, then drops the scratch database."""
        facts = [
            ("drops", f"{clean(self._restored)}, the scratch database with the restored tables"),
            ("kept", f"{clean(self._desk.database.dbname)} and the backup; it can be restored again"),
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                self._ask("dropping", lambda: self._desk.drop(self._restored), self._gone, must_finish=True)

        self.app.push_screen(
            ConfirmScreen("Drop the scratch database", facts, action="drop", name=self._restored), answered
        )

    def _gone(self, _: None) -> None:
        self._dropped = True
        self.notify(f"{self._restored} is dropped.", markup=False)

    def action_copy(self) -> None:
        """Copies all of it as text."""
        self.notify(self._desk.copy("differences", rows.text_of(tuple(self._table.rows))), markup=False)

    def action_leave(self) -> None:
        """Goes back; not while something is being changed."""
        if self.must_finish:
            self.notify(f"One moment: {self.doing}.", markup=False)
        else:
            self.app.pop_screen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is offered where it works."""
        if action in ("merge", "triggers", "update", "drop", "compare"):
            free = not self.doing and not self._dropped
            write = action == "compare" or not self._desk.bearings.read_only
            return free and write and (action != "merge" or bool(self._chosen))
        return True

    # Asking and showing

    def _ask(
        self, doing: str, call: Callable[[], Any], then: Callable[[Any], None], *, must_finish: bool = False
    ) -> None:
        if self.doing:
            self.notify(f"Still at it: {self.doing}", markup=False)
            return
        self.doing, self.must_finish, self._then = doing, must_finish, then
        if self._ticking is not None:
            self._ticking.resume()
        self.run_worker(call, thread=True, group="tables", exit_on_error=False)
        self._show()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Takes what came of it, or why nothing did."""
        if event.worker.group != "tables" or event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        self.doing, self.must_finish = "", False
        if self._ticking is not None:
            self._ticking.pause()
        error = event.worker.error
        if event.state is WorkerState.SUCCESS and self._then is not None:
            self._then(event.worker.result)
        elif isinstance(error, MergeBlocked):
            self._blocked(error)
        elif error is not None and not isinstance(error, _Left):
            self.app.push_screen(ErrorScreen.of(self._desk.bearings, error, copy=self._desk.copy))
        self._table.empty = "Nothing to compare."
        self._show()

    def on_line_table_highlighted(self) -> None:
        """Shows what is known of the table under the cursor."""
        self._show()

    def on_mark_table_marked(self) -> None:
        """Shows what would be merged now."""
        self._show()

    def _show(self) -> None:
        state, details = self.query_one("#state", Detail), self.query_one("#details", Detail)
        width = max(40, self.size.width - 3)
        state.update(Content("\n").join(self._state_lines(width)))
        row = self._table.cursor_row
        details.update(Content("\n").join(rows.details(row, width) if row is not None else []))
        self.refresh_bindings()

    def _state_lines(self, width: int) -> list[Content]:
        made = wrapped(clean(self._restored), width, line(("restored  ", FAINT)))
        made += wrapped(clean(self._desk.database.dbname), width, line(("live      ", FAINT)))
        if self.doing:
            made.append(line((f"◌ {self.doing}…{self._rows_read()}", FAINT)))
        elif self._dropped:
            made.append(line("The scratch database is dropped."))
        else:
            missing = sum(d.missing or 0 for d in self._chosen)
            said = f"merging puts {show.plural(missing, 'row')} back; triggers "
            said += "fire" if self._wishes.triggers else "off"
            said += "; changed rows OVERWRITTEN" if self._wishes.update_changed else "; changed rows stay"
            made.append(line(said))
        return made + rows.outcome(self._merged, width)

    def _rows_read(self) -> str:
        if self._reading is None:
            return ""
        table, live, restored = self._reading
        return f" {clean('.'.join(table), 40)}: {live:,} live rows, {restored:,} restored"
