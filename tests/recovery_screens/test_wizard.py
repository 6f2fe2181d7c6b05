"""The wizard on a scripted guide: what is asked when, what is shown, what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from tests.recovery_screens.answers import CHECKS, DECLARED, FLEET, PLAN
from tests.recovery_screens.pictures import DONE, FAILED, NOW
from tests.recovery_screens.scripted import RecoveryApp, ScriptedGuide, incident_at
from tests.recovery_screens.seen import give_reason, settle, text_of, until
from tui.model.fleet import Fleet
from tui.model.incident import Incident, Step, StepStatus
from tui.model.plan import Finding, Level
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.reason import ReasonScreen
from tui.screens.recovery.screen import RecoveryScreen

SIZES = ((80, 24), (200, 50))


def fresh() -> Incident:
    return Incident("7", "crypto_exchange", "anna", DECLARED)


@asynccontextmanager
async def recovering(
    guide: ScriptedGuide, size: tuple[int, int] = (80, 24), fleet: Fleet = FLEET, read_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    async with RecoveryApp(guide, fleet, read_only).run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot


@pytest.mark.parametrize("size", SIZES)
async def test_from_the_first_look_to_the_report(size: tuple[int, int]) -> None:
    guide = ScriptedGuide(fresh(), checks=CHECKS[:12])
    async with recovering(guide, size) as pilot:
        assert "INCIDENT 7" in text_of(pilot) and "RTO 30m · 11m used" in text_of(pilot)
        assert "✘ EMPTY   wallets" in text_of(pilot) and "-3,600,120" in text_of(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert (
            "ADVISED" in text_of(pilot)
            and "EXCEEDS" in text_of(pilot)
            and "12,004,112 rows" in text_of(pilot)
        )
        assert "azure could not be read" in text_of(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "on-call (ntfy)" in text_of(pilot)
        await pilot.press("s")
        await settle(pilot)
        assert (
            "✔ taken" in text_of(pilot)
            and "✘ FAILED" in text_of(pilot)
            and "No answer in 10 s." in text_of(pilot)
        )
        await pilot.press("enter")
        await settle(pilot)
        assert "createdb -h 127.0.0.1" in text_of(pilot) and '! warning Role "reporting"' in text_of(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await pilot.press(*"crypto_exchange", "enter", "enter")
        await settle(pilot)
        await until(pilot, lambda: "7.9M of 12.0M rows" in text_of(pilot))
        assert "4▶" in text_of(pilot) and "ready 03:37 – 03:41" in text_of(pilot)
        guide.picture = DONE
        await until(pilot, lambda: "next: verify" in text_of(pilot))
        await pilot.press("enter")
        await settle(pilot)
        assert "✔ 12 of 12 passed" in text_of(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "14 sessions will be ended" in text_of(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "kept until you drop it" in text_of(pilot)
        await pilot.press(*"crypto_exchange", "enter", "enter")
        await until(pilot, lambda: "healthy: 200" in text_of(pilot))
        assert "✔ swapped" in text_of(pilot)
        await pilot.press("c")
        await settle(pilot)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert "✔ closed  recovered after 11m" in text_of(pilot) and "7.md" in text_of(pilot)
    assert "swap" in guide.calls and "close" in guide.calls


async def test_enter_alone_neither_restores_nor_swaps() -> None:
    for step, forbidden in ((Step.RESTORE, "start_restore"), (Step.RESUME, "swap")):
        guide = ScriptedGuide(incident_at(step))
        async with recovering(guide) as pilot:
            for _ in range(6):
                await pilot.press("enter")
                await settle(pilot)
        assert forbidden not in guide.calls


async def test_a_wrong_name_restores_nothing() -> None:
    guide = ScriptedGuide(incident_at(Step.RESTORE))
    async with recovering(guide) as pilot:
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press(*"crypto_exchang", "enter", "enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ConfirmScreen)
    assert "start_restore" not in guide.calls


async def test_a_stop_in_the_plan_is_not_asked_about_but_shown_with_its_mend() -> None:
    guide = ScriptedGuide(incident_at(Step.RESTORE))
    stop = Finding(Level.STOP, "space", "The disk is too full.", "Free 9 GB.")
    guide.plan = lambda: replace(PLAN, findings=(stop,))  # type: ignore[method-assign]
    async with recovering(guide) as pilot:
        assert "✘ STOP" in text_of(pilot) and "Free 9 GB." in text_of(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(pilot.app.screen, RecoveryScreen)


async def test_what_fails_says_why_and_what_to_do_and_can_be_tried_again() -> None:
    guide = ScriptedGuide(fresh(), failing="assess")
    async with recovering(guide) as pilot:
        assert "✘ The assess failed." in text_of(pilot) and "next  Start the server." in text_of(pilot)
        guide.failing = ""
        await pilot.press("r")
        await settle(pilot)
        assert "The assess failed" not in text_of(pilot) and "✘ DAMAGED" in text_of(pilot)


async def test_a_failed_check_holds_until_a_reason_is_typed() -> None:
    guide = ScriptedGuide(incident_at(Step.VERIFY))
    async with recovering(guide) as pilot:
        assert "✘ 1 FAILED" in text_of(pilot) and "3 [b]rows" in text_of(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert pilot.app.screen.query_one("#steps").current == "verify"  # type: ignore[attr-defined]
        await pilot.press("b")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ReasonScreen)
        await pilot.press("enter", "enter")
        assert isinstance(pilot.app.screen, ReasonScreen)
        await give_reason(pilot, "a known bug")
        await settle(pilot)
        assert "ALTHOUGH  checks have not passed: a known bug" in text_of(pilot)
    assert guide.incident.record(Step.VERIFY).note == "a known bug"


async def test_telling_nobody_needs_a_reason_too() -> None:
    guide = ScriptedGuide(incident_at(Step.NOTIFY))
    fleet = replace(FLEET, channels=())
    async with recovering(guide, fleet=fleet) as pilot:
        assert "No channel is configured" in text_of(pilot) and "GoAlert" in text_of(pilot)
        await pilot.press("b")
        await settle(pilot)
        await give_reason(pilot, "told by phone")
        await settle(pilot)
        assert pilot.app.screen.query_one("#steps").current == "restore"  # type: ignore[attr-defined]
    assert guide.incident.record(Step.NOTIFY).status is StepStatus.SKIPPED


async def test_the_message_can_be_changed_and_typing_moves_nothing_else() -> None:
    guide = ScriptedGuide(incident_at(Step.NOTIFY))
    titles: list[str] = []
    async with recovering(guide) as pilot:
        await pilot.press("m")
        await pilot.press(*"4q!")
        assert isinstance(pilot.app.screen, RecoveryScreen)
        real = guide.notify
        guide.notify = lambda message, *how: (titles.append(message.text), real(message, *how))[1]  # type: ignore
        await pilot.press("escape", "s")
        await settle(pilot)
        # Coming back keeps what was changed by hand.
        await pilot.press("1", "3")
        await settle(pilot)
    assert titles and titles[0].startswith("4q!Recovery")


async def test_stopping_asks_and_going_on_has_the_focus() -> None:
    guide = ScriptedGuide(incident_at(Step.RESTORE, job="restore-x", target="t"))
    async with recovering(guide) as pilot:
        await until(pilot, lambda: "x stop" in text_of(pilot))
        await pilot.press("x")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ChooseScreen)
        await pilot.press("enter")
        await settle(pilot)
        assert guide.cancelled is None
        await pilot.press("x")
        await settle(pilot)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert guide.cancelled is True


async def test_a_failed_restore_can_be_done_again() -> None:
    guide = ScriptedGuide(incident_at(Step.RESTORE, job="restore-x", target="t"))
    guide.picture = FAILED
    async with recovering(guide) as pilot:
        await until(pilot, lambda: "restore again" in text_of(pilot))
        assert "✘ FAILED 03:25:41" in text_of(pilot) and "Pick another backup" in text_of(pilot)
        await pilot.press("e")
        assert "The rows of public.trades were not loaded." in text_of(pilot)
        await pilot.press("w")
        await until(pilot, lambda: "createdb -h 127.0.0.1" in text_of(pilot))
    assert guide.incident.job is None


async def test_a_failed_restore_can_be_gone_on_with() -> None:
    guide = ScriptedGuide(incident_at(Step.RESTORE, job="restore-x", target="t"))
    guide.picture = FAILED
    async with recovering(guide) as pilot:
        await until(pilot, lambda: "r go on" in text_of(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "7.9M of 12.0M rows" in text_of(pilot))
        assert "r go on" not in text_of(pilot)


async def test_leaving_and_coming_back_shows_the_same() -> None:
    guide = ScriptedGuide(incident_at(Step.RESTORE, job="restore-x", target="t"))
    async with recovering(guide) as pilot:
        await until(pilot, lambda: "7.9M of 12.0M rows" in text_of(pilot))
        before = text_of(pilot)
        await pilot.press("q")
        await settle(pilot)
        assert not isinstance(pilot.app.screen, RecoveryScreen)
        await pilot.app.push_screen(RecoveryScreen(pilot.app.desk))  # type: ignore[attr-defined]
        await until(pilot, lambda: text_of(pilot) == before)


async def test_every_step_can_be_looked_at_by_its_number() -> None:
    guide = ScriptedGuide(incident_at(Step.RESUME))
    async with recovering(guide) as pilot:
        for number, step in enumerate(Step, start=1):
            await pilot.press(str(number))
            await settle(pilot)
            assert step.value.upper() in text_of(pilot)


async def test_read_only_shows_everything_and_offers_nothing() -> None:
    guide = ScriptedGuide(incident_at(Step.RESUME))
    async with recovering(guide, read_only=True) as pilot:
        for number in "23456":
            await pilot.press(number)
            await settle(pilot)
            for forbidden in ("swap…", "restore…", "send it", "go past", "close…"):
                assert forbidden not in text_of(pilot).splitlines()[-1]
        await pilot.press("2")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
    assert not {"pick", "swap", "notify", "start_restore", "close"} & set(guide.calls)


async def test_undo_is_offered_after_the_swap_and_asks_for_the_name() -> None:
    guide = ScriptedGuide(incident_at(Step.RESUME))
    guide.swap("crypto_exchange")
    async with recovering(guide) as pilot:
        assert "u undo" in text_of(pilot)
        await pilot.press("u")
        await settle(pilot)
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await pilot.press(*"crypto_exchange", "enter", "enter")
        await until(pilot, lambda: "was undone at 03:25" in text_of(pilot))
        assert "enter swap…" in text_of(pilot)


async def test_a_closed_incident_opens_at_its_end_with_nothing_to_do_but_read() -> None:
    guide = ScriptedGuide(incident_at(Step.RESUME, closed_at=NOW, outcome="recovered"))
    async with recovering(guide) as pilot:
        assert "✔ closed  recovered" in text_of(pilot)
        keys = text_of(pilot).splitlines()[-1]
        assert "read the report" in keys and "close…" not in keys and "swap" not in keys


async def test_too_small_a_terminal_still_shows_the_step() -> None:
    guide = ScriptedGuide(incident_at(Step.RESTORE, job="restore-x", target="t"))
    async with recovering(guide, (50, 14)) as pilot:
        await until(pilot, lambda: "48 %" in text_of(pilot))


async def test_the_commands_of_restore_and_swap_can_be_copied() -> None:
    for step, expected in ((Step.RESTORE, "createdb -h"), (Step.RESUME, "ALTER DATABASE")):
        app = RecoveryApp(ScriptedGuide(incident_at(step)))
        copies: list[str] = []
        app.desk = replace(app.desk, copy=lambda name, text, to=copies: (to.append(text), name)[1])  # type: ignore[misc]
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await pilot.press("y")
            await settle(pilot)
        assert copies and expected in copies[0]
