"""`verify`: restore a backup into a scratch database, compare it with its manifest, record the result."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tui.model import codec
from tui.model.amounts import age, limit
from tui.model.backup import Backup, StoreProblem
from tui.model.errors import PgdrError, UsageError
from tui.model.fleet import Database, Fleet
from tui.verbs.context import Context, database_named, database_of

if TYPE_CHECKING:
    from tui.model.progress import Progress


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 clean, 3 explained, 1 failed; with --due those of several, the worst."""
    from tui.operations.catalogue.catalogue import describe, split_ref
    from tui.stores.open import open_store

    context.refuse_if_read_only("Verifying a backup, which makes a scratch database and drops it,")
    fleet = context.fleet()
    if arguments.due:
        return _due(context, fleet, arguments.ref)
    if len(arguments.ref) != 1:
        raise UsageError("verify takes one backup, or --due.", mend="pgdr backups shows them, as STORE:KEY.")
    (ref,) = arguments.ref
    spec, key = split_ref(fleet, ref)
    database = database_of(fleet, describe(open_store(spec), key, fleet).backup, arguments.database)
    document, code = _verify(context, fleet, database, ref)
    if context.console.json_wanted:
        context.console.json(document)
    return code


def _due(context: Context, fleet: Fleet, names: list[str]) -> int:
    """Verifies the newest good backup of each database whose verification is due; a failure of one stops no
    other."""
    from tui.operations.catalogue.catalogue import backups
    from tui.operations.verify.drill import pick
    from tui.operations.verify.due import duties

    console = context.console
    databases = [database_named(fleet, name) for name in dict.fromkeys(names)] or list(fleet.databases)
    found: list[Backup] = []
    problems: list[StoreProblem] = []
    backups(fleet, None, found.extend, problems.append)
    for problem in problems:
        console.narrate(f"pgdr: store {problem.store}: {problem.what} {problem.why or ''}".rstrip())
    now = context.now()
    due = {
        duty.database: duty
        for duty in duties(fleet, context.state_directory(), databases, found, now)
        if duty.what == "verification" and duty.overdue
    }
    documents: list[dict[str, Any]] = []
    codes = [5] if problems else []
    for database in sorted(databases, key=lambda d: d.criticality.rank):
        if (duty := due.get(database.name)) is None:
            continue
        last = f"{age(now - duty.last_at)} ago" if duty.last_at else "never"
        console.narrate(f"{database.name}: last verified {last}, due every {limit(duty.every_s)}")
        ref = None
        try:
            ref = pick(fleet, database, found, now).ref
            document, code = _verify(context, fleet, database, ref)
        except PgdrError as error:
            console.narrate(f"{database.name}: {error}")
            document, code = {**_document(ref, None), "error": str(error)}, error.exit_code
        documents.append({"database": database.name, **document})
        codes.append(code)
    if console.json_wanted:
        console.json(documents)
    return next((code for code in (1, 2, 4, 5, 3) if code in codes), 0)


def _verify(context: Context, fleet: Fleet, database: Database, ref: str) -> tuple[dict[str, Any], int]:
    from tui.jobs.job import JobSpec, new_id
    from tui.model.event import JobKind
    from tui.places.open import open_place
    from tui.postgres.databases.databases import fresh_name
    from tui.postgres.facts.facts import server_facts
    from tui.verbs.following import exit_code, start_and_follow, tell_end

    assert fleet.source is not None
    server_facts(open_place(database))  # a server that can't be reached is told at once, by its own exit code
    now = context.now()
    picture = start_and_follow(
        context,
        JobSpec(
            id=new_id(JobKind.VERIFY, now),
            kind=JobKind.VERIFY,
            config=fleet.source.resolve(),
            database=database.name,
            operator=context.operator(),
            ref=ref,
            target=fresh_name(database.dbname, "verify", now),
            workers=fleet.jobs,
        ),
    )
    tell_end(context, picture)
    context.console.table(
        ("check", "passed", "expected", "found"),
        [
            (c.name, {True: "yes", False: "NO", None: "not asked"}[c.passed], c.expected, c.found)
            for c in picture.checks
        ],
    )
    return _document(ref, picture), exit_code(picture)


def _document(ref: str | None, picture: Progress | None) -> dict[str, Any]:
    from tui.verbs.following import errors_of

    verdict = picture.verdict if picture else None
    return {
        "ref": ref,
        "job": picture.job if picture else None,
        "verdict": verdict.value if verdict else None,
        "checks": [codec.plain(c) for c in picture.checks] if picture else [],
        "errors": errors_of(picture) if picture else [],
        "duration_s": picture.duration_s if picture else None,
        "message": picture.message if picture else None,
        "mend": picture.mend if picture else None,
    }
