"""Which backups may go: a pure function of what is known of them, the time and the rule.

What counts is a good backup: complete, whole, not failed by a verification, and not suspiciously small.
A backup that isn't good never takes another one's place, and what a suspicion rests on stays with it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from tui.model.amounts import limit, minute, plural, size
from tui.model.backup import Verdict, Verification
from tui.model.fleet import BackupPolicy, Component

NEIGHBOURS = 5  # so many before and after a backup are what its size is held against
_AHEAD = timedelta(hours=1)  # machines' clocks differ; what is further ahead was made by a wrong one


@dataclass(frozen=True, slots=True)
class Rule:
    """How long backups stay (None: for ever), how many good ones in any case, and of how many days, weeks and
    months beyond that the last good one."""

    keep_for: timedelta | None
    keep_at_least: int = 3
    daily: int = 0
    weekly: int = 0
    monthly: int = 0

    @classmethod
    def of(cls, what: BackupPolicy | Component) -> Rule:
        """As the configuration has it for a database or a component."""
        if isinstance(what, Component):
            return cls(what.keep_for, what.keep_at_least)
        return cls(what.keep_for, what.keep_at_least, what.keep_daily, what.keep_weekly, what.keep_monthly)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one backup.

    `fault` says why it can't be counted as a good one, `needed` who works with it, `foreign` why it isn't
    this rule's to judge; each a sentence, None where there is nothing to say.
    """

    ref: str
    taken_at: datetime | None
    size_bytes: int
    verification: Verification | None = None
    fault: str | None = None
    needed: str | None = None
    foreign: str | None = None

    @property
    def sound(self) -> bool:
        """Whether it is a complete backup, as far as its objects tell."""
        return self.fault is None

    @property
    def verified(self) -> bool:
        """Whether it was restored and found good."""
        return self.verification is not None and self.verification.verdict is not Verdict.FAILED


class Fate(Enum):
    """What becomes of a backup. REFUSED: it stays, and a person should know why."""

    KEPT = "kept"
    REMOVED = "removed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one backup, and a sentence of why; what is `fixed` can't be removed by name."""

    ref: str
    fate: Fate
    why: str
    fixed: bool = False


def decide(backups: Iterable[Known], rule: Rule, now: datetime) -> tuple[Decision, ...]:
    """Given the backups of one database (or component) in one store, returns what becomes of each, the newest
    first. Only what is REMOVED may be deleted.

    Never removed: the newest one that was verified as good, the newest `keep_at_least` good ones, what is
    needed, what is suspiciously small or what that is measured against, what is of an unknown time or of
    the future, and what is not complete while nothing good is newer. The outcome doesn't change when what
    it removes is gone, and what may go now may go later too.
    """
    there = list(backups)
    dated = [b for b in there if b.foreign is None and b.taken_at and b.taken_at <= now + _AHEAD]
    judged = _Judged(sorted(dated, key=lambda b: (_at(b), b.ref)), rule, now)
    said = [judged.decision(b) if b in dated else _undated(b) for b in there]
    order = {b.ref: (b.taken_at.timestamp() if b.taken_at else float("inf"), b.ref) for b in there}
    return tuple(sorted(said, key=lambda d: order[d.ref], reverse=True))


def suspicions(sizes: Sequence[int]) -> list[int | None]:
    """Given the sizes of complete backups, oldest first, returns for each that is suspiciously small the size
    that would be expected: the median of up to five before it, of which it has less than half.

    That ends when the median of the five after it isn't twice its size either: then the database shrank.
    """
    found: list[int | None] = []
    for place, own in enumerate(sizes):
        before, after = sizes[max(0, place - NEIGHBOURS) : place], sizes[place + 1 : place + 1 + NEIGHBOURS]
        expected = statistics.median_low(before) if before else 0
        usual_now = len(after) == NEIGHBOURS and statistics.median_low(after) <= own * 2
        found.append(expected if expected > own * 2 and not usual_now else None)
    return found


