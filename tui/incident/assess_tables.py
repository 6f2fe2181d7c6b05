"""Looking at the tables: rows against the last backups, the fleet's checks, the last write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tui.incident.evidence import FailedCheck
from tui.incident.parts import Parts
from tui.model import amounts as show
from tui.model.backup import Manifest
from tui.model.fleet import Database, Endpoint
from tui.model.incident import TableCount
from tui.model.plan import Level
from tui.model.text import clean, rfc3339
from tui.model.verdict import Check
from tui.operations.catalogue.catalogue import Description
from tui.postgres.checks.checks import structure_checks
from tui.postgres.facts.counting import TableName
from tui.postgres.facts.freshness import Newest, newest_values
from tui.postgres.facts.live_counts import LiveCount, live_counts

# A live database goes on being written to, so more rows than the backup has are no damage.
_SHRUNK = 0.999
_QUESTION_S = 6.0  # for one check: a person waits for all of them
_GROWN = 2.0
_GROWN_ROWS = 1_000
_ESTIMATE_IS_OFF_BY = 0.5  # an estimate this much below the backup says something, one that is closer nothing


@dataclass(frozen=True, slots=True)
class Rows:
    """The tables' rows now against the backups. `lost_after` and `lost_by` are two backups' times, between
    which what is missing went, where the newest one has lost it already."""

    counts: tuple[TableCount, ...] = ()
    gone: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    shrunk: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    lost_after: datetime | None = None
    lost_by: datetime | None = None


def dotted(table: TableName) -> str:
    """A table as it is named in an incident: `public.users`."""
    return f"{table[0]}.{table[1]}"


def qualified(table: str) -> TableName:
    """The table that a configuration or an incident names, with `public` where it names no schema."""
    schema, dot, name = table.partition(".")
    return (schema, name) if dot else ("public", schema)


def count_rows(
    parts: Parts, endpoint: Endpoint, database: Database, known: Sequence[Description], within_s: float
) -> Rows:
    """Counts the tables of the newest backup and the fleet's key tables, key tables first, and tells each
    that isn't as it was. `known` are the newest backups, looked into, the newest first."""
    manifests = [d.manifest for d in known if d.manifest is not None]
    newest = manifests[0] if manifests else None
    expected = {(t.schema, t.name): t.rows for t in newest.tables} if newest else {}
    before = _before(manifests)
    keys = [qualified(table) for table in database.key_tables]
    rest = sorted(set(expected) - set(keys), key=lambda t: (expected[t], t))
    # What an older backup had and the newest one hasn't is asked for as well.
    wanted = list(dict.fromkeys((*keys, *rest, *(t for t in before if t not in expected))))
    if not wanted:
        return Rows()
    counted: dict[TableName, LiveCount] = {}

    def on_count(count: LiveCount) -> None:
        counted[count.table] = count
        _tell(parts, _judged(count, expected, before), newest)

    live_counts(endpoint, database.dbname, wanted, on_count, within_s=within_s)
    return _rows([_judged(counted[t], expected, before) for t in wanted if t in counted], manifests)


@dataclass(frozen=True, slots=True)
class _Before:
    """What an older backup had of a table, and when that and the first one without it were taken."""

    rows: int
    good: datetime
    bad: datetime


@dataclass(frozen=True, slots=True)
class _Judged:
    """One table, counted and judged: gone, emptied, shrunk, unreadable, grown, well or unknown."""

    count: LiveCount
    expected: int | None
    before: _Before | None
    word: str


def _before(manifests: Sequence[Manifest]) -> dict[TableName, _Before]:
    """The tables that had rows in an older backup and have none, or aren't there, in all newer ones."""
    found: dict[TableName, _Before] = {}
    rows = [{(t.schema, t.name): t.rows for t in m.tables} for m in manifests]
    for number in range(1, len(manifests)):
        for table, had in rows[number].items():
            lost = not any(newer.get(table) for newer in rows[:number])
            if had and lost and table not in found:
                found[table] = _Before(had, manifests[number].created_at, manifests[number - 1].created_at)
    return found


