"""Step 2, pick: the backups there are, what each would lose and take, which one is advised and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content

from tui.incident.candidates import Candidate
from tui.model import amounts as show
from tui.model.backup import Backup, StoreProblem, TableContents, Verdict
from tui.model.incident import Incident, Step
from tui.model.text import clean
from tui.screens.recovery.compare import CompareScreen
from tui.screens.recovery.pane import StepPane
from tui.screens.recovery.reason import ReasonScreen
from tui.widgets.finding_lines import finding_lines
from tui.widgets.format import share
from tui.widgets.keys import bound
from tui.widgets.line_table import Column, LineTable
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, WARN, fit, line, right, wrapped
from tui.widgets.plan_lines import span
from tui.widgets.rows import joined
from tui.widgets.scenario_lines import advice_lines
from tui.widgets.text_lines import TextLines
from tui.widgets.tones import BAD as BAD_TONE
from tui.widgets.tones import GOOD as GOOD_TONE
from tui.widgets.tones import STRONG as STRONG_TONE
from tui.widgets.tones import WARN as WARN_TONE
from tui.widgets.tones import Cell, Piece

_COLUMNS = (
    Column("taken (UTC)", 11),
    Column("data lost", 15),
    Column("takes", 9),
    Column("size", 6, right=True, priority=2),
    Column("verified", 8, priority=3),
    Column("store", 8, wide=16, priority=1),
    Column("", 7, gap=1),
)


class CandidateTable(LineTable[Candidate]):
    """The candidates; enter picks the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = bound("candidates")


class PickPane(StepPane):
    """Shows the candidates, the usable ones first, and what is inside the one under the cursor; enter picks
    it, `c` on two of them compares them."""

    step = Step.PICK
    BINDINGS: ClassVar[list[BindingType]] = bound("pick")

    _candidates: tuple[Candidate, ...] | None = None
    _problems: tuple[StoreProblem, ...] = ()
    _ranked_for: tuple[object, ...] = ()
    _first: Candidate | None = None  # of two to be compared

    def compose(self) -> ComposeResult:
        """Makes the pane."""
        with Horizontal(id="pick-both"):
            yield CandidateTable(_COLUMNS, self._cells, lambda c: c.backup.ref, id="pick-table")
            yield TextLines(id="pick-detail")

    def opened(self) -> None:
        """Reads the stores the first time, and when they were ranked for another scenario or time."""
        self._table.focus()
        if (self._candidates is None or self._ranked_for != self._decision) and not self.doing:
            self.action_read_again()
        self.draw()

    @property
    def _decision(self) -> tuple[object, ...]:
        incident = self.desk.incident
        return incident.scenario, incident.damaged_at, incident.tables, incident.address

    @property
    def _table(self) -> CandidateTable:
        return self.query_one("#pick-table", CandidateTable)

    def action_read_again(self) -> None:
        """Reads the stores anew."""
        self._ranked_for = self._decision
        self.ask(
            "reading the stores and looking inside the newest backups", self.guide.candidates, self._read
        )

    def _read(self, answer: tuple[tuple[Candidate, ...], tuple[StoreProblem, ...]]) -> None:
        self._candidates, self._problems = answer
        table = self._table
        table.empty = "No backup of this database was found." if not self._candidates else ""
        table.set_rows(self._candidates)
        advised = next((c.backup.ref for c in self._candidates if c.advised), None)
        wanted = self.desk.incident.ref or self.desk.wanted or advised
        if wanted is not None:
            table.go_to(wanted)

    @on(LineTable.Highlighted, "#pick-table")
    def _moved(self, event: LineTable.Highlighted) -> None:
        event.stop()
        self.draw()

    @on(LineTable.Chosen, "#pick-table")
    def _chosen(self, event: LineTable.Chosen) -> None:
        """Picks: nothing is touched by it, so it isn't asked twice; one advised against needs a reason."""
        event.stop()
        if not self.desk.may_write:
            self.notify("Nothing can be picked: read-only, or the incident is closed.", markup=False)
            return
        candidate: Candidate = event.row
        if candidate.usable:
            self._pick(candidate, "")
            return

        def given(reason: str | None) -> None:
            if reason:
                self._pick(candidate, reason)

        self.app.push_screen(ReasonScreen("Use it against the advice", candidate.why, "use it"), given)

    def _pick(self, candidate: Candidate, reason: str) -> None:
        pick = partial(self.guide.pick, candidate, reason)
        self.ask("writing it down", pick, self._picked, must_finish=True)

    def action_compare(self) -> None:
        """Marks the candidate under the cursor as the first of two; with one marked, compares the two."""
        row, first = self._table.cursor_row, self._first
        if row is None:
            return
        if first is None or first.backup.ref == row.backup.ref:
            self._first = row if first is None else None
            self._table.redraw()
            self.draw()
            return
        self.ask("looking into both", lambda: self._both(first, row), self._compared)

    def _both(self, one: Candidate, other: Candidate) -> tuple[Candidate, Candidate]:
        return self.guide.look_inside(one), self.guide.look_inside(other)

    def _compared(self, both: tuple[Candidate, Candidate]) -> None:
        self._first = None
        self._table.redraw()
        self.app.push_screen(CompareScreen(self.desk.bearings, *both))

    def _picked(self, incident: Incident) -> None:
        self._table.redraw()
        self.post_message(self.Go(Step.NOTIFY))

    def draw(self) -> None:
        """Shows what is inside the candidate under the cursor."""
        detail = self.query_one("#pick-detail", TextLines)
        width = max(40, detail.size.width - 2)
        made = [*self.trouble(), *self.waiting()]
        if self._first is not None:
            made.append(line(("marked", STRONG), ": c on another one compares the two."))
        for problem in self._problems:
            about = line((f"! {clean(problem.store)} could not be read ", WARN))
            made += wrapped(
                clean(" ".join(filter(None, (problem.what, problem.why, problem.mend)))), width, about
            )
        row = self._table.cursor_row
        if row is not None:
            made += candidate_lines(row, width, self.desk.now())
        advice = advice_lines(self.desk.incident, self.step, width)
        if advice:
            made += [BLANK, *advice]
        detail.show(made)

    def _cells(self, candidate: Candidate) -> Sequence[Piece]:
        backup = candidate.backup
        lost, takes = show.age(candidate.age), show.age(candidate.estimate.high)
        advice: Piece = "" if candidate.usable else Cell("no", WARN_TONE)
        if candidate.advised:
            advice = Cell("ADVISED", GOOD_TONE)
        if backup.ref == self.desk.incident.ref:
            advice = Cell("PICKED", STRONG_TONE)
        if self._first is not None and backup.ref == self._first.backup.ref:
            advice = Cell("marked", STRONG_TONE)
        return (
            show.day_minute(backup.sort_time),
            f"{lost:<6} ok" if candidate.within_rpo else Cell(f"{lost:<6} EXCEEDS", WARN_TONE),
            f"{takes:<4} ok" if candidate.within_rto else Cell(f"{takes:<4} LATE", WARN_TONE),
            show.size(backup.size_bytes),
            self._verified(candidate),
            clean(backup.store),
            advice,
        )

    def _verified(self, candidate: Candidate) -> Piece:
        done = candidate.backup.verification
        if done is None:
            return "never"
        if done.verdict is Verdict.FAILED:
            return Cell("FAILED", BAD_TONE)
        return f"{show.age(self.desk.now() - done.at)} ago"


