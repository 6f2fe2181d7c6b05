"""A restore's errors: each with its entry, what was said, what it means and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from textual.content import Content

from tui.model.amounts import count
from tui.model.text import clean, clean_lines
from tui.model.verdict import MOST_ERRORS, RestoreError, foremost
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, WARN, line, wrapped

_MOST_KINDS = 20


def error_count(errors: Sequence[RestoreError], *, failed: bool = False) -> Content:
    """Given errors, returns `no errors`, or how many are explained and how many are not. Of a job that
    `failed` without any, none is no good sign."""
    bad = sum(not error.harmless for error in errors)
    explained = len(errors) - bad
    if not errors:
        return line(("it ended before pg_restore told any", FAINT)) if failed else line(("✔ no errors", GOOD))
    parts: list[Content] = []
    if bad:
        parts.append(line((f"✘ {bad} FAILED", BAD)))
    if explained:
        parts.append(line((f"! {explained} explained", WARN)))
    return line(*(part if number == 0 else line(" · ", part) for number, part in enumerate(parts)))


def error_lines(
    errors: Sequence[RestoreError], width: int, *, running: bool = True, failed: bool = False
) -> list[Content]:
    """Given errors, returns each in a few lines, those that aren't harmless first, nothing cut. Of very
    many the others are counted. `running` and `failed` tell of their job what none of them means."""
    if not errors and failed:
        return wrapped("No single item failed: it ended as it is told above.", width, style=FAINT)
    if not errors:
        return [line(("✔ No errors so far." if running else "✔ No errors.", GOOD))]
    told, others = foremost(errors)
    made = [row for error in told for row in _told(error, width)]
    if not others:
        return made[:-1]
    more = f"… and {count(others.total())} more, all of them in the whole log:"
    made += wrapped(more, width, style=STRONG)
    for meaning, number in others.most_common(_MOST_KINDS):
        made += wrapped(clean(meaning), width, line((f"  {count(number):>7} × ", FAINT)))
    if len(others) > _MOST_KINDS:
        made.append(line((f"          and {count(len(others) - _MOST_KINDS)} other meanings", FAINT)))
    return made


@lru_cache(maxsize=2 * MOST_ERRORS)  # they are drawn twice a second, and don't change
def _told(error: RestoreError, width: int) -> tuple[Content, ...]:
    shape = line(("! explained ", WARN)) if error.harmless else line(("✘ FAILED    ", BAD))
    made = wrapped(clean(error.entry or "not tied to one entry"), width, shape, style=STRONG)
    made += wrapped(clean_lines(error.message), width, "  ")
    made += wrapped(clean(error.meaning), width, line(("  means  ", FAINT)))
    if error.mend:
        made += wrapped(clean(error.mend), width, line(("  do     ", FAINT)))
    return (*made, BLANK)


def newest_error(errors: Sequence[RestoreError]) -> str:
    """Given errors, returns one sentence on the one that matters most: a failed one, else the last."""
    if not errors:
        return ""
    worst = next((error for error in errors if not error.harmless), errors[-1])
    return clean(worst.meaning or worst.message)
