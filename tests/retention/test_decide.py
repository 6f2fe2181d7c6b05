"""Which backups may go, as a function: what holds for all of them, and one example of each reason."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.backup import Verdict, Verification
from tui.operations.retention.retention import Decision, Fate, Known, Rule, decide, suspicions

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def known(days: float, size: int = 100, verdict: Verdict | None = None, **more: str) -> Known:
    """A backup taken so many days ago."""
    at = NOW - timedelta(days=days)
    verification = Verification(at, verdict) if verdict else None
    return Known(f"s:{days:g}", at, size, verification, **more)


def fates(decisions: tuple[Decision, ...]) -> dict[str, Fate]:
    return {d.ref.removeprefix("s:"): d.fate for d in decisions}


def removed(decisions: tuple[Decision, ...]) -> set[str]:
    return {d.ref for d in decisions if d.fate is Fate.REMOVED}


def why(decisions: tuple[Decision, ...], days: float) -> str:
    return next(d.why for d in decisions if d.ref == f"s:{days:g}")


@st.composite
def many(draw: st.DrawFn, future: bool = False) -> list[Known]:
    hours = draw(st.lists(st.integers(-200 if future else 0, 3000), unique=True, max_size=25))
    drawn = []
    for hour in hours:
        verdict = draw(st.sampled_from([None, None, *Verdict]))
        fault = "It has no manifest." if draw(st.integers(0, 5)) == 0 or verdict is Verdict.FAILED else None
        drawn.append(
            Known(
                ref=f"s:{hour}",
                taken_at=None if draw(st.integers(0, 15)) == 0 else NOW - timedelta(hours=hour),
                size_bytes=draw(st.sampled_from([1, 40, 90, 100, 110, 1000])),
                verification=Verification(NOW, verdict) if verdict else None,
                fault=fault,
                needed="A job works with it." if draw(st.integers(0, 9)) == 0 else None,
            )
        )
    return drawn


rules = st.builds(
    Rule,
    keep_for=st.one_of(st.none(), st.integers(1, 2000).map(lambda h: timedelta(hours=h))),
    keep_at_least=st.integers(1, 5),
    daily=st.integers(0, 8),
    weekly=st.integers(0, 5),
    monthly=st.integers(0, 5),
)


@given(many(future=True), rules)
def test_each_has_one_decision_with_a_sentence(backups: list[Known], rule: Rule) -> None:
    decisions = decide(backups, rule, NOW)
    assert sorted(d.ref for d in decisions) == sorted(b.ref for b in backups)
    assert all(d.why.strip().endswith(".") for d in decisions)


@given(many(future=True), rules)
def test_what_must_stay_is_never_removed(backups: list[Known], rule: Rule) -> None:
    gone = removed(decide(backups, rule, NOW))
    past = [b for b in backups if b.taken_at and b.taken_at <= NOW]
    verified = [b for b in past if b.sound and b.verified]
    if verified:
        assert max(verified, key=lambda b: (b.taken_at, b.ref)).ref not in gone
    complete = [b for b in past if b.sound]
    if complete:
        assert max(complete, key=lambda b: (b.taken_at, b.ref)).ref not in gone
    elif past:
        assert not gone
    assert not gone & {b.ref for b in backups if b.needed or b.taken_at is None or b.taken_at > NOW}
    assert len([b for b in complete if b.ref not in gone]) >= min(rule.keep_at_least, len(complete))


@given(many(future=True), rules)
def test_doing_it_again_removes_nothing_more(backups: list[Known], rule: Rule) -> None:
    gone = removed(decide(backups, rule, NOW))
    left = [b for b in backups if b.ref not in gone]
    assert removed(decide(left, rule, NOW)) == set()


@given(many(future=True), rules, st.randoms(use_true_random=False))
def test_stopped_at_any_point_it_ends_where_it_would_have(
    backups: list[Known], rule: Rule, random: object
) -> None:
    """A prune that was killed after some of its deletions is gone on with: none of what it would have kept
    goes, whichever came first."""
    gone = removed(decide(backups, rule, NOW))
    part = set(sorted(gone, key=lambda _: random.random())[: len(gone) // 2])  # type: ignore[attr-defined]
    left = [b for b in backups if b.ref not in part]
    assert removed(decide(left, rule, NOW)) <= gone


@given(many(), rules, st.integers(0, 3000))
def test_what_may_go_may_go_later_too(backups: list[Known], rule: Rule, hours: int) -> None:
    assert removed(decide(backups, rule, NOW)) <= removed(decide(backups, rule, NOW + timedelta(hours=hours)))


@given(many(), rules, st.sampled_from([1, 40, 90, 1000]))
def test_a_failed_backup_removes_no_other(backups: list[Known], rule: Rule, size: int) -> None:
    """A newest one that isn't complete changes nothing for the others."""
    failed = Known("s:new", NOW, size, fault="It has no manifest.")
    with_it = removed(decide([*backups, failed], rule, NOW))
    assert with_it == removed(decide(backups, rule, NOW))