def candidate_lines(candidate: Candidate, width: int, now: datetime) -> list[Content]:
    """Given a candidate and the time, returns why it is advised or not, whether it is complete, where it
    lies, when it was verified, how long it takes, and what is in it."""
    backup, inside = candidate.backup, candidate.description
    if candidate.advised:
        advice = ("✔ advised  ", GOOD)
    else:
        advice = ("· not advised  " if candidate.usable else "✘ not advised  ", WARN)
    made = [fit(line((clean(backup.ref), STRONG)), width).rstrip()]
    made += wrapped(clean(candidate.why), width, line(advice))
    whole = {True: "complete", False: "NOT COMPLETE", None: "whether it is complete is not known"}
    place = "off-site" if candidate.offsite else "on-site"
    made += wrapped(
        f"{whole[candidate.complete]} · {place} ({clean(backup.store)}) · {verified(backup, now)}", width
    )
    estimate = candidate.estimate
    takes = span(estimate)
    facts: list[Content | str] = [line(("takes ", FAINT), takes, (f" ({clean(estimate.basis)})", FAINT))]
    if inside is None:
        return [*made, joined(facts), line(("Not looked inside; the screen of the backups can.", FAINT))]
    if inside.manifest is not None:
        facts += [f"from {clean(inside.manifest.server_version)}", f"{show.count(inside.manifest.rows)} rows"]
    elif inside.contents is not None and inside.contents.server_version:
        facts.append(f"from {clean(inside.contents.server_version)}")
    made.append(joined(facts))
    made += finding_lines([f for f in inside.problems if f.level.value != "ok"], width, "DAMAGED")
    if inside.tables:
        made += table_lines(inside.tables, width)
    elif inside.contents is None:
        made.append(line(("✘ its contents can't be read", BAD)))
    return made or [BLANK]


def verified(backup: Backup, now: datetime) -> str:
    """When and how a backup was verified, in words."""
    done = backup.verification
    if done is None:
        return "never verified"
    said = {
        Verdict.CLEAN: "restored and checked, clean",
        Verdict.EXPLAINED: "restored and checked, with differences that are explained",
        Verdict.FAILED: "restored and FAILED its checks",
    }
    return f"{said[done.verdict]}, {show.age(now - done.at)} ago"


def table_lines(tables: Sequence[TableContents], width: int) -> list[Content]:
    """Given a backup's tables, returns a line for each: rows, compressed bytes, its share as a bar."""
    largest = max((table.compressed_bytes or 0 for table in tables), default=0)
    bar = max(8, min(22, width - 58))
    made = []
    for table in tables:
        name = clean(table.name if table.schema == "public" else f"{table.schema}.{table.name}")
        made.append(
            line(
                "  ",
                fit(line(name), max(14, min(30, width - bar - 34))),
                right(line(f"{show.count(table.rows)} rows" if table.rows is not None else ""), 18),
                right(line(show.size(table.compressed_bytes)), 10),
                "   ",
                share(table.compressed_bytes, largest, bar),
            )
        )
    return made