def _judged(count: LiveCount, expected: dict[TableName, int], before: dict[TableName, _Before]) -> _Judged:
    was, older = expected.get(count.table), before.get(count.table)
    rows = count.rows
    if count.unreadable:
        word = "unreadable"
    elif count.gone:
        word = "gone"
    elif rows is None:
        word = "unknown"
    elif rows == 0 and not count.estimated and (was or older):
        word = "emptied"
    elif was is None:
        word = "unjudged"
    elif count.estimated:
        word = "shrunk" if rows < was * _ESTIMATE_IS_OFF_BY else "estimated"
    elif rows < was * _SHRUNK:
        word = "shrunk"
    elif rows > was * _GROWN and rows - was > _GROWN_ROWS:
        word = "grown"
    else:
        word = "well"
    return _Judged(count, was, older, word)


def _tell(parts: Parts, judged: _Judged, newest: Manifest | None) -> None:
    table, count = dotted(judged.count.table), judged.count
    name, was, older = clean(table, 120), judged.expected, judged.before
    rows = count.rows or 0
    mend = "Restore it, or the whole database."
    if judged.word == "gone":
        had = f" The last backup had {was:,} rows of it." if was else ""
        if not was and older:
            had = f" The backup of {_moment(older.good)} had {older.rows:,} rows of it, later ones have none."
        if was is None and older is None and newest is not None:
            had = " No backup has it either: see key_tables in the configuration."
            parts.found(Level.WARNING, name, f"Table {name} is not there.{had}", None)
            return
        parts.found(Level.STOP, name, f"Table {name} is not there.{had}", mend)
    elif judged.word == "emptied":
        had = f"the last backup had {was:,} rows" if was else ""
        if not was and older:
            had = f"the backup of {_moment(older.good)} had {older.rows:,} rows, later ones have none either"
        parts.found(Level.STOP, name, f"Table {name} is empty; {had}.", mend)
    elif judged.word == "unreadable":
        what = f"Table {name} can't be read from the server's disk: {clean(count.reason or '', 200)}."
        parts.found(Level.STOP, name, what, "Restore it, and see to the disk.")
    elif judged.word == "shrunk" and was is not None:
        about = "about " if count.estimated else ""
        what = f"Table {name} has {about}{rows:,} rows, {was - rows:,} fewer than the last backup."
        parts.found(Level.WARNING, name, what, "Find out whether they were meant to go.")
    elif judged.word == "grown" and was is not None:
        what = f"Table {name} has grown from {was:,} to {rows:,} rows since the last backup."
        parts.found(Level.WARNING, name, what, "Find out whether that much was written.")
    elif judged.word == "unjudged":
        about = "about " if count.estimated else ""
        what = f"Table {name} has {about}{rows:,} rows; no manifest says how many it should."
        parts.found(Level.OK, name, what)
    elif judged.word == "estimated":
        what = f"Table {name} has about {rows:,} rows by the planner; {count.reason}."
        parts.found(Level.OK, name, what)
    elif judged.word == "unknown":
        what = f"Table {name} could not be counted: {clean(count.reason or 'no reason given', 200)}."
        parts.found(Level.WARNING, name, what, "Count it by hand, or look again later.")


def _rows(judged: Sequence[_Judged], manifests: Sequence[Manifest]) -> Rows:
    def named(word: str) -> tuple[str, ...]:
        return tuple(dotted(j.count.table) for j in judged if j.word == word and (j.expected or j.before))

    earlier = [j.before for j in judged if j.before and not j.expected and j.word in ("gone", "emptied")]
    return Rows(
        counts=tuple(
            TableCount(
                *j.count.table,
                expected=j.expected,
                found=j.count.rows,
                estimated=j.count.estimated,
                reason=None if j.count.gone or not j.count.reason else clean(j.count.reason, 200),
                before=j.before.rows if j.before else None,
            )
            for j in judged
        ),
        gone=named("gone"),
        emptied=named("emptied"),
        shrunk=named("shrunk"),
        unreadable=tuple(dotted(j.count.table) for j in judged if j.word == "unreadable"),
        lost_after=max((e.good for e in earlier), default=None),
        lost_by=max((e.bad for e in earlier), default=None),
    )


