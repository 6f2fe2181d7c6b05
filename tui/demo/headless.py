"""One whole recovery without a person: the demo's proof that the way goes through.

It confirms by itself what a person would type, so it is for disposable servers only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.incident.report import data_lost, recovery_time
from tui.model.backup import Verdict
from tui.model.errors import PgdrError
from tui.model.event import JobState
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepStatus
from tui.model.progress import Progress
from tui.operations.report import Clock
from tui.operations.verify import count_tables
from tui.postgres.facts import schema

Counts = dict[tuple[str, str], int | None]

_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step of the six, how it ended and how long it took."""

    name: str
    status: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a whole recovery came to; `counts_equal` tells whether every table has the rows it had before."""

    database: str
    disaster: str
    incident: str
    steps: tuple[StepTaken, ...]
    verdict: Verdict | None
    rto_s: float | None
    rpo_s: float | None
    counts_equal: bool
    rows: int
    report: str


def count_all(database: Database) -> Counts:
    """Every table of the live database with its exact rows."""
    return count_tables(database, tuple((t.schema, t.name) for t in schema(database)))


def recover(
    fleet: Fleet,
    state: Path,
    database: Database,
    disaster: str,
    before: Counts,
    now: Clock,
    narrate: Callable[[str], None],
) -> Recovery:
    """Recovers `database` by the six steps, as a person would who follows the advice, and compares its
    tables with `before`. `narrate` gets a line for each thing that happens.

    Raises PgdrError when no backup is advised, or a step can't be done.
    """
    book = Book(state)
    guide = Guide(fleet, state, book, book.declare(database.name, "demo", now()), "demo", now)
    guide.assess(lambda f: narrate(f"assess   {f.level.value}: {f.what}"))
    found, problems = guide.candidates()
    for problem in problems:
        narrate(f"pick     store {problem.store}: {problem.what}")
    advised = next((c for c in found if c.advised), None)
    if advised is None:
        raise PgdrError("No backup is advised for this recovery.", mend="See them with: pgdr backups")
    guide.pick(advised)
    narrate(f"pick     {advised.backup.ref}: {advised.why}")
    for sent in guide.notify(guide.message()):
        narrate(f"notify   {sent.channel}: {sent.error or 'told'}")
    plan = guide.plan()
    for finding in plan.findings:
        narrate(f"restore  {finding.level.value}: {finding.what}")
    guide.start_restore(database.dbname, plan)
    ended = _wait(guide, narrate)
    guide.finish_restore()
    if ended.state is JobState.DONE and ended.verdict is not Verdict.FAILED:
        guide.verify(lambda c: narrate(f"verify   {c.name}: expected {c.expected}, found {c.found}"))
        if guide.incident.record(Step.VERIFY).status is StepStatus.DONE:
            guide.swap(database.dbname)
            health = guide.ask_health() or "no address"
            narrate(f"resume   {database.dbname} is the restored one; health: {health}")
    incident = guide.close("recovered" if guide.incident.swap else "not recovered")
    return _recovery(database, disaster, incident, ended, before, str(guide.report_path))


def _wait(guide: Guide, narrate: Callable[[str], None]) -> Progress:
    told = -1
    while True:
        picture = guide.restore_picture()
        assert picture is not None
        tenth = int(picture.fraction * 10)
        if tenth != told:
            told = tenth
            percent = picture.fraction * 100
            narrate(f"restore  {percent:.0f} %, {picture.items_done} of {picture.items_total} items")
        if picture.state is not JobState.RUNNING:
            for error in picture.errors:
                narrate(f"restore  {error.error_class.value}: {error.message}")
            if picture.message:
                narrate(f"restore  {picture.message}")
            return picture
        time.sleep(_LOOK_EVERY_S)


def _recovery(
    database: Database, disaster: str, incident: Incident, ended: Progress, before: Counts, report: str
) -> Recovery:
    after = count_all(database) if incident.swap else {}
    failed = [r for r in incident.steps if r.status is not StepStatus.DONE]
    rto, lost = recovery_time(incident), data_lost(incident)
    return Recovery(
        database=database.name,
        disaster=disaster,
        incident=incident.id,
        steps=tuple(
            StepTaken(
                r.step.value,
                r.status.value,
                (r.ended_at - r.began_at).total_seconds() if r.ended_at and r.began_at else 0.0,
            )
            for r in incident.steps
        ),
        verdict=Verdict.FAILED if failed or after != before else ended.verdict,
        rto_s=rto.total_seconds() if rto else None,
        rpo_s=lost.total_seconds() if lost else None,
        counts_equal=after == before,
        rows=sum(count or 0 for count in after.values()),
        report=report,
    )
