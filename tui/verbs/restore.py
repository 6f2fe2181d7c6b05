"""`restore`: plan, restore into a fresh database, judge."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from typing import Any

from tui.model import codec
from tui.model.amounts import age, plural, size
from tui.model.backup import Verdict
from tui.model.errors import PgdrError, Refused, Unreachable, UsageError
from tui.model.event import JobState
from tui.model.fleet import Database
from tui.model.plan import RestorePlan
from tui.model.progress import Progress
from tui.model.text import clean
from tui.verbs.context import Context, database_of, server_lines


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 clean, 3 explained, 1 failed, 4 when the plan says stop."""
    from tui.jobs.job import JobSpec, new_id
    from tui.jobs.start import start_job
    from tui.model.event import JobKind
    from tui.operations.catalogue.catalogue import describe, split_ref
    from tui.operations.plan.plan import plan_restore
    from tui.postgres.databases.databases import fresh_name
    from tui.stores.open import open_store
    from tui.verbs.following import errors_of, exit_code, start_and_follow, tell_end

    if not arguments.plan:
        context.refuse_if_read_only("Restoring")
    if arguments.jobs is not None and not 1 <= arguments.jobs <= 64:
        raise UsageError("--jobs takes a whole number from 1 to 64.")
    if arguments.to is not None and not 0 < len(arguments.to.encode("utf-8", "replace")) <= 63:
        raise UsageError("--to takes a name of 1 to 63 bytes.", mend="Leave it out for a name with the time.")
    fleet, state, console = context.fleet(), context.state_directory(), context.console
    spec, key = split_ref(fleet, arguments.ref)
    database = database_of(fleet, describe(open_store(spec), key, fleet).backup, arguments.database)
    now = context.now()
    target = arguments.to or fresh_name(database.dbname, "restore", now)
    if target == database.dbname:
        raise Refused(
            f"{target} is the live database: a backup is never restored over it.",
            mend=f"Leave out --to, then put the restored one in its place: pgdr swap {database.name} …",
        )
    try:
        plan = plan_restore(
            fleet, state, database, arguments.ref,
            target=target, tables=tuple(arguments.table), workers=arguments.jobs, now=now,
        )  # fmt: skip
    except Unreachable as error:
        if fleet.databases:
            raise
        mend = f"Set PGHOST, PGPORT and PGUSER to the server's. {server_lines(fleet, database.dbname)}"
        raise Unreachable(
            error.what, "The configuration names no server; libpq's environment led here.", mend
        ) from error
    _tell_plan(plan, console.line if arguments.plan and not console.json_wanted else console.narrate)
    document: dict[str, Any] = {
        "job": None,
        "database": database.name,
        "target": target,
        "plan": codec.plain(plan),
        **dict.fromkeys(("verdict", "duration_s", "fetched_bytes", "items", "rows", "differences")),
        "errors": [],
        **dict.fromkeys(("message", "mend")),
    }
    if arguments.plan:
        if console.json_wanted:
            console.json(document)
        return 4 if plan.stops else 0
    if plan.stops:
        raise Refused(plan.stops[0].what, mend=plan.stops[0].mend)
    if arguments.confirm is not None and arguments.confirm != target:
        raise Refused(f"--confirm {arguments.confirm} is not the database that would be made, {target}.")
    assert fleet.source is not None
    order = JobSpec(
        id=new_id(JobKind.RESTORE, now),
        kind=JobKind.RESTORE,
        config=fleet.source.resolve(),
        database=database.name,
        operator=context.operator(),
        ref=arguments.ref,
        target=target,
        tables=tuple(arguments.table),
        workers=plan.jobs,
        rto_s=database.rto.total_seconds(),
    )
    document["job"] = order.id
    if arguments.detach:
        start_job(state, order)
        console.line(order.id)
        if console.json_wanted:
            console.json(document)
        console.narrate(f"Follow it with: pgdr attach {order.id}")
        return 0
    picture = start_and_follow(context, order)
    tell_end(context, picture)
    if arguments.table and exit_code(picture) in (0, 3):
        document["differences"] = _differences(context, database, target, arguments.table)
    document.update(
        verdict=_verdict(picture),
        state=picture.state.value,
        message=picture.message,
        mend=picture.mend,
        errors=errors_of(picture),
        duration_s=picture.duration_s,
        fetched_bytes=picture.fetched_bytes,
        items=picture.items_total,
        rows=picture.rows,
    )
    if console.json_wanted:
        console.json(document)
    console.line(f"{target}: {document['verdict'] or picture.state.value}")
    if exit_code(picture) in (0, 3):
        name = shlex.quote(database.name)
        console.narrate(
            f"Put it in place with: pgdr swap {name} {shlex.quote(clean(target))} --confirm {name}"
        )
    return exit_code(picture)


def _verdict(picture: Progress) -> str | None:
    """Nothing is there to judge of a restore that failed before its end: it failed, if it was let begin."""
    if picture.verdict is None and picture.state is JobState.FAILED and not picture.refused:
        return Verdict.FAILED.value
    return picture.verdict.value if picture.verdict else None


def _differences(
    context: Context, database: Database, target: str, tables: list[str]
) -> list[dict[str, Any]] | None:
    """Tells and returns how the restored tables differ from the live ones; None where that can't be known,
    and why is told: the restore itself is good all the same."""
    from tui.verbs.differences import compared, document, merge_hint

    try:
        found = compared(context, database, target, tables)
    except PgdrError as error:
        context.console.narrate(f"Not compared with the live tables: {error}")
        return None
    merge_hint(context, database, target, found)
    return [document(difference) for difference in found]


def _tell_plan(plan: RestorePlan, say: Callable[[str], None]) -> None:
    """Tells the plan through `say`: it is the answer where it is all that was asked for, else narration."""
    lost = age(plan.age) if plan.age else "unknown"
    live = (
        f"{size(plan.live_bytes)}, {plural(plan.live_sessions or 0, 'session')}"
        if plan.live_bytes is not None
        else "missing"
    )
    say(f"from    {plan.ref}  {size(plan.archive_bytes)}, data lost if used: {lost}")
    say(f"into    {plan.target}, fresh, on {plan.host}:{plan.port} (PostgreSQL {plan.server_version})")
    say(f"live    {live}; it is not touched")
    if plan.tables:
        say(f"only    {', '.join(clean(table, 80) for table in plan.tables)}, and what they need to exist")
    low, high = age(plan.estimate.low), age(plan.estimate.high)
    say(f"takes   {low} to {high}, {plan.estimate.basis}")
    for finding in plan.findings:
        mend = f" {finding.mend}" if finding.mend and finding.level.value != "ok" else ""
        say(f"{finding.level.value:7} {finding.about}: {finding.what}{mend}")
    for command in plan.commands:
        say(f"  {command}")