@given(many(), rules)
def test_a_backup_that_is_too_small_removes_no_other(backups: list[Known], rule: Rule) -> None:
    small = Known("s:new", NOW + timedelta(minutes=1), 0)
    if not any(b.sound and b.taken_at for b in backups):
        return  # nothing tells then that it is small
    assert removed(decide([*backups, small], rule, NOW)) <= removed(decide(backups, rule, NOW))


def test_the_rule_of_the_documents() -> None:
    """Every 6 hours for 30 days."""
    backups = [known(hours / 24) for hours in range(0, 24 * 40, 6)]
    gone = fates(decide(backups, Rule(30 * DAY), NOW))
    assert {float(days) > 30 for days, fate in gone.items() if fate is Fate.REMOVED} == {True}
    assert sum(fate is Fate.REMOVED for fate in gone.values()) == 39


def test_so_many_stay_however_old() -> None:
    backups = [known(days) for days in (100, 200, 300, 400)]
    decisions = decide(backups, Rule(7 * DAY, keep_at_least=3), NOW)
    assert removed(decisions) == {"s:400"}
    assert "3 of the 3" in why(decisions, 300) and "older than 7d" in why(decisions, 400)


def test_days_weeks_and_months_keep_their_last() -> None:
    backups = [known(days) for days in range(400)]
    kept = {b.ref for b in backups} - removed(decide(backups, Rule(DAY, 1, 7, 4, 12), NOW))
    # 7 days; of the weeks before them those that ended on 15, 8, 1 November; the ends of 11 months
    ends = [datetime(2026, 11, day, tzinfo=timezone.utc) for day in (8, 1)]
    ends += [datetime(2026, m + 1, 1, tzinfo=timezone.utc) - DAY for m in range(1, 11)] + [
        datetime(2025, 12, 31, tzinfo=timezone.utc)
    ]
    assert kept == {f"s:{n}" for n in range(7)} | {f"s:{(NOW - end).days}" for end in ends}


def test_the_newest_verified_one_stays_when_younger_ones_were_not_verified() -> None:
    backups = [
        known(1),
        known(2),
        known(3),
        known(50, verdict=Verdict.CLEAN),
        known(60, verdict=Verdict.CLEAN),
    ]
    decisions = decide(backups, Rule(7 * DAY, 1), NOW)
    assert removed(decisions) == {"s:60"} and "restored and found good" in why(decisions, 50)


def test_one_that_failed_its_verification_is_no_last_good_one() -> None:
    backups = [known(9, verdict=Verdict.FAILED, fault="It failed its verification."), known(10), known(11)]
    decisions = decide(backups, Rule(7 * DAY, 1), NOW)
    assert fates(decisions) == {"9": Fate.REFUSED, "10": Fate.KEPT, "11": Fate.REMOVED}


def test_small_ones_take_no_place_and_hold_what_shows_it() -> None:
    backups = [known(10, 30), *(known(days) for days in range(11, 31))]
    decisions = decide(backups, Rule(7 * DAY, 3), NOW)
    assert fates(decisions)["10"] is Fate.REFUSED and "30 B, where 100 B" in why(decisions, 10)
    assert removed(decisions) == {f"s:{days}" for days in range(16, 31)}
    assert "shows it" in why(decisions, 15)


def test_a_database_that_shrank_is_believed_after_five_more() -> None:
    assert suspicions([100] * 6 + [40] * 3) == [None] * 6 + [100, 100, 100]
    assert suspicions([100] * 6 + [40] * 8) == [None] * 14
    assert suspicions([100] * 6 + [40] + [100] * 6) == [None] * 6 + [100] + [None] * 6
    assert suspicions([100, 50]) == [None, None] and suspicions([100, 49]) == [None, 100]


def test_the_unknown_and_the_future_are_told_not_removed() -> None:
    backups = [
        Known("s:a", None, 1),
        known(-40),
        known(900, foreign="Not ours."),
        *map(known, (1, 2, 3, 800)),
    ]
    decisions = decide(backups, Rule(7 * DAY, 1), NOW)
    assert removed(decisions) == {"s:800"}
    refused = {d.ref: d.why for d in decisions if d.fate is Fate.REFUSED}
    assert refused.keys() == {"s:a", "s:-40", "s:900"} and "clock" in refused["s:-40"]


@pytest.mark.parametrize("good", [True, False])
def test_what_is_not_complete_goes_only_when_something_good_is_newer(good: bool) -> None:
    backups = [known(90, fault="It has no manifest."), *([known(8)] if good else [])]
    decisions = decide(backups, Rule(7 * DAY), NOW)
    assert fates(decisions)["90"] is (Fate.REMOVED if good else Fate.REFUSED)
    assert "no manifest" in why(decisions, 90)
