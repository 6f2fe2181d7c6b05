"""A restore's plan: what, from what, for how long, what speaks against it, and the commands it stands for."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from tui.model import amounts as show
from tui.model.plan import Estimate, RestorePlan
from tui.model.text import clean
from tui.widgets.finding_lines import finding_lines
from tui.widgets.lines import BLANK, FAINT, STRONG, WARN, line, wrapped
from tui.widgets.rows import joined
from tui.widgets.server_line import server_line


def plan_lines(plan: RestorePlan, now: datetime, deadline: datetime | None, width: int) -> list[Content]:
    """Given a plan, returns all of it: findings worst first, the facts, the commands as a person would
    type them. With a `deadline` it says whether it would be ready by then if it began now."""
    made: list[Content] = []
    made += wrapped(clean(plan.target), width, line(("into  ", FAINT)), style=STRONG)
    made.append(line("      ", joined([server_line(plan), show.plural(plan.jobs, "worker")])))
    made += wrapped(clean(plan.ref), width, line(("from  ", FAINT)), style=STRONG)
    made.append(line("      ", _archive(plan)))
    made.append(line(("live  ", FAINT), _live(plan)))
    made.append(_ready(plan, now, deadline))
    made += [BLANK, *finding_lines(plan.findings, width)]
    made += [BLANK, line(("What it will run; you could type the same", STRONG))]
    for command in plan.commands:
        made += wrapped(clean(command), width, "  ")
    return made


def _archive(plan: RestorePlan) -> Content:
    parts: list[Content | str] = [show.size(plan.archive_bytes)]
    if plan.archive_server_version:
        parts.append(f"from {clean(plan.archive_server_version)}")
    parts.append(line(("data lost if used: ", FAINT), (show.age(plan.age), STRONG)))
    if plan.tables:
        parts.append(f"only {', '.join(clean(table) for table in plan.tables)}")
    return joined(parts)


def _live(plan: RestorePlan) -> str:
    if plan.live_bytes is None:
        return "does not exist; nothing is overwritten"
    sessions = show.plural(plan.live_sessions or 0, "session")
    return f"{show.size(plan.live_bytes)}, {sessions}; it is not touched by this"


def _ready(plan: RestorePlan, now: datetime, deadline: datetime | None) -> Content:
    high = plan.estimate.high
    made = line(
        ("takes ", FAINT),
        (span(plan.estimate), STRONG),
        (f"  {clean(plan.estimate.basis)}", FAINT),
    )
    if deadline is None:
        return made
    if now + high > deadline:
        return made + line("  ", (f"! would end up to {show.age(now + high - deadline)} after the RTO", WARN))
    return made + line((f"  {show.age(deadline - now - high)} to spare before the RTO", FAINT))


def span(estimate: Estimate) -> str:
    """Given an estimate, returns `14m – 18m`, or `20s` where both ends read the same."""
    low, high = show.age(estimate.low), show.age(estimate.high)
    return low if low == high else f"{low} – {high}"