class _Judged:
    """The reasons for and against each, found once for all."""

    def __init__(self, dated: list[Known], rule: Rule, now: datetime) -> None:
        self._rule, self._now = rule, now
        sound = [b for b in dated if b.sound]
        expected = suspicions([b.size_bytes for b in sound])
        self._small = {b.ref: e for b, e in zip(sound, expected, strict=True) if e is not None}
        self._held: dict[str, str] = {}
        for place, backup in enumerate(sound):
            if backup.ref in self._small:
                around = sound[max(0, place - NEIGHBOURS) : place + 1 + NEIGHBOURS]
                self._held.update((b.ref, backup.ref) for b in around if b is not backup)
        good = [b for b in reversed(sound) if b.ref not in self._small]
        self._newest_good = good[0] if good else None
        self._counted = {b.ref: n for n, b in enumerate(good[: rule.keep_at_least], 1)}
        self._verified = next((b.ref for b in good if b.verified), None)
        self._thinned: dict[str, str] = {}
        buckets: tuple[tuple[int, str, Callable[[datetime], Hashable]], ...] = (
            (rule.daily, "day", lambda at: at.date()),
            (rule.weekly, "week", lambda at: at.isocalendar()[:2]),
            (rule.monthly, "month", lambda at: (at.year, at.month)),
        )
        for number, word, bucket in buckets:
            for backup in _last_of_each(good, number, bucket):
                self._thinned.setdefault(backup.ref, word)

    def decision(self, backup: Known) -> Decision:
        """The first reason that keeps it; else it may go."""
        last_good = self._newest_good is None or backup.ref in (self._newest_good.ref, self._verified)
        if backup.needed is not None:
            return Decision(backup.ref, Fate.KEPT, backup.needed, fixed=True)
        if (expected := self._small.get(backup.ref)) is not None:
            return Decision(backup.ref, Fate.REFUSED, self._too_small(backup, expected))
        if (why := self._kept(backup)) is not None:
            return Decision(backup.ref, Fate.KEPT, why, fixed=last_good)
        age = f"it is older than {limit(self._rule.keep_for)}"
        if backup.fault is None:
            number = len(self._counted)
            stay = f"{plural(number, 'newer good one')} {'stays' if number == 1 else 'stay'}"
            return Decision(backup.ref, Fate.REMOVED, f"Goes because {age}, and {stay}.")
        newest = self._newest_good
        if newest is not None and (_at(newest), newest.ref) > (_at(backup), backup.ref):
            return Decision(backup.ref, Fate.REMOVED, f"Goes because {age}, and {_lower(backup.fault)}")
        return Decision(
            backup.ref,
            Fate.REFUSED,
            f"Not removed, though {age}: no good backup is newer than it. {backup.fault}",
            fixed=last_good,
        )

    def _kept(self, backup: Known) -> str | None:
        rule = self._rule
        if backup.ref == self._verified:
            return "Kept because it is the newest that was restored and found good."
        if self._newest_good is not None and backup.ref == self._newest_good.ref:
            return "Kept because it is the newest good one, which always stays."
        if rule.keep_for is None:
            return "Kept because backups stay here for ever."
        if self._now - _at(backup) <= rule.keep_for:
            return f"Kept because it is younger than {limit(rule.keep_for)}."
        if (number := self._counted.get(backup.ref)) is not None:
            of = f"{number} of the {rule.keep_at_least} good ones that always stay"
            return f"Kept because it is number {of}."
        if (word := self._thinned.get(backup.ref)) is not None:
            return f"Kept because it is the last good one of its {word}."
        if (small := self._held.get(backup.ref)) is not None:
            return f"Kept because {small} is suspiciously small, and this one shows it."
        return None

    def _too_small(self, backup: Known, expected: int) -> str:
        return (
            f"Suspiciously small: {size(backup.size_bytes)}, where {size(expected)} were usual before it. "
            "It isn't counted as a good one, and what lies around it stays, until five later ones are as "
            "small or it is removed by name (--remove): see what it lacks first."
        )


def _last_of_each(good: Sequence[Known], number: int, bucket: Callable[[datetime], Hashable]) -> list[Known]:
    """Given good ones, newest first, returns the newest of each of the first `number` buckets."""
    firsts: dict[Hashable, Known] = {}
    for backup in good:
        firsts.setdefault(bucket(_at(backup)), backup)
    return list(firsts.values())[:number]


def _at(backup: Known) -> datetime:
    assert backup.taken_at is not None
    return backup.taken_at


def _undated(backup: Known) -> Decision:
    if backup.foreign is not None:
        return Decision(backup.ref, Fate.REFUSED, backup.foreign, fixed=True)
    if backup.taken_at is None:
        return Decision(backup.ref, Fate.REFUSED, "Not removed: when it was taken is not known.")
    why = (
        f"Not removed: it claims to be of {minute(backup.taken_at)} UTC, which is yet to come. A clock is or "
        "was wrong, here or where it was taken."
    )
    return Decision(backup.ref, Fate.REFUSED, why)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
