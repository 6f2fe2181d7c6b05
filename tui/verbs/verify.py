"""`verify`: restore a backup into a scratch database, compare it with its manifest, record the result."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.verbs.context import Context, database_of


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 clean, 3 explained, 1 failed."""
    from tui.jobs.job import JobSpec, new_id
    from tui.model.event import JobKind
    from tui.operations.catalogue import describe, split_ref
    from tui.places.open import open_place
    from tui.postgres.databases import fresh_name
    from tui.postgres.facts import server_facts
    from tui.stores.open import open_store
    from tui.verbs.following import errors_of, exit_code, start_and_follow, tell_end

    context.refuse_if_read_only("Verifying a backup, which makes a scratch database and drops it,")
    fleet, console = context.fleet(), context.console
    spec, key = split_ref(fleet, arguments.ref)
    database = database_of(fleet, describe(open_store(spec), key).backup, arguments.database)
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
            ref=arguments.ref,
            target=fresh_name(database.dbname, "verify", now),
            workers=fleet.jobs,
        ),
    )
    tell_end(context, picture)
    if console.json_wanted:
        console.json(
            {
                "ref": arguments.ref,
                "job": picture.job,
                "verdict": picture.verdict.value if picture.verdict else None,
                "checks": [codec.plain(c) for c in picture.checks],
                "errors": errors_of(picture),
                "duration_s": picture.duration_s,
            }
        )
    console.table(
        ("check", "passed", "expected", "found"),
        [
            (c.name, {True: "yes", False: "NO", None: "not asked"}[c.passed], c.expected, c.found)
            for c in picture.checks
        ],
    )
    return exit_code(picture)
