"""How a recovery ends: what speaks for which end, what a merge did, the address that was handed over."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.incident.scenarios import Way
from tui.incident.steps.merge import weighed
from tui.model import amounts as show
from tui.model.difference import TableDifference
from tui.model.incident import HandOver, Incident, Merge
from tui.model.text import clean
from tui.widgets.lines import BLANK, FAINT, GOOD, STRONG, WARN, fit, line, right, wrapped

_ENDS = {
    Way.SWAP: ("enter", "cut over: the restored database takes the live one's place"),
    Way.MERGE: ("m", "merge: what the live tables miss is put back, the rest of them stays"),
    Way.ADDRESS: ("a", "hand the application the fresh server's address"),
}
_SHOWN = 12


def ways_lines(ways: Sequence[Way], width: int) -> list[Content]:
    """Given how a recovery can end, returns a line for each way, with its key."""
    made = [line(("It can end by", STRONG))] if len(ways) > 1 else []
    for way in ways:
        if way in _ENDS and len(ways) > 1:
            key, said = _ENDS[way]
            made += wrapped(said, width, line((f"  {key:6}", STRONG)))
    return made


def difference_lines(
    differences: Sequence[TableDifference], width: int, *, can_cut_over: bool = True
) -> list[Content]:
    """Given how restored tables differ from the live ones, returns what that means for each end that there
    can be, and a line for each table that differs."""
    made: list[Content] = []
    merging, cutting_over, *rest = weighed(tuple(differences)).words
    for said in (merging, cutting_over, *rest) if can_cut_over else (merging, *rest):
        made += wrapped(said, width, "  ")
    told = [d for d in differences if not d.same]
    if not told:
        return [line(("✔ ", GOOD), "Every table is as the backup has it: there is nothing to put back.")]
    room = max(16, min(40, width - 40))
    head = f"  {'table':<{room}}{'missing':>12}{'changed':>12}{'only live':>12}"
    made.append(line((head, FAINT)))
    for d in told[:_SHOWN]:
        name = clean(".".join(d.table))
        if d.reason is not None:
            made += wrapped(f"{name}: {clean(d.reason, 200)}", width, line(("! ", WARN)))
            continue
        changed = "no key" if d.changed is None else show.count(d.changed)
        cells = (show.count(d.missing), changed, show.count(d.extra))
        made.append(line("  ", fit(Content(name), room), *(right(Content(cell), 12) for cell in cells)))
    if len(told) > _SHOWN:
        made.append(line((f"  … and {len(told) - _SHOWN} more tables", FAINT)))
    return made


def merge_lines(merge: Merge, width: int) -> list[Content]:
    """Given a merge that was carried out, returns what it did, or that it was taken back."""
    if merge.undone_at is not None:
        left = f"; {show.plural(merge.left, 'row')} stayed, written to since" if merge.left else ""
        said = f"The merge of {show.clock(merge.at)} was taken back at {show.clock(merge.undone_at)}{left}."
        return [*wrapped(said, width, "– "), BLANK]
    said = f"into {merge.live_name}, at {show.clock(merge.at)} UTC by {merge.operator}"
    made = wrapped(clean(said), width, line(("✔ merged    ", GOOD)), style=STRONG)
    for t in merge.tables[:_SHOWN]:
        told = f"{t.schema}.{t.name}: {show.count(t.inserted)} put back, {show.count(t.updated)} overwritten"
        told += f", {show.count(t.skipped)} left out" if t.skipped else ""
        made += wrapped(clean(f"{told}; {show.count(t.after)} rows now"), width, "  ")
    kept = f"{merge.restored_name} keeps what undo needs, until you drop it"
    made += wrapped(clean(kept), width, line(("  kept      ", FAINT)))
    return made


def handed_lines(handed: HandOver, width: int) -> list[Content]:
    """Given the address that the application was handed, returns it, and who set it."""
    made = wrapped(clean(handed.url), width, line(("✔ address   ", GOOD)), style=STRONG)
    by = f"by {handed.by}" if handed.by else "by hand"
    return made + wrapped(clean(f"{show.clock(handed.at)} UTC, {by}"), width, line(("  set       ", FAINT)))


def reminder_lines(incident: Incident, width: int) -> list[Content]:
    """When to think of dropping what a recovery has kept; nothing where nothing was kept."""
    if incident.remove_at is None:
        return []
    said = f"{incident.remove_at:%Y-%m-%d}: pgdr due and pgdr kept remind; nothing is dropped by itself"
    return wrapped(said, width, line(("  until     ", FAINT)))
