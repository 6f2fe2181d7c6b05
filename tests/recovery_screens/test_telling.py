"""Telling people: from any step, as each channel will show it, again to those that have not taken it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from tests.recovery_screens.answers import DATABASE, FLEET
from tests.recovery_screens.pictures import NOW
from tests.recovery_screens.scripted import RecoveryApp, ScriptedGuide, incident_at
from tests.recovery_screens.seen import settle, text_of
from tui.incident.clocks import Clocks, clocks
from tui.model.incident import Incident, Sent, Step, Swap
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.pane import StepPane
from tui.widgets.clock_line import clock_line


@asynccontextmanager
async def telling(
    guide: ScriptedGuide, size: tuple[int, int] = (80, 24), read_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    async with RecoveryApp(guide, FLEET, read_only).run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot


async def press(pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys)
    await settle(pilot)
    return text_of(pilot)


async def test_n_tells_from_another_step_and_enter_goes_back() -> None:
    guide = ScriptedGuide(incident_at(Step.PICK, sent=(Sent(NOW, "on-call", "earlier"),)))
    async with telling(guide) as pilot:
        text = await press(pilot, "n")
        assert "DR PROGRESS: KrystalineX" in text and "what  progress" in text and "NOTIFY" in text
        text = await press(pilot, "s")
        assert "✔ taken" in text and "enter back" in text
        text = await press(pilot, "enter")
        assert "PICK" in text
    assert guide.calls.count("notify") == 1


async def test_what_is_told_can_be_chosen_and_seen_as_each_channel_shows_it() -> None:
    guide = ScriptedGuide(incident_at(Step.NOTIFY))
    async with telling(guide) as pilot:
        await press(pilot, "t")
        assert isinstance(pilot.app.screen, ChooseScreen)
        assert "stood down" in text_of(pilot)
        text = await press(pilot, "down", "down", "enter")
        assert "DR DELAYED: KrystalineX" in text
        text = await press(pilot, "v")
        assert "on-call  ntfy" in text and "🚨 DR DELAYED: KrystalineX" in text and "priority: urgent" in text
        assert "status  webhook" in text
    assert "notify" not in guide.calls


async def test_those_that_failed_can_be_told_again_and_the_same_is_not_sent_twice() -> None:
    guide = ScriptedGuide(incident_at(Step.NOTIFY))
    async with telling(guide) as pilot:
        text = await press(pilot, "s")
        assert "✘ FAILED" in text and "a again to the failed" in text
        await press(pilot, "s")
        assert guide.calls.count("notify") == 1
        text = await press(pilot, "a")
        assert guide.calls.count("notify") == 2 and "again to the failed" not in text.splitlines()[-1]
    by_channel = [(sent.channel, sent.error is None) for sent in guide.incident.sent]
    assert by_channel == [("on-call", True), ("status", False), ("status", True)]
    assert len({sent.id for sent in guide.incident.sent}) == 1


async def test_the_restore_tells_by_itself_where_that_is_wanted() -> None:
    guide = ScriptedGuide(incident_at(Step.NOTIFY))
    async with telling(guide) as pilot:
        assert "the restore tells nobody by itself" in text_of(pilot)
        text = await press(pilot, "u")
        assert "every 15m and when its end moves by 5m" in text
        await press(pilot, "u")
    assert guide.incident.updates is False and guide.calls.count("set_updates") == 2


async def test_that_it_is_over_can_still_be_told_but_not_read_only() -> None:
    closed = incident_at(Step.RESUME, closed_at=NOW, outcome="recovered")
    guide = ScriptedGuide(closed)
    async with telling(guide) as pilot:
        assert "s send it" in await press(pilot, "n")
    async with telling(ScriptedGuide(closed), read_only=True) as pilot:
        assert "send it" not in await press(pilot, "n")


async def test_a_drill_is_called_one_and_sends_nothing() -> None:
    guide = ScriptedGuide(incident_at(Step.NOTIFY, drill=True))
    async with telling(guide) as pilot:
        text = text_of(pilot)
        assert "DRILL 7" in text and "INCIDENT" not in text and "nothing live is touched" in text
        assert "Nothing is sent" in text and "u by itself" not in text


def at(**changes: object) -> Clocks:
    incident: Incident = incident_at(Step.RESTORE, **changes)
    return clocks(FLEET, incident, DATABASE, None, NOW)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_clock_line_keeps_what_matters_most(width: int) -> None:
    line = clock_line(at(damaged_at=NOW - timedelta(hours=2), expected_s=1080.0), width).plain
    assert len(line) <= width and "ready 03:43 if begun now" in line
    assert ("loses 2h 02m of RPO 6h" in line or "loses 1h 51m of RPO 6h" in line) is (width >= 80)
    assert ("damaged 01:25" in line) is (width >= 80) and ("declared 03:14" in line) is (width >= 120)


def test_the_clock_line_says_late_over_and_when_it_was_back() -> None:
    assert "LATE" in clock_line(at(expected_s=3600.0), 120).plain
    old = NOW - timedelta(hours=8)
    assert "loses 7h 49m of RPO 6h OVER" in clock_line(at(backup_at=old), 120).plain
    swap = Swap("crypto_exchange", "crypto_exchange", "r", None, NOW, 0.1, "anna")
    back = clock_line(at(swap=swap), 120).plain
    assert "in place after 11m, within the RTO" in back and "lost " in back
    assert "RTO ends 03:44" in clock_line(at(expected_s=None), 120).plain
    stood_down = at(closed_at=NOW, outcome="stood down", expected_s=None)
    assert "nothing was put in place" in clock_line(stood_down, 120).plain


async def test_who_closes_it_is_reminded_of_those_who_were_told() -> None:
    sent = (Sent(NOW, "on-call", "DR INITIATED", None, "m-1", "declared"),)
    guide = ScriptedGuide(incident_at(Step.RESUME, sent=sent))
    guide.swap("crypto_exchange")
    async with telling(guide) as pilot:
        guide.close("recovered")
        pilot.app.screen.query_one("#resume").post_message(StepPane.Changed())
        await settle(pilot)
        assert any("n tells them" in said.message for said in pilot.app._notifications)


async def test_a_wide_screen_shows_beside_what_each_channel_makes_of_it_as_it_is_written() -> None:
    guide = ScriptedGuide(incident_at(Step.NOTIFY))
    async with telling(guide, (200, 50)) as pilot:
        assert "🚨 DR INITIATED: KrystalineX" in text_of(pilot) and "v preview" not in text_of(pilot)
        text = await press(pilot, "m", *"Soon", "escape")
        assert "│   SoonRecovery of crypto_exchange in progress." in text
