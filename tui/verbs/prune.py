"""`prune`: apply retention to the stores, each backup with the reason why it stays or goes."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any

from tui.model.amounts import plural
from tui.model.errors import Refused, UsageError
from tui.model.text import clean
from tui.verbs.context import Context, database_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.operations.retention.prune import PrunePlan
    from tui.operations.retention.retention import Decision


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Shows what would be removed; removes it when `--confirm` names the fleet, or the database where one
    alone is named. Without it exit code 4; with --dry-run 0. 3 when a store keeps what should go, 5 when one
    can't be read."""
    from tui.incident.pruning import planned, pruned
    from tui.operations.retention.prune import plan_removal

    if not arguments.dry_run:
        context.refuse_if_read_only("Removing backups")
    fleet, state, console = context.fleet(), context.state_directory(), context.console
    databases = [database_named(fleet, name) for name in dict.fromkeys(arguments.databases)]
    specs = [s for s in fleet.stores if not arguments.store or s.name in arguments.store]
    for name in arguments.store:
        if fleet.store(name) is None:
            known = ", ".join(s.name for s in fleet.stores)
            raise UsageError(
                f"The configuration names no store {clean(name, 80)}.", mend=f"It names {known}."
            )
    confirmed = databases[0].name if len(databases) == 1 else fleet.name
    plan = planned(
        fleet,
        state,
        specs,
        databases or fleet.databases,
        () if databases else fleet.components,
        context.now,
    )
    if arguments.remove is not None:
        plan = plan_removal(plan, arguments.remove)
        confirmed = arguments.remove
    problems = 5 if plan.problems else 0
    for problem in plan.problems:
        console.narrate(f"pgdr: store {problem.store}: {problem.what} {problem.why or ''}".rstrip())
        if problem.mend:
            console.narrate(f"  Next: {problem.mend}")
    if arguments.dry_run or arguments.confirm != confirmed:
        _tell(context, plan)
        if arguments.dry_run:
            if console.json_wanted:
                console.json(_document(plan, plan.removed, plan.refused))
            return problems
        if plan.removed:
            raise Refused(
                f"Nothing was removed: {plural(len(plan.removed), 'removal')} would need a confirmation.",
                mend=f"Add --confirm {shlex.quote(clean(confirmed))} to do it, on a schedule too.",
            )
    removed, refused = pruned(
        fleet,
        state,
        specs,
        plan,
        context.operator(),
        context.now,
        lambda d: console.narrate(f"{d.ref}: {d.why}"),
    )
    if console.json_wanted:
        console.json(_document(plan, removed, (*plan.refused, *refused)))
    for decision in plan.refused:
        if not decision.fixed:  # what is another's is no news on a schedule
            console.narrate(f"{decision.ref}: {decision.why}")
    if removed or not arguments.quiet:
        console.line(f"{plural(len(removed), 'backup')} removed, {len(plan.kept)} kept.")
    return problems or (3 if refused else 0)


def _tell(context: Context, plan: PrunePlan) -> None:
    said = {"kept": "stays", "removed": "goes", "refused": "stays!"}
    context.console.table(
        ("", "backup", "why"),
        [(said[d.fate.value], d.ref, d.why) for d in (*plan.removed, *plan.refused, *plan.kept)],
    )


def _document(plan: PrunePlan, removed: Sequence[Decision], refused: Sequence[Decision]) -> dict[str, Any]:
    def rows(decisions: Sequence[Decision]) -> list[dict[str, str]]:
        return [{"ref": d.ref, "why": d.why} for d in decisions]

    return {
        "kept": rows(plan.kept),
        "removed": rows(removed),
        "refused": rows(refused),
        "errors": [{"store": p.store, "what": p.what, "why": p.why, "mend": p.mend} for p in plan.problems],
    }
