"""What is proposed for what was found: every scenario, and when none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.incident.evidence import Evidence, FailedCheck, Reach
from tui.incident.propose import propose
from tui.model.scenario import Scenario
from tui.model.text import clean

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=timezone.utc)
BACKUP = NOW - timedelta(hours=2)
TABLES = tuple(f"public.{name}" for name in ("users", "wallets", "orders", "trades", "sessions"))
WELL = Evidence(NOW, where="db:5433", backup_at=BACKUP, tables=TABLES)
AWAY = replace(WELL, reach=Reach.DOWN, others_up=("kong-database",), stores_onsite=1)


@pytest.mark.parametrize(
    ("found", "scenario", "tables", "why"),
    [
        # nothing to recover
        (WELL, None, (), "Nothing is seen to be damaged"),
        (replace(WELL, in_recovery=True), None, (), "standby"),
        (replace(WELL, read_only=True), None, (), "read-only"),
        (replace(WELL, reach=Reach.FULL), None, (), "out of connections"),
        (replace(WELL, reach=Reach.NO_DISK), None, (), "disk is full"),
        (replace(WELL, reach=Reach.REFUSED), None, (), "refuses the login"),
        (replace(WELL, reach=Reach.CLOSED), None, (), "takes no connections"),
        (replace(WELL, reach=Reach.MISSING, backup_at=None), None, (), "never seen there"),
        # the server
        (AWAY, Scenario.RESTART, (), "Nothing answers at db:5433"),
        (replace(AWAY, reach=Reach.HUNG), Scenario.RESTART, (), "says nothing"),
        (replace(AWAY, reach=Reach.STARTING), Scenario.RESTART, (), "starting up"),
        (
            replace(AWAY, others_up=(), others_down=("kong-database",)),
            Scenario.RESTART,
            (),
            "nor at kong-database: the node",
        ),
        (replace(AWAY, waited=timedelta(minutes=3)), Scenario.RESTART, (), "comes back by itself"),
        (replace(AWAY, waited=timedelta(minutes=12)), Scenario.INSTANCE_LOST, (), "12m at least"),
        (replace(AWAY, stores_lost=("local",)), Scenario.RESTART, (), "Nothing answers"),
        (
            replace(AWAY, others_up=(), stores_lost=("local",)),
            Scenario.SITE_LOST,
            (),
            "the on-site store local can't be read",
        ),
        (
            replace(AWAY, others_up=(), others_down=("kong", "goalert"), stores_lost=("local",)),
            Scenario.SITE_LOST,
            (),
            "kong and goalert can't be reached either",
        ),
        # the database
        (replace(WELL, reach=Reach.MISSING), Scenario.DATABASE_CORRUPTION, (), "is gone from it"),
        (replace(WELL, reach=Reach.BROKEN), Scenario.DATABASE_CORRUPTION, (), "cut off"),
        (replace(WELL, reach=Reach.MISSING, other_server=True), Scenario.INSTANCE_LOST, (), "Another server"),
        (replace(WELL, checksum_failures=3), Scenario.DATABASE_CORRUPTION, (), "3 checksum failures"),
        (replace(WELL, emptied=TABLES), Scenario.DATABASE_CORRUPTION, (), "All 5 tables"),
        (replace(WELL, gone=TABLES[:2], emptied=TABLES[2:]), Scenario.DATABASE_CORRUPTION, (), "All 5"),
        (replace(WELL, unreadable=TABLES), Scenario.DATABASE_CORRUPTION, (), "can't read"),
        (
            replace(WELL, failed=(FailedCheck("Sums agree"),)),
            Scenario.DATABASE_CORRUPTION,
            (),
            "can't be trusted",
        ),
        # tables
        (replace(WELL, emptied=TABLES[1:2]), Scenario.TABLE_CORRUPTION, TABLES[1:2], "wallets is empty"),
        (replace(WELL, gone=TABLES[1:2]), Scenario.TABLE_CORRUPTION, TABLES[1:2], "wallets is gone"),
        (replace(WELL, unreadable=TABLES[:1]), Scenario.TABLE_CORRUPTION, TABLES[:1], "can't read users"),
        (
            replace(WELL, failed=(FailedCheck("No negative balances", TABLES[1:2]),)),
            Scenario.TABLE_CORRUPTION,
            TABLES[1:2],
            "of wallets failed (No negative balances)",
        ),
        (replace(WELL, shrunk=TABLES[:1]), Scenario.TABLE_CORRUPTION, TABLES[:1], "fewer rows"),
        # deletion
        (
            replace(WELL, emptied=TABLES[1:3]),
            Scenario.ACCIDENTAL_DELETION,
            TABLES[1:3],
            "the tables wallets and orders are empty",
        ),
        (
            replace(WELL, gone=TABLES[:1], emptied=TABLES[3:4]),
            Scenario.ACCIDENTAL_DELETION,
            (TABLES[0], TABLES[3]),
            "the table users is gone and the table trades is empty",
        ),
        (replace(WELL, shrunk=TABLES[:2]), Scenario.ACCIDENTAL_DELETION, TABLES[:2], "fewer rows"),
        # a table dropped with CASCADE takes views and foreign keys along
        (
            replace(WELL, gone=TABLES[:2], constraints_gone=("orders orders_fk",), others_gone=("view v",)),
            Scenario.ACCIDENTAL_DELETION,
            TABLES[:2],
            "are gone",
        ),
        # migrations
        (
            replace(WELL, columns_gone=("public.wallets.locked",)),
            Scenario.BAD_MIGRATION,
            ("public.wallets",),
            "the column wallets.locked is gone",
        ),
        (
            replace(WELL, gone=TABLES[2:3], new_tables=("public.orders_v2",)),
            Scenario.BAD_MIGRATION,
            TABLES[2:3],
            "orders is gone, orders_v2 is new",
        ),
        (replace(WELL, indexes_gone=("a_idx", "b_idx")), Scenario.BAD_MIGRATION, (), "the indexes a_idx and"),
        (replace(WELL, others_gone=("view open_orders",)), Scenario.BAD_MIGRATION, (), "view open_orders is"),
        # several things at once: what destroys most is named
        (
            replace(WELL, emptied=TABLES[:1], columns_gone=("public.wallets.locked",)),
            Scenario.BAD_MIGRATION,
            (TABLES[0], "public.wallets"),
            "users is empty",
        ),
        (
            replace(WELL, emptied=TABLES[:1], failed=(FailedCheck("c", TABLES[1:2]),)),
            Scenario.TABLE_CORRUPTION,
            TABLES[:1],
            "the table users is empty",
        ),
    ],
)
def test_the_scenario_its_tables_and_why(
    found: Evidence, scenario: Scenario | None, tables: tuple[str, ...], why: str
) -> None:
    proposed = propose(found)
    assert (proposed.scenario, proposed.tables) == (scenario, tables)
    assert why.lower() in proposed.why.lower()
    assert proposed.why.endswith(".")


def test_since_when_is_told_from_both_sides() -> None:
    emptied = replace(WELL, emptied=TABLES[:2])
    assert (propose(emptied).good_at, propose(emptied).damaged_at) == (BACKUP, None)
    at = NOW - timedelta(minutes=9)
    told = propose(replace(emptied, changed_at=at))
    assert (told.good_at, told.damaged_at) == (BACKUP, at)
    assert "03:03:00 UTC" in told.how and "2026-11-21 01:12 UTC still has it" in told.how


def test_the_newest_backup_may_have_lost_it_already() -> None:
    older = BACKUP - timedelta(hours=6)
    told = propose(replace(WELL, emptied=TABLES[:2], lost_after=older, lost_by=BACKUP))
    assert (told.good_at, told.damaged_at) == (older, BACKUP)
    assert "has lost it already" in told.how


def test_wrong_values_date_from_after_the_last_backup_that_passed_its_checks() -> None:
    wrong = replace(WELL, failed=(FailedCheck("c", TABLES[:1]),))
    assert propose(wrong).good_at is None and "not known" in propose(wrong).how
    clean_at = NOW - timedelta(days=3)
    assert propose(replace(wrong, clean_at=clean_at)).good_at == clean_at


def test_a_database_that_is_away_was_last_well_when_it_was_seen_or_backed_up() -> None:
    seen = NOW - timedelta(minutes=20)
    assert propose(replace(AWAY, seen_at=seen)).good_at == seen
    assert propose(replace(AWAY, seen_at=BACKUP - timedelta(days=1))).good_at == BACKUP


def test_a_clock_that_is_ahead_claims_nothing() -> None:
    ahead = replace(WELL, backup_at=NOW + timedelta(minutes=3), emptied=TABLES[:2])
    assert propose(ahead).good_at is None


NAMES = st.text(max_size=8).map(lambda text: f"public.{text}")
SOME = st.lists(NAMES, max_size=5).map(tuple)
MOMENTS = st.none() | st.integers(-100_000, 10_000).map(lambda s: NOW + timedelta(seconds=s))


@given(
    st.builds(
        Evidence,
        now=st.just(NOW),
        reach=st.sampled_from(Reach),
        where=st.text(max_size=5),
        waited=st.none() | st.timedeltas(timedelta(0), timedelta(days=2)),
        others_down=SOME,
        others_up=SOME,
        stores_lost=SOME,
        stores_onsite=st.integers(0, 3),
        seen_at=MOMENTS,
        backup_at=MOMENTS,
        clean_at=MOMENTS,
        lost_after=MOMENTS,
        lost_by=MOMENTS,
        changed_at=MOMENTS,
        tables=SOME,
        gone=SOME,
        emptied=SOME,
        shrunk=SOME,
        unreadable=SOME,
        checksum_failures=st.integers(0, 2),
        new_tables=SOME,
        columns_gone=SOME,
        indexes_gone=SOME,
        constraints_gone=SOME,
        others_gone=SOME,
        failed=st.lists(st.builds(FailedCheck, st.text(max_size=9), SOME), max_size=3).map(tuple),
    )
)
def test_whatever_was_found_the_answer_makes_sense(found: Evidence) -> None:
    told = propose(found)
    assert told.why and clean(told.why) == told.why and clean(told.how) == told.how
    if told.good_at and told.damaged_at:
        assert told.good_at <= told.damaged_at <= NOW
    assert told.good_at is None or told.good_at <= NOW
    if told.scenario in (Scenario.TABLE_CORRUPTION,):
        assert told.tables
    if told.scenario is None:
        assert told.tables == () and found.reach in (
            Reach.UP, Reach.MISSING, Reach.FULL, Reach.NO_DISK, Reach.CLOSED, Reach.REFUSED,
        )  # fmt: skip
