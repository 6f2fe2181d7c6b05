"""The sections of a report, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from tui.incident.markdown import block, code, md, table
from tui.incident.story import utc
from tui.incident.swapped import UNDONE
from tui.model.amounts import clock_s, count, duration, plural
from tui.model.incident import Incident, Sent, StepRecord, TimelineEntry
from tui.model.progress import Progress
from tui.model.text import clean, rfc3339
from tui.model.verdict import foremost

# Those that could hold a password are built without one; this is for what a person's own commands may hold.
_SECRET = (
    (
        re.compile(
            r"(?i)\b(\w*(?:password|passwd|token|secret|access_key)\w*\s*[=:]\s*)(?:'[^']*'|\"[^\"]*\"|\S+)"
        ),
        r"\1***",
    ),
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@"), r"\1***@"),
)
# As Pausing words them (tui/operations/pause/pausing.py)
_HELD = re.compile(
    r"(?:DRILL: )?"
    r"(?:Service |\S+ is (?:frozen|thawed)|\S+ was left frozen|would (?:freeze|thaw)|.*\(service )"
)
_SHORT = 100  # characters of a command in the timeline
_MANY = 40  # tables of which each is listed; beyond them only those that differ


def redacted(command: str) -> str:
    """Given a command as it was shown, returns it without what looks like a secret."""
    for pattern, instead in _SECRET:
        command = pattern.sub(instead, command)
    return clean(command)


def steps(incident: Incident) -> list[str]:
    """The six steps and their clocks."""

    def row(record: StepRecord) -> tuple[str, ...]:
        took = record.ended_at - record.began_at if record.ended_at and record.began_at else None
        began, ended = clock_s(record.began_at), clock_s(record.ended_at)
        return record.step.value, record.status.value, began, ended, duration(took), md(record.note)

    heads = ("step", "status", "began (UTC)", "ended (UTC)", "took", "outcome")
    return table(heads, [row(record) for record in incident.steps])


def counts(incident: Incident) -> list[str]:
    """The tables as they were found against the last manifest; those that are as they were only counted."""
    differing = [c for c in incident.counts if c.expected != c.found]
    same = len(incident.counts) - len(differing)
    if not incident.counts:
        return []
    listed = incident.counts if len(incident.counts) <= _MANY else differing
    rows = [
        (md(f"{c.schema}.{c.name}"), count(c.expected), "not there" if c.found is None else count(c.found))
        for c in listed
    ]
    made = ["", *table(("table", "rows in the last manifest", "rows found"), rows)] if rows else []
    if len(listed) < len(incident.counts):
        made += ["", f"{count(same)} tables had the rows that they should have."]
    return made


def commands(incident: Incident) -> list[str]:
    """What was run, commands and SQL, each with its time and by whom."""
    run = [entry for entry in incident.timeline if entry.kind == "command"]
    if not run:
        return ["Nothing that changes a server was run."]
    lines: list[str] = []
    for (at, who), entries in groupby(run, key=lambda e: (e.at.replace(microsecond=0), e.operator)):
        lines += [f"# {rfc3339(at)} {clean(who)}", *(redacted(entry.text) for entry in entries)]
    return block(lines)


def checks(incident: Incident) -> list[str]:
    """The checks of the restored data, then those that were asked once it was in place."""
    made: list[str] = []
    for heading, listed in (("", incident.checks), ("Once it was in place:", incident.live_checks)):
        if listed:
            made += ["", heading, ""] if heading else []
            order = sorted(listed, key=lambda c: (c.passed is True, c.passed is None))
            rows = [(md(c.name), _passed(c.passed), md(c.expected), md(c.found)) for c in order]
            made += table(("check", "passed", "expected", "found"), rows)
    made = made or ["None were run."]
    if incident.health:
        made += ["", f"The application's health address answered: {md(incident.health)}."]
    return made


def errors(job: Progress | None) -> list[str]:
    """What pg_restore complained of, each with its entry and what it means: those that matter first. Of many
    the others are counted; the report as JSON has them all."""
    if job is None or not job.errors:
        return []
    told, others = foremost(job.errors)
    rows = [
        (
            code(e.entry) if e.entry else "–",
            md(clean(e.message, 300)),
            "no" if e.harmless else "YES",
            md(f"{e.meaning} {e.mend}".strip()),
        )
        for e in told
    ]
    made = table(("entry", "message", "matters", "what it means, what to do"), rows)
    if others:
        made += ["", f"{count(others.total())} more:", ""]
        made += [f"- {count(number)} × {md(clean(meaning))}" for meaning, number in others.most_common()]
    return made


def differences(incident: Incident) -> list[str]:
    """How the restored tables differed from the live ones, where they were compared."""
    if not incident.differences:
        return []
    other = [d for d in incident.differences if (d.missing, d.extra, d.changed) != (0, 0, 0)]
    rows = [(md(f"{d.schema}.{d.name}"), count(d.missing), count(d.extra), count(d.changed)) for d in other]
    same = len(incident.differences) - len(other)
    equal = ["", f"{plural(same, 'table')} had the same rows in both."] if same else []
    at = f" at {utc(incident.compared_at)}" if incident.compared_at else ""
    return [
        f"The restored tables against the live ones{at}:",
        "",
        *(table(("table", "only restored", "only live", "changed"), rows) if rows else ["None differed."]),
        *equal,
    ]


def ending(incident: Incident) -> list[str]:
    """How it was put into use, and what was kept."""
    made = []
    if incident.swap:
        swap = incident.swap
        earlier = [e.at for e in incident.timeline if e.text.startswith(UNDONE) and e.at < swap.at]
        made += [f"An earlier swap was undone at {utc(at)}." for at in earlier]
        kept = f"; the old one is kept as {code(swap.kept_as)}" if swap.kept_as else "; there was no old one"
        place = f"took the place of {code(swap.live_name)} at {utc(swap.at)}{kept}"
        made.append(f"{code(swap.restored_name)} {place}.")
        if swap.undone_at:
            made.append(f"That was undone at {utc(swap.undone_at)}.")
    if incident.merge:
        merge = incident.merge
        numbers = [(t.before, t.after, t.inserted, t.updated, t.skipped) for t in merge.tables]
        rows = [
            (md(f"{t.schema}.{t.name}"), *map(count, own))
            for t, own in zip(merge.tables, numbers, strict=True)
        ]
        made += [
            f"Rows of {code(merge.restored_name)} were put into the tables of {code(merge.live_name)} at "
            f"{utc(merge.at)}:",
            "",
            *table(("table", "rows before", "rows after", "put back", "overwritten", "left out"), rows),
        ]
        if merge.undone_at:
            left = f"; {count(merge.left)} rows could not be taken back" if merge.left else ""
            made += ["", f"That was undone at {utc(merge.undone_at)}{left}."]
    if incident.handed:
        by = f", set by {code(redacted(incident.handed.by))}" if incident.handed.by else ""
        url, at = code(redacted(incident.handed.url)), utc(incident.handed.at)
        made.append(f"The application was given {url} at {at}{by}.")
    return made or ["Nothing was put into use."]


def messages(sent: Sequence[Sent]) -> list[str]:
    """Who was told what, and whether it was taken."""
    if not sent:
        return ["Nobody was told by this program."]

    def became(one: Sent) -> str:
        if one.simulated:
            return "DRILL: not sent"
        again = f" at the {one.tries}. try" if one.tries > 1 else ""
        return f"FAILED: {md(one.error)}" if one.error else f"taken{again}"

    rows = [(rfc3339(s.at.replace(microsecond=0)), md(s.channel), md(s.title), became(s)) for s in sent]
    return table(("time (UTC)", "channel", "title", "what became of it"), rows)


def held_back(timeline: Sequence[TimelineEntry]) -> list[str]:
    """What was paused and frozen, and let go again, as the timeline tells it."""
    rows = [
        (rfc3339(e.at.replace(microsecond=0)), md(e.operator), md(e.text))
        for e in timeline
        if e.kind in ("fact", "decision") and _HELD.match(e.text)
    ]
    return table(("time (UTC)", "who", "what"), rows) if rows else []


def hand_overs(timeline: Sequence[TimelineEntry]) -> list[str]:
    """Who took the incident over from whom."""
    taken = [entry for entry in timeline if entry.text.startswith("Took over from ")]
    return [f"- {rfc3339(e.at.replace(microsecond=0))} {md(e.operator)}: {md(e.text)}" for e in taken]


def timeline(incident: Incident) -> list[str]:
    """Everything in the order in which it happened."""

    def row(entry: TimelineEntry) -> tuple[str, ...]:
        # A command is there in full under "What was run".
        text = code(clean(redacted(entry.text), _SHORT)) if entry.kind == "command" else md(entry.text)
        return rfc3339(entry.at.replace(microsecond=0)), md(entry.operator), entry.kind, text

    # What a job has told by itself is taken down later than it happened.
    ordered = sorted(incident.timeline, key=lambda entry: entry.at)
    return table(("time (UTC)", "who", "kind", "what"), [row(entry) for entry in ordered])


def _passed(passed: bool | None) -> str:
    return {True: "yes", False: "NO", None: "not asked"}[passed]
