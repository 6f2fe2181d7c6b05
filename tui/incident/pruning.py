"""Retention beside incidents and jobs: what they use stays, and one prune at a time works on a store."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tui.incident.uses import backups_in_use
from tui.jobs.lock import held, target_lock_path
from tui.model.fleet import Component, Database, Fleet, StoreSpec
from tui.model.text import rfc3339
from tui.operations.report import Clock
from tui.operations.retention.prune import PrunePlan, carry_out, plan_prune
from tui.operations.retention.retention import Decision

_FRESH_S = 3.0


def planned(
    fleet: Fleet,
    state: Path,
    specs: Sequence[StoreSpec],
    databases: Collection[Database],
    components: Collection[Component],
    now: Clock,
) -> PrunePlan:
    """Decides on every backup of these in these stores, by what the state directory knows of their use. Only
    reads; see plan_prune."""
    return plan_prune(fleet, specs, databases, components, backups_in_use(state, now()), now)


def pruned(
    fleet: Fleet,
    state: Path,
    specs: Sequence[StoreSpec],
    plan: PrunePlan,
    operator: str,
    now: Clock,
    told_of: Callable[[Decision], None],
) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """Deletes what a plan would remove, as carry_out does; what `told_of` raises ends it between two backups.

    Raises Refused when another prune is at work on one of the stores.
    """
    with ExitStack() as stack:
        for spec in specs:
            lock = target_lock_path(state, f"prune of {spec.name}", fleet.name)
            who = {"operator": operator, "job": f"a prune of {spec.name}", "since": rfc3339(now())}
            stack.enter_context(held(lock, who))
        return carry_out(plan, specs, _asked_seldom(lambda: backups_in_use(state, now())), told_of)


def _asked_seldom(ask: Callable[[], Mapping[str, str]]) -> Callable[[], Mapping[str, str]]:
    """The same answer for a few seconds: it costs a look at every job."""
    answer: Mapping[str, str] = {}
    until = 0.0

    def asked() -> Mapping[str, str]:
        nonlocal answer, until
        if time.monotonic() >= until:
            answer, until = ask(), time.monotonic() + _FRESH_S
        return answer

    return asked
