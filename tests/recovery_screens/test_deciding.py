"""What has happened and since when is decided on the first step; two backups are compared on the second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from tests.recovery_screens.answers import CANDIDATES, DECLARED, FLEET
from tests.recovery_screens.pictures import NOW
from tests.recovery_screens.scripted import RecoveryApp, ScriptedGuide, incident_at
from tests.recovery_screens.seen import give_reason, settle, text_of, until
from tui.model.backup import TableContents
from tui.model.facts import Status
from tui.model.incident import Incident, Proposal, Step
from tui.model.scenario import Scenario
from tui.screens.recovery.compare import CompareScreen
from tui.screens.recovery.moment import MomentScreen
from tui.screens.recovery.reason import ReasonScreen
from tui.screens.recovery.scenario import ScenarioScreen
from tui.screens.recovery.screen import RecoveryScreen
from tui.screens.recovery.which_tables import WhichTablesScreen
from tui.widgets.scenario_lines import advice_lines

SIZES = ((80, 24), (200, 50))
DELETED = Proposal(
    Scenario.ACCIDENTAL_DELETION,
    "Wallets and trades are empty; the structure of the others is as it was.",
    ("public.wallets", "public.trades"),
    NOW - timedelta(hours=2),
    NOW - timedelta(minutes=20),
    "The backup of 2026-11-21 01:25 UTC still has it.",
)
AWAY = Proposal(Scenario.RESTART, "Nothing answers at db:5433.", good_at=NOW - timedelta(hours=1))
WELL = Proposal(None, "Nothing is seen to be damaged.")


def guide(proposal: Proposal | None, **changes: object) -> ScriptedGuide:
    made = ScriptedGuide(replace(Incident("7", "crypto_exchange", "anna", DECLARED), **changes))  # type: ignore[arg-type]
    made.proposal = proposal
    return made


@asynccontextmanager
async def recovering(
    by: ScriptedGuide, size: tuple[int, int] = (80, 24), read_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    async with RecoveryApp(by, FLEET, read_only).run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_proposed_stands_above_all_and_enter_accepts_it(size: tuple[int, int]) -> None:
    by = guide(DELETED)
    async with recovering(by, size) as pilot:
        seen = text_of(pilot)
        assert "▲ proposed Accidental deletion   RTO 30m · RPO 6h" in seen
        assert "Wallets and trades are empty" in seen
        assert "since    after 2026-11-21 01:25, by 2026-11-21 03:05 UTC." in seen
        assert "✘ DAMAGED" in seen and "enter accept what is proposed" in seen
        await pilot.press("enter")
        await settle(pilot)
        assert by.incident.scenario is Scenario.ACCIDENTAL_DELETION
        assert pilot.app.screen.shown is Step.PICK  # type: ignore[attr-defined]
        advice = "» Take the newest backup from before the deletion." in text_of(pilot)
        assert advice or size[1] < 30  # where there is room
        await pilot.press("1")
        await settle(pilot)
        assert "✔ decided  Accidental deletion" in text_of(pilot)
        assert "» Freeze writes first" in text_of(pilot) and "enter next step" in text_of(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_another_scenario_can_be_chosen(size: tuple[int, int]) -> None:
    by = guide(DELETED)
    async with recovering(by, size) as pilot:
        await pilot.press("s")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ScenarioScreen)
        seen = text_of(pilot)
        for title in ("Accidental deletion", "Single table corruption", "Full database corruption",
                      "Malformed migration", "Database instance lost", "Full cluster or region lost",
                      "Pod, container or node failed", "PROPOSED", "2h", "15m"):  # fmt: skip
            assert title in seen
        assert "Rows were deleted" in seen  # the cursor begins on the one proposed
        await pilot.press("escape")
        await settle(pilot)
        assert by.incident.scenario is None
        await pilot.press("s", "down", "down", "down", "enter")
        await settle(pilot)
        assert by.incident.scenario is Scenario.BAD_MIGRATION
        assert "Proposed was: accidental deletion." in by.incident.scenario_why


async def test_single_tables_are_asked_for() -> None:
    by = guide(DELETED)
    async with recovering(by) as pilot:
        await pilot.press("s", "down", "enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, WhichTablesScreen)
        seen = text_of(pilot)
        assert "2 tables marked" in seen and "■ wallets" in seen and "· users" in seen and "EMPTY" in seen
        await pilot.press("space", "enter")  # takes the mark of the first away
        await settle(pilot)
        assert by.incident.scenario is Scenario.TABLE_CORRUPTION
        assert by.incident.tables == ("public.trades",)


async def test_since_when_is_shown_as_understood_before_it_counts() -> None:
    by = guide(DELETED)
    async with recovering(by) as pilot:
        await pilot.press("t")
        await settle(pilot)
        assert isinstance(pilot.app.screen, MomentScreen)
        await pilot.press(*"soon", "enter")
        await settle(pilot)
        assert "no moment that is understood" in text_of(pilot)
        await pilot.press("enter")
        assert "decide" not in by.calls
        for _ in range(4):
            await pilot.press("backspace")
        await pilot.press(*"20m ago")
        await settle(pilot)
        assert "= 2026-11-21 03:05:41 UTC, 20m ago" in text_of(pilot)
        await pilot.press("enter", "enter")
        await settle(pilot)
        assert by.incident.damaged_at == NOW - timedelta(minutes=20)
        assert by.incident.scenario is Scenario.ACCIDENTAL_DELETION
        assert by.incident.damaged_how == "As the engineer states."


async def test_where_nothing_is_proposed_enter_goes_on_and_nothing_is_decided() -> None:
    by = guide(WELL)
    async with recovering(by) as pilot:
        assert "nothing to recover  Nothing is seen to be damaged." in text_of(pilot)
        await pilot.press("t")
        await settle(pilot)
        assert isinstance(pilot.app.screen, RecoveryScreen)
        await pilot.press("enter")
        await settle(pilot)
        assert "decide" not in by.calls and pilot.app.screen.shown is Step.PICK


@pytest.mark.parametrize("key", ["s", "t", "enter", "r"])
async def test_who_may_not_change_anything_decides_nothing(key: str) -> None:
    by = guide(DELETED, driver="bob")
    by.incident = replace(incident_at(Step.PICK), proposal=DELETED, driver="bob")
    async with recovering(by) as pilot:
        await pilot.press("1", key)
        await settle(pilot)
        assert isinstance(pilot.app.screen, RecoveryScreen) and "decide" not in by.calls
    by = guide(DELETED)
    async with recovering(by, read_only=True) as pilot:
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(pilot.app.screen, RecoveryScreen) and "decide" not in by.calls


async def test_a_restart_is_watched_and_what_came_back_is_looked_at() -> None:
    by = guide(AWAY)
    async with recovering(by) as pilot:
        await pilot.press("enter")
        await settle(pilot)
        assert by.incident.scenario is Scenario.RESTART
        await until(pilot, lambda: "Connection refused" in text_of(pilot))
        assert "◌ waiting" in text_of(pilot) and "node by 03:35; then stop waiting" in text_of(pilot)
        by.proposal = WELL
        by.watched = Status.UP
        await until(pilot, lambda: "✔ it is BACK" in text_of(pilot))
        await until(pilot, lambda: by.calls.count("assess") == 2)
        await settle(pilot)


async def test_leaving_stops_the_watching_not_the_waiting() -> None:
    by = guide(AWAY)
    async with recovering(by) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "watch" in by.calls)
        await pilot.press("escape")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, RecoveryScreen)
    assert by.incident.waiting_since is not None
    by.calls.clear()
    async with recovering(by) as pilot:  # taken up again
        await pilot.press("1")
        await until(pilot, lambda: "watch" in by.calls)


async def test_when_the_waiting_is_over_the_loss_is_offered() -> None:
    by = guide(None)
    by.incident = replace(
        incident_at(Step.NOTIFY),
        scenario=Scenario.RESTART,
        waiting_since=NOW - timedelta(minutes=11),
        proposal=Proposal(Scenario.INSTANCE_LOST, "Nothing answers since 11m at least."),
    )
    async with recovering(by) as pilot:
        await pilot.press("1")
        await settle(pilot)
        assert "✘ STOP WAITING" in text_of(pilot) and "enter accept what is proposed" in text_of(pilot)
        assert "watch" not in by.calls
        await pilot.press("enter")
        await settle(pilot)
        assert by.incident.scenario is Scenario.INSTANCE_LOST


# Picking


@pytest.mark.parametrize("size", SIZES)
async def test_what_speaks_against_a_candidate_is_told(size: tuple[int, int]) -> None:
    by = ScriptedGuide(incident_at(Step.PICK))
    too_late = replace(
        CANDIDATES[1], usable=False, why="Taken after the damage (2026-11-21 01:04 UTC): it has it too.",
        complete=True,
    )  # fmt: skip
    by.candidates = lambda: ((CANDIDATES[0], too_late), ())  # type: ignore[method-assign]
    async with recovering(by, size) as pilot:
        assert "never verified" in text_of(pilot)
        await pilot.press("down")
        await settle(pilot)
        seen = text_of(pilot)
        assert "✘ not advised" in seen and "it has it too" in seen
        assert "complete · on-site (offsite) · restored and checked, clean, 3d ago" in seen
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ReasonScreen) and "pick" not in by.calls
        await give_reason(pilot, "no other")
        await settle(pilot)
        assert by.incident.ref == too_late.backup.ref


@pytest.mark.parametrize("size", SIZES)
async def test_two_candidates_are_compared_table_by_table(size: tuple[int, int]) -> None:
    by = ScriptedGuide(incident_at(Step.PICK))
    old = CANDIDATES[1]
    assert old.description is not None
    tables = tuple(
        replace(t, rows=5_900_000) if t.name == "orders" else t
        for t in old.description.tables
        if t.name != "log"
    )
    tables += (TableContents("public", "old [b]one", None, 5),)
    less = replace(old, description=replace(old.description, tables=tables))
    by.candidates = lambda: ((CANDIDATES[0], less), ())  # type: ignore[method-assign]
    async with recovering(by, size) as pilot:
        await pilot.press("c")
        await settle(pilot)
        assert "c on another one compares the two" in text_of(pilot)
        await pilot.press("down", "c")
        await settle(pilot)
        assert isinstance(pilot.app.screen, CompareScreen)
        seen = text_of(pilot)
        assert "3 tables differ · 4 tables the same" in seen
        assert "+ only B  audit.log" in seen and "✘ only A  old [b]one" in seen
        assert "5,900,000" in seen and "+100,871" in seen
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(pilot.app.screen, RecoveryScreen) and by.incident.ref is None


async def test_the_stores_are_read_again_when_something_else_was_decided() -> None:
    by = ScriptedGuide(incident_at(Step.PICK))
    async with recovering(by) as pilot:
        by.decide(Scenario.BAD_MIGRATION, "why", NOW)
        await pilot.press("1", "2")
        await settle(pilot)
        assert by.calls.count("candidates") == 2
        await pilot.press("1", "2")
        await settle(pilot)
        assert by.calls.count("candidates") == 2


def test_advice_is_folded_and_only_of_what_was_decided() -> None:
    incident = incident_at(Step.PICK)
    assert advice_lines(incident, Step.PICK, 60) == []
    decided = replace(incident, scenario=Scenario.INSTANCE_LOST)
    folded = advice_lines(decided, Step.ASSESS, 40)
    assert len(folded) > 4 and all(row.cell_length <= 40 for row in folded)
    assert folded[0].plain.startswith("» Make sure")
