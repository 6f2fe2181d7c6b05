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
from tui.incident.scenarios import Way, known
from tui.incident.steps.merge import weighed
from tui.model.backup import Verdict
from tui.model.errors import PgdrError
from tui.model.event import JobState
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepStatus
from tui.model.plan import RestorePlan
from tui.model.progress import Progress
from tui.model.scenario import Scenario
from tui.operations.report import Clock
from tui.operations.verify.verify import count_tables
from tui.postgres.facts.facts import schema
from tui.postgres.merge.merge import MergeOptions

Counts = dict[tuple[str, str], int | None]

_KNOWN_AS = {
    "dropped-database": Scenario.DATABASE_CORRUPTION,
    "truncated-table": Scenario.ACCIDENTAL_DELETION,
    "corrupt-rows": Scenario.DATABASE_CORRUPTION,
    "bad-migration": Scenario.BAD_MIGRATION,
    "instance-loss": Scenario.INSTANCE_LOST,
}
_SEEN_IN_PART = ("corrupt-rows",)  # prices and names are garbage too, which no check asks about

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
    _decide(guide, disaster, narrate)
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
    plan = _plan(guide, narrate)
    for finding in plan.findings:
        narrate(f"restore  {finding.level.value}: {finding.what}")
    guide.start_restore(database.dbname, plan)
    ended = _wait(guide, narrate)
    guide.finish_restore()
    if ended.state is JobState.DONE and ended.verdict is not Verdict.FAILED:
        guide.verify(lambda c: narrate(f"verify   {c.name}: expected {c.expected}, found {c.found}"))
        if guide.incident.record(Step.VERIFY).status is StepStatus.DONE:
            _resume(guide, narrate)
    if guide.in_use:
        for sent in guide.notify(guide.message()):
            narrate(f"notify   {sent.channel}: {sent.error or 'told that it is over'}")
    incident = guide.close("recovered" if guide.in_use else "not recovered")
    return _recovery(database, disaster, incident, ended, before, str(guide.report_path))


def _decide(guide: Guide, disaster: str, narrate: Callable[[str], None]) -> None:
    """Decides for what the assessment proposes, unless it can't tell or more is known than it can see."""
    proposal = guide.incident.proposal
    if proposal is not None and proposal.scenario is not None and disaster not in _SEEN_IN_PART:
        scenario, why, tables = proposal.scenario, proposal.why, proposal.tables
    else:
        scenario, tables = _KNOWN_AS[disaster], ()
        why = "The demo did it, and knows that more is wrong than the checks can see."
    guide.decide(scenario, why, tables=tables)
    about = f" ({', '.join(guide.incident.tables)})" if guide.incident.tables else ""
    narrate(f"assess   decided: {known(scenario).title}{about}")


def _plan(guide: Guide, narrate: Callable[[str], None]) -> RestorePlan:
    """Plans, on the fresh server where the old one is lost: in the demo it stands in the old one's place. The
    roles that it misses are made first."""
    database = guide.database
    if guide.wants_address:
        guide.set_address(f"{database.endpoint.host}:{database.endpoint.port}")
        narrate(f"restore  onto the fresh server at {database.endpoint.host}:{database.endpoint.port}")
    plan = guide.plan()
    if not plan.roles:
        return plan
    guide.make_roles(database.dbname, plan.roles)
    for statement in plan.roles:
        narrate(f"restore  {statement}")
    return guide.plan()


def _resume(guide: Guide, narrate: Callable[[str], None]) -> None:
    """Merges where only single tables were restored, or rows are missing and nothing else is; else swaps."""
    name = guide.database.dbname
    if guide.ways == (Way.MERGE,) or (Way.MERGE in guide.ways and _only_misses_rows(guide)):
        for said in weighed(guide.incident.differences).words:
            narrate(f"resume   {said}")
        # What differs in a table that is corrupt is what is wrong with it.
        update = guide.incident.scenario is Scenario.TABLE_CORRUPTION
        guide.merge(name, guide.merge_plan(), MergeOptions(update_changed=update))
        narrate(f"resume   merged into {name}")
    else:
        guide.swap(name)
        narrate(f"resume   {name} is the restored one")
    if guide.incident.address is not None:
        handed = guide.hand_over(name, run=False).handed
        narrate(f"resume   the application's address: {handed.url if handed else ''}")
    for check in guide.ask_live():
        narrate(f"resume   {check.name}: expected {check.expected}, found {check.found}")
    narrate(f"resume   health: {guide.ask_health() or 'no address'}")


def _only_misses_rows(guide: Guide) -> bool:
    guide.compare()
    seen = weighed(guide.incident.differences)
    return bool(seen.missing) and not (seen.changed or seen.unknown)


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
    after = count_all(database) if incident.outcome == "recovered" else {}
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
