"""The first lines on a job: into what, from what, when it will be ready, how far each phase is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from textual.content import Content

from tui.model import amounts as show
from tui.model.backup import Verdict
from tui.model.event import JobKind, JobState, Phase
from tui.model.progress import PhaseLine, Progress
from tui.model.text import clean
from tui.widgets.format import bar
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, WARN, fit, line
from tui.widgets.rows import joined, spread

# What a state is called and by which shape and style it is known.
STATES = {
    JobState.RUNNING: ("▶ running", STRONG),
    JobState.DONE: ("✔ done", GOOD),
    JobState.FAILED: ("✘ FAILED", BAD),
    JobState.CANCELLED: ("✘ stopped", WARN),
    JobState.LOST: ("✘ LOST", BAD),
}
VERDICTS = {
    Verdict.CLEAN: ("✔ clean", GOOD),
    Verdict.EXPLAINED: ("! explained", WARN),
    Verdict.FAILED: ("✘ FAILED", BAD),
}
# Phases whose items are worth counting; the others are told by how much of them is done.
_COUNTED = {Phase.INDEXES, Phase.FOREIGN_KEYS, Phase.CHECK}


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job's own journal doesn't know: where its target is, what using it would lose, and the
    moment by which an incident must be over (None: the job's own objective counts)."""

    where: str = ""
    data_lost: str = ""
    deadline: datetime | None = None


def job_head(picture: Progress, context: JobContext, now: datetime, width: int) -> list[Content]:
    """Given a job's picture, returns its head at `width` cells: what, a blank line, ready, phases,
    a blank line."""
    return [
        *_what(picture, context, width),
        BLANK,
        _ready(picture, context, now, width),
        _phases(picture, width),
        BLANK,
    ]


def _what(picture: Progress, context: JobContext, width: int) -> list[Content]:
    if picture.kind is JobKind.BACKUP:
        made = picture.made_ref or picture.ref
        to = line(("  to ", FAINT), clean(made) if made else "the stores of its policy")
        return [fit(line(("backup of ", FAINT), clean(picture.database)), width), fit(to, width)]
    if picture.kind is JobKind.COPY:
        source = line(("copy of ", FAINT), clean(picture.ref or show.UNKNOWN))
        to = line(("  to ", FAINT), clean(picture.made_ref or "the store that was chosen"))
        return [fit(source, width), fit(to, width)]
    into = line(("into ", FAINT), clean(picture.target or show.UNKNOWN))
    if context.where:
        into += line((" on ", FAINT), clean(context.where))
    source = line(("from ", FAINT), clean(picture.ref or show.UNKNOWN))
    lost = line(("data lost if used: ", FAINT), context.data_lost) if context.data_lost else BLANK
    return [fit(into, width), spread(source, lost, width)]


def _time(moment: datetime, seconds: bool) -> str:
    return show.clock_s(moment) if seconds else show.clock(moment)


def _deadline(picture: Progress, context: JobContext) -> datetime | None:
    if context.deadline is not None:
        return context.deadline
    if picture.rto_s is None or picture.started_at is None:
        return None
    return picture.started_at + timedelta(seconds=picture.rto_s)


def _ready(picture: Progress, context: JobContext, now: datetime, width: int) -> Content:
    left = _ended(picture) if picture.state is not JobState.RUNNING else _expected(picture, context, now)
    cells = 30 if width < 110 else width // 3
    end = line(bar(picture.fraction, cells), " ", show.percent(picture.fraction))
    return spread(left, end, width)


def _expected(picture: Progress, context: JobContext, now: datetime) -> Content:
    deadline = _deadline(picture, context)
    if picture.ready_low is None or picture.ready_high is None:
        left = line(("ready ", FAINT), "not known yet")
    else:
        # A minute is too coarse for what is nearly there, a second too fine for what is not.
        near = picture.ready_high - now < timedelta(minutes=5)
        low, high = _time(picture.ready_low, near), _time(picture.ready_high, near)
        left = line(("ready ", FAINT), (low if low == high else f"{low} – {high}", STRONG))
    if deadline is None:
        return left
    late = picture.ready_high is not None and picture.ready_high > deadline
    if late or now > deadline:
        return left + line("  ", (f"! RTO {show.clock(deadline)} LATE", WARN))
    return left + line((f"   (RTO {show.clock(deadline)})", FAINT))


def _ended(picture: Progress) -> Content:
    word, style = STATES[picture.state]
    made = line((word, style))
    if picture.ended_at is not None:
        made += f" {_time(picture.ended_at, True)}"
    if picture.duration_s is not None:
        made += f" in {show.duration(picture.duration_s)}"
    if picture.verdict is not None and picture.state is JobState.DONE:
        made += line(" · ", VERDICTS[picture.verdict])
    return made


def _phases(picture: Progress, width: int) -> Content:
    basis = line((clean(picture.basis), FAINT)) if picture.state is JobState.RUNNING else BLANK
    room = width - basis.cell_length - 2
    shown = list(picture.phases)
    made = joined(_phase(phase) for phase in shown)
    # When they don't all fit, those behind us go first, then those far ahead.
    for state in ("done", "waiting"):
        while made.cell_length > room and any(phase.state == state for phase in shown):
            gone = [phase for phase in shown if phase.state == state]
            shown.remove(gone[0] if state == "done" else gone[-1])
            made = joined(_phase(phase) for phase in shown) + line((" …", FAINT))
    return spread(made, basis, width)


def _phase(phase: PhaseLine) -> Content:
    name = phase.phase.value
    if phase.state == "done":
        return line(("✔ ", GOOD), name)
    if phase.phase in _COUNTED and phase.total:
        return line(f"{name} {phase.done} of {phase.total}")
    if phase.state == "running":
        return line(
            f"{name}{show.percent(phase.fraction).replace('  ', ' ')}" if phase.fraction else f"{name} …"
        )
    return line((name, FAINT))