def ask_checks(
    parts: Parts,
    endpoint: Endpoint,
    database: Database,
    manifest: Manifest | None,
    known: Sequence[str],
) -> tuple[FailedCheck, ...]:
    """Asks the fleet's own questions, and whether indexes, triggers and sequences are fit to be used; tells
    what isn't well, and how many of the own ones are. `known` are the tables that a question may name.

    What the database is made of is compared elsewhere: by name, not by number.
    """
    own = {check.name: check for check in database.checks}
    failed: list[FailedCheck] = []
    passed = 0
    bare = replace(manifest, tables=(), selection="tables") if manifest is not None else None

    def on_check(check: Check) -> None:
        nonlocal passed
        if check.passed is False:
            what = f"{check.name}: expected {check.expected}, found {check.found}."
            parts.found(Level.STOP, check.name, what, check.mend)
            if check.name in named:
                failed.append(FailedCheck(check.name, tables_in(named[check.name], known)))
        elif check.passed is None:
            what = f"{check.name} could not be asked: {check.found}"
            parts.found(Level.WARNING, check.name, what, check.mend)
        elif check.name in named:
            passed += 1

    named = {clean(name, 120): check.sql for name, check in own.items()}
    structure_checks(endpoint, database.dbname, database, bare, on_check, limit_s=_QUESTION_S)
    if own and passed:
        what = f"{passed} of {show.plural(len(own), 'check')} of the fleet's own pass."
        parts.found(Level.OK, "checks", what)
    return tuple(failed)


def tables_in(sql: str, known: Sequence[str]) -> tuple[str, ...]:
    """Given a question in SQL and tables ("schema.table"), returns those whose name it has in it as a word,
    whatever else it may mean there: for a proposal, which a person looks at."""
    words = {word.lower() for word in re.findall(r"[\w$]+", sql)}
    return tuple(table for table in known if table.rpartition(".")[2].lower() in words)


def tell_last_write(
    parts: Parts, endpoint: Endpoint, database: Database, compared: datetime | None, now: datetime
) -> datetime | None:
    """Tells and returns the newest value of the fleet's freshness columns: the last write that is seen.
    `compared` is the newest backup's time: without a write since then something has stopped, or is lost."""
    if not database.freshness:
        return None
    newest = newest_values(endpoint, database.dbname, database.freshness)
    seen = [n for n in newest if n.at is not None]
    for one in newest:
        if one.problem is not None:
            about = clean(one.column, 120)
            parts.found(Level.WARNING, about, f"The newest {about} could not be read: {one.problem}.")
    last: Newest | None = max(seen, key=lambda n: n.at or now, default=None)
    if last is None or last.at is None:
        empty = ", ".join(clean(n.column.removeprefix("public."), 120) for n in newest if n.problem is None)
        if empty:
            mend = "Its tables are empty, or it holds no time."
            parts.found(Level.WARNING, "last write", f"Nothing tells of the last write: {empty}.", mend)
        return None
    age = now - last.at
    name = clean(last.column.removeprefix("public."), 120)
    what = f"The last write seen is of {show.minute(last.at)} UTC, {show.age(age)} ago ({name})."
    if compared is not None and last.at < compared and age > database.rpo:
        mend = "Either nobody writes any more, or what was written last is gone."
        parts.found(Level.WARNING, "last write", what, mend)
    else:
        parts.found(Level.OK, "last write", what)
    return last.at


def _moment(moment: datetime) -> str:
    return rfc3339(moment.replace(microsecond=0))
