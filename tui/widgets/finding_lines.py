"""Findings: a shape and a word for how much each matters, what was found, what mends it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.model import amounts as show
from tui.model.incident import TableCount
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.widgets.lines import BAD, FAINT, GOOD, STRONG, WARN, fit, line, right, wrapped

_ORDER = {Level.STOP: 0, Level.WARNING: 1, Level.OK: 2}


def finding_lines(findings: Sequence[Finding], width: int, stop: str = "STOP") -> list[Content]:
    """Given findings, returns them worst first, each in full with its mend.

    `stop` is the word for the worst: what stops a plan is what is DAMAGED in an assessment.
    """
    words = {
        Level.STOP: (f"✘ {stop:<8}", BAD),
        Level.WARNING: ("! warning ", WARN),
        Level.OK: ("✔ ok      ", GOOD),
    }
    made: list[Content] = []
    for finding in sorted(findings, key=lambda f: _ORDER[f.level]):
        style = "" if finding.level is Level.OK else STRONG
        made += wrapped(clean(finding.what), width, line(words[finding.level]), style=style)
        if finding.mend and finding.level is not Level.OK:
            made += wrapped(clean(finding.mend), width, line(("          ", ""), ("next  ", FAINT)))
    return made


def count_lines(counts: Sequence[TableCount], width: int) -> list[Content]:
    """Given table counts, returns a line for each: expected by the last backup, found, the difference;
    those that differ most to their loss first."""
    if not counts:
        return []
    name = max(14, min(40, width - 12 - 3 * 15))
    head = line(
        ("          ", ""),
        fit(line(("table", FAINT)), name),
        right(line(("in the backup", FAINT)), 15),
        right(line(("found now", FAINT)), 15),
        right(line(("difference", FAINT)), 14),
    )
    return [head, *(_count(count, name) for count in sorted(counts, key=_loss, reverse=True))]


def _loss(count: TableCount) -> float:
    if count.found is None:
        return float("inf") if count.reason is None else 0
    return (count.expected or 0) - count.found


def _count(count: TableCount, name: int) -> Content:
    found = show.count(count.found)
    if count.estimated and count.found is not None:
        found = f"about {found}"  # the planner's: counting took too long
    if count.found is None and count.reason is not None:
        word, style, difference = "? unread  ", WARN, show.UNKNOWN
    elif count.found is None:
        word, style, difference = "✘ missing ", BAD, "GONE"
    elif count.expected is None:
        word, style, difference = "· unknown ", FAINT, show.UNKNOWN
    else:
        lost = count.expected - count.found
        difference = "none" if lost == 0 else f"{-lost:+,}"
        if count.found == 0 and (count.expected or count.before):
            word, style = "✘ EMPTY   ", BAD
        elif lost > 0:
            word, style = "! fewer   ", WARN
        else:
            word, style = "✔ there   ", GOOD
    table = clean(count.name if count.schema == "public" else f"{count.schema}.{count.name}")
    return line(
        (word, style),
        fit(line(table), name),
        right(line(show.count(count.expected)), 15),
        right(line(found), 15),
        right(line((difference, style if style != GOOD else "")), 14),
    )
