"""`merge`: put the rows that live tables miss back from restored ones, in one transaction."""

from __future__ import annotations

import argparse
from typing import Any

from tui.model import codec
from tui.model.amounts import count, plural
from tui.model.difference import MergeBlocked
from tui.model.errors import Refused, UsageError
from tui.model.text import clean
from tui.verbs.context import Context, database_named
from tui.verbs.differences import compared, document


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Shows what would be done; does it when `--confirm` names the database. Else exit code 4."""
    from tui.operations.restore.tables import merge_tables, plan_merge
    from tui.postgres.merge.merge import MergeOptions

    context.refuse_if_read_only("Merging")
    if not 0 < arguments.lock_timeout <= 3600:
        raise UsageError("--lock-timeout takes seconds, up to 3600.")
    console = context.console
    database = database_named(context.fleet(), arguments.database)
    how = MergeOptions(
        triggers=arguments.triggers == "on",
        update_changed=arguments.update_changed,
        skip_blocked=arguments.skip_blocked,
        lock_timeout_s=arguments.lock_timeout,
    )
    differences = compared(context, database, arguments.restored, arguments.table)
    plan = plan_merge(database, arguments.restored, differences)
    say = console.narrate
    say(f"server    {plan.host}:{plan.port} ({plan.server_version})")
    say(f"from      {clean(plan.restored)}")
    say(f"into      {clean(plan.live)}, in one transaction; its writers wait meanwhile, readers go on")
    for table in plan.tables:
        changed = table.difference.changed or 0
        also = f", {plural(changed, 'changed row')} overwritten" if how.update_changed and changed else ""
        say(f"rows      {clean('.'.join(table.difference.table))}: {table.before:,} to {table.after:,}{also}")
    for finding in plan.findings:
        say(f"{finding.level.value:9} {finding.about}: {finding.what} {finding.mend or ''}".rstrip())
    fires = any(t.triggers for t in plan.tables)
    if fires:
        say(f"triggers  {'fire, as in any other session' if how.triggers else 'are switched off meanwhile'}")
    if plan.stops:
        raise Refused(plan.stops[0].what, mend=plan.stops[0].mend)
    if arguments.confirm != database.name:
        raise Refused(
            "Nothing was changed: a merge needs its confirmation.",
            mend=f"Add --confirm {database.name} to do it.",
        )
    tables = [t.difference.table for t in plan.tables]
    try:
        done = merge_tables(database, arguments.restored, tables, how, plan.planned(how.update_changed))
    except MergeBlocked as error:
        for blocked in error.blocked:
            say(f"blocked   {blocked}")
        raise
    answer: dict[str, Any] = {
        "database": database.name,
        "restored": arguments.restored,
        "differences": [document(d) for d in differences],
        "merged": [codec.plain(m) for m in done],
    }
    if console.json_wanted:
        console.json(answer)
    for merged in done:
        name = clean(f"{merged.schema}.{merged.name}")
        more = [f"{count(merged.updated)} overwritten"] if merged.updated else []
        more += [f"{count(merged.skipped)} left out"] if merged.skipped else []
        more += [f"{clean(s)} set past" for s in merged.sequences]
        tail = f" ({', '.join(more)})" if more else ""
        console.line(f"{name}: {merged.before:,} rows before, {merged.after:,} after{tail}")
    return 3 if any(m.skipped for m in done) else 0
