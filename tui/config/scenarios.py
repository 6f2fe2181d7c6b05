"""The tables of what a fleet promises of each scenario, where it differs from the runbook."""

from __future__ import annotations

from tui.config import keys
from tui.config.table import Reading, Table, dotted, nearest
from tui.model.fleet import Targets
from tui.model.scenario import Scenario


def read_scenarios(raw: Table, reading: Reading) -> tuple[Targets, ...]:
    """Given the configuration, returns the scenarios that have targets of their own."""
    known = {scenario.value: scenario for scenario in Scenario}
    made = []
    for name, table in reading.named(raw, "scenarios"):
        at = ("scenarios", name)
        if name not in known:
            near = nearest(name, known) or nearest(name.replace("_", "-"), known)
            mend = f"Did you mean [scenarios.{near}]?" if near else f"Known: {', '.join(known)}."
            reading.add(dotted(*at), "is no scenario that is known.", mend)
            continue
        made.append(Targets(known[name], **reading.table(table, at, keys.SCENARIOS[name])))
    return tuple(made)
