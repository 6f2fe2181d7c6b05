"""`drill`: rehearse a recovery in a scratch database and record its RTO and RPO. Nobody is notified."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.model import codec
from tui.model.amounts import duration, limit, minute
from tui.model.backup import Backup, StoreProblem
from tui.model.errors import PgdrError, Refused, Unreachable, UsageError
from tui.model.fleet import Database, Fleet
from tui.model.text import clean
from tui.verbs.context import Context, database_named, database_of

if TYPE_CHECKING:
    from tui.model.progress import Progress
    from tui.operations.records import Drill


@dataclass(frozen=True, slots=True)
class _Chosen:
    database: Database
    backup: Backup


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 clean, 3 explained, 1 failed, 4 when the plan says stop, 5 unreachable; of several the
    worst."""
    context.refuse_if_read_only("A DRILL, which makes a scratch database and drops it,")
    fleet, console = context.fleet(), context.console
    if arguments.all == (arguments.database is not None):
        raise UsageError("A DRILL is of one database, or of --all.", mend="Name one of them.")
    if arguments.all:
        if arguments.ref or arguments.table:
            raise UsageError("--from and --table are for a DRILL of one database.")
        return _all(context, fleet)
    database = database_named(fleet, arguments.database)
    kind = "table" if arguments.table else "recovery"
    document, code = _one(context, fleet, database, kind, arguments.ref, tuple(arguments.table))
    if console.json_wanted:
        console.json(document)
    return code


def _all(context: Context, fleet: Fleet) -> int:
    """The loss of everything: each database, the most critical first; a failure of one stops no other."""
    documents: list[dict[str, Any]] = []
    codes: list[int] = []
    for database in sorted(fleet.databases, key=lambda d: d.criticality.rank):
        try:
            document, code = _one(context, fleet, database, "full", None, ())
        except PgdrError as error:
            context.console.narrate(f"DRILL {database.name}: {error}")
            names = ("verdict", "rto_s", "rpo_s", "due_next_at")
            document = {"database": database.name, **dict.fromkeys(names), "error": str(error)}
            code = error.exit_code
        documents.append(document)
        codes.append(code)
    if context.console.json_wanted:
        context.console.json(documents)
    return next((code for code in (1, 2, 4, 5, 3) if code in codes), 0)


def _one(
    context: Context, fleet: Fleet, database: Database, kind: str, ref: str | None, tables: tuple[str, ...]
) -> tuple[dict[str, Any], int]:
    from tui.incident.scenarios import targets
    from tui.jobs.job import JobSpec, new_id
    from tui.model.event import JobKind
    from tui.model.scenario import Scenario
    from tui.operations.plan.plan import plan_restore
    from tui.operations.records import drills
    from tui.operations.verify.drill import due_next
    from tui.postgres.databases.databases import fresh_name
    from tui.verbs.following import errors_of, exit_code, start_and_follow, tell_end

    console, state, began = context.console, context.state_directory(), context.now()
    scenario = {"table": Scenario.TABLE_CORRUPTION, "full": Scenario.SITE_LOST}.get(kind)
    rto = (targets(fleet, scenario)[0] if scenario else None) or database.rto
    backup = _named(fleet, database, ref) if ref else _newest(context, fleet, database, began)
    console.narrate(f"DRILL {database.name}: from {backup.ref}, taken {minute(backup.sort_time)} UTC")
    target = fresh_name(database.dbname, "drill", began)
    plan = plan_restore(fleet, state, database, backup.ref, target=target, tables=tables, now=began)
    for finding in plan.findings:
        if finding.level.value != "ok":
            console.narrate(f"DRILL {database.name}: {finding.level.value}: {finding.what}")
    if plan.stops:
        raise Refused(f"DRILL {database.name}: {plan.stops[0].what}", mend=plan.stops[0].mend)
    assert fleet.source is not None
    picture = start_and_follow(
        context,
        JobSpec(
            id=new_id(JobKind.DRILL, began),
            kind=JobKind.DRILL,
            config=fleet.source.resolve(),
            database=database.name,
            operator=context.operator(),
            ref=backup.ref,
            target=target,
            tables=tables,
            workers=plan.jobs,
            rto_s=rto.total_seconds(),
            drill=kind,
            began_at=began,
            data_at=backup.created_at,
        ),
    )
    tell_end(context, picture)
    made = next((d for d in reversed(drills(state, database.name)) if d.job == picture.job), None)
    due = due_next(fleet, kind, made.at) if made else None
    _tell(context, database, kind, rto.total_seconds(), picture, made, due)
    return {
        "database": database.name,
        "verdict": made.verdict.value if made else None,
        "rto_s": made.rto_s if made else None,
        "rpo_s": made.rpo_s if made else None,
        "due_next_at": codec.plain(due) if due else None,
        "kind": kind,
        "ref": backup.ref,
        "job": picture.job,
        "rto_target_s": rto.total_seconds(),
        "rpo_target_s": database.rpo.total_seconds(),
        "checks": [codec.plain(check) for check in picture.checks],
        "errors": errors_of(picture),
        "message": picture.message,
    }, exit_code(picture)


def _newest(context: Context, fleet: Fleet, database: Database, now: datetime) -> Backup:
    from tui.operations.catalogue.catalogue import backups
    from tui.operations.verify.drill import pick

    found: list[Backup] = []
    problems: list[StoreProblem] = []
    backups(fleet, None, found.extend, problems.append)
    for problem in problems:
        context.console.narrate(f"DRILL {database.name}: store {problem.store}: {problem.what}")
    try:
        return pick(fleet, database, found, now)
    except PgdrError as error:
        if problems:
            raise Unreachable(
                error.what, f"But {problems[0].store} could not be read: {problems[0].what}", problems[0].mend
            ) from error
        raise


def _named(fleet: Fleet, database: Database, ref: str) -> Backup:
    from tui.operations.catalogue.catalogue import describe, split_ref
    from tui.stores.open import open_store

    spec, key = split_ref(fleet, ref)
    backup = describe(open_store(spec), key, fleet).backup
    if backup.database != database.dbname:
        of = database_of(fleet, backup, None).name
        raise UsageError(f"{clean(ref, 200)} is a backup of {of}, not of {database.name}.")
    return backup


def _tell(
    context: Context,
    database: Database,
    kind: str,
    rto: float,
    picture: Progress,
    made: Drill | None,
    due: datetime | None,
) -> None:
    console = context.console
    console.table(
        ("", "check", "passed", "expected", "found"),
        [
            ("DRILL", c.name, {True: "yes", False: "NO", None: "not asked"}[c.passed], c.expected, c.found)
            for c in picture.checks
        ],
    )
    if made is None:
        console.line(f"DRILL {database.name}: it came to no end, and nothing is recorded.")
        return
    rpo = database.rpo.total_seconds()
    met = "met" if made.rto_s <= rto else "MISSED"
    console.line(f"DRILL {database.name} ({kind}): {made.verdict.value}")
    console.line(f"DRILL RTO {duration(made.rto_s)} of {limit(rto)}: {met}")
    if made.rpo_s is not None:
        met = "met" if made.rpo_s <= rpo else "MISSED"
        console.line(f"DRILL RPO {duration(made.rpo_s)} of {limit(rpo)}: {met}")
    if due is not None:
        console.line(f"DRILL due next: {minute(due)} UTC")
