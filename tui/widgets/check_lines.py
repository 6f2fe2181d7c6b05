"""Checks of a restored database: what was expected and what was found, failed ones first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.model.text import clean
from tui.model.verdict import Check
from tui.widgets.lines import BAD, FAINT, GOOD, WARN, fit, line, wrapped


def check_count(checks: Sequence[Check]) -> Content:
    """Given checks, returns `✔ 14 of 14 passed`, or how many failed or couldn't be asked."""
    if not checks:
        return line(("no checks were made", FAINT))
    failed = sum(check.passed is False for check in checks)
    unasked = sum(check.passed is None for check in checks)
    passed = len(checks) - failed - unasked
    parts: list[Content] = []
    if failed:
        parts.append(line((f"✘ {failed} FAILED", BAD)))
    if unasked:
        parts.append(line((f"? {unasked} not asked", WARN)))
    if passed:
        parts.append(line((f"✔ {passed} of {len(checks)} passed", GOOD)))
    return line(*(part if number == 0 else line(" · ", part) for number, part in enumerate(parts)))


def check_lines(checks: Sequence[Check], width: int) -> list[Content]:
    """Given checks, returns them failed first, then those that couldn't be asked, then passed ones.

    A passed one is a single line; the others show expected, found and the mend in full.
    """
    ranked = sorted(checks, key=lambda c: {False: 0, None: 1, True: 2}[c.passed])
    made: list[Content] = []
    for check in ranked:
        if check.passed:
            made.append(_passed(check, width))
            continue
        shape = ("? not asked ", WARN) if check.passed is None else ("✘ FAILED    ", BAD)
        made += wrapped(clean(check.name), width, line(shape), style="bold")
        made += wrapped(clean(check.expected), width, line(("  expected  ", FAINT)))
        made += wrapped(clean(check.found), width, line(("  found     ", FAINT)))
        if check.mend:
            made += wrapped(clean(check.mend), width, line(("  do        ", FAINT)))
    return made


def _passed(check: Check, width: int) -> Content:
    room = width - 12
    name = min(max(16, room * 3 // 5), max(16, room - 20))
    return line(
        ("✔ passed    ", GOOD),
        fit(line(clean(check.name)), name),
        " ",
        fit(line((clean(check.found), FAINT)), max(0, room - name - 1)),
    )
