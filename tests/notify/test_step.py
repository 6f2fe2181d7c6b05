"""Telling as a step of a recovery: what is written down, what a drill does, what fits the moment."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.notify.conftest import Listener
from tui.config.write import text_of
from tui.files import write_whole
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.model.channels import GoAlert, Webhook
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepStatus, Swap
from tui.model.scenario import Scenario
from tui.model.secret import Secret
from tui.model.wording import Occasion, Wording
from tui.verbs.console import Console
from tui.verbs.context import Context

AT = datetime(2026, 11, 21, 3, 14, tzinfo=timezone.utc)
SHOP = Database("shop", "shop", "web", rto=timedelta(minutes=30))


@pytest.fixture
def fleet(tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setenv("T_TOKEN", "hidden")
    return Fleet(
        "Shop",
        source=tmp_path / "pgdr.toml",
        databases=(SHOP,),
        channels=(
            Webhook("hook", f"{listener.url}/hook"),
            GoAlert("pager", listener.url, Secret(env="T_TOKEN")),
            Webhook("dead", "http://127.0.0.1:9/x", retry_for_s=0.1),
        ),
    )


def guide(fleet: Fleet, state: Path, **changes: object) -> Guide:
    """A guide of a new incident, 5 minutes after its declaration."""
    book = Book(state)
    incident = book.declare("shop", "ann", AT)
    incident = book.change(incident.id, lambda now: replace(now, **changes))  # type: ignore[arg-type]
    return Guide(fleet, state, book, incident, "ann", lambda: AT + timedelta(minutes=5))


def test_what_was_told_is_in_the_incident_and_a_failure_blocks_nothing(
    fleet: Fleet, tmp_path: Path, listener: Listener
) -> None:
    mine = guide(fleet, tmp_path, backup_at=AT - timedelta(hours=2), expected_s=600.0)
    message = mine.message()
    assert (
        message.title == "🔴 DR INITIATED: Shop"
        and "ETA: 10 minutes. Last backup: 2026-11-21 01:14 UTC" in (message.text)
    )
    seen: list[str] = []
    mine.notify(message, lambda sent: seen.append(sent.channel))
    incident = Book(tmp_path).load("1")
    assert incident.record(Step.NOTIFY).status is StepStatus.DONE
    assert incident.record(Step.NOTIFY).note == "2 of 3 channels told"
    assert {s.channel: s.error is None for s in incident.sent} == {"hook": True, "pager": True, "dead": False}
    assert {s.occasion for s in incident.sent} == {"declared"} and sorted(seen) == ["dead", "hook", "pager"]
    said = [entry.text for entry in incident.timeline if entry.kind == "message"]
    assert any(message.text in text for text in said) and any("to hook: taken" in text for text in said)
    assert not any("hidden" in text for text in said)


def test_only_those_that_failed_are_told_again_with_the_same_id(
    fleet: Fleet, tmp_path: Path, listener: Listener
) -> None:
    mine = guide(fleet, tmp_path)
    message = mine.message()
    mine.notify(message)
    before = len(listener.asked)
    mine.notify(message, only=("dead",))
    assert len(listener.asked) == before and len(mine.incident.sent) == 4
    assert mine.message(Occasion.DECLARED).id != message.id


def test_all_messages_of_an_incident_are_one_alert_that_the_last_one_closes(
    fleet: Fleet, tmp_path: Path, listener: Listener
) -> None:
    mine = guide(fleet, tmp_path)
    for occasion in (Occasion.DECLARED, Occasion.PROGRESS, Occasion.RESOLVED):
        mine.notify(mine.message(occasion), only=("pager",))
    bodies = [asked.body.decode() for asked in listener.asked]
    assert [("action=close" in body) for body in bodies] == [False, False, True]
    assert len({body.split("dedup=")[1].split("&")[0] for body in bodies}) == 1


def test_a_drill_tells_nobody(fleet: Fleet, tmp_path: Path, listener: Listener) -> None:
    mine = guide(fleet, tmp_path, drill=True)
    message = mine.message()
    assert message.title == "DRILL: 🔴 DR INITIATED: Shop"
    mine.notify(message)
    assert listener.asked == [] and all(s.simulated and s.error is None for s in mine.incident.sent)
    said = [entry.text for entry in mine.incident.timeline if entry.kind == "message"]
    assert said and all(text.startswith("DRILL: ") for text in said)
    assert mine.incident.record(Step.NOTIFY).note == "DRILL: 3 channels would have been told"


def at(mine: Guide, **changes: object) -> Occasion:
    incident: Incident = replace(mine.incident, **changes)  # type: ignore[arg-type]
    mine._incident = incident
    return mine.occasion()


def test_the_occasion_fits_the_moment(fleet: Fleet, tmp_path: Path) -> None:
    mine = guide(fleet, tmp_path)
    assert mine.occasion() is Occasion.DECLARED
    mine.notify(mine.message(), only=("hook",))
    assert mine.occasion() is Occasion.PROGRESS
    assert at(mine, expected_s=3600.0) is Occasion.DELAYED
    assert at(mine, expected_s=600.0, scenario=Scenario.TABLE_CORRUPTION) is Occasion.PROGRESS
    verified = tuple(
        replace(r, status=StepStatus.DONE) if r.step is Step.VERIFY else r for r in mine.incident.steps
    )
    assert at(mine, steps=verified) is Occasion.READY
    assert at(mine, swap=Swap("shop", "shop", "r", None, AT, 0.1, "ann")) is Occasion.RESOLVED
    assert at(mine, swap=None, closed_at=AT, outcome="stood down") is Occasion.STOOD_DOWN
    assert at(mine, outcome="recovered") is Occasion.RESOLVED


def test_that_it_is_over_is_told_after_the_end_and_in_the_report(
    fleet: Fleet, tmp_path: Path, listener: Listener
) -> None:
    mine = guide(replace(fleet, messages=(Wording(Occasion.STOOD_DOWN, "Over: {database}", None),)), tmp_path)
    mine.close("stood down")
    message = mine.message()
    assert message.title == "Over: shop" and "Stood down." in message.text
    mine.notify(message, only=("hook",))
    assert json.loads(listener.asked[0].body)["fields"]["event"] == "stood_down"
    assert "Over: shop" in mine.report_path.read_text()


def test_the_channels_can_be_tried_on_a_quiet_day(
    fleet: Fleet, tmp_path: Path, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    from tui.model.errors import UsageError
    from tui.verbs.notify import run

    assert fleet.source is not None
    write_whole(
        fleet.source,
        text_of(replace(fleet, channels=(fleet.channels[0], replace(fleet.channels[2], retry_for_s=1)))),
    )
    context = Context(fleet.source, tmp_path, False, None, False, Console(True))
    assert run(context, argparse.Namespace(test=True, channels=[])) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [(c["channel"], c["kind"], c["error"] is None) for c in answer["channels"]] == [
        ("hook", "webhook", True),
        ("dead", "webhook", False),
    ]
    assert json.loads(listener.asked[0].body)["title"] == "TEST: Shop"
    assert run(context, argparse.Namespace(test=True, channels=["hook"])) == 0
    for wrong in (
        argparse.Namespace(test=True, channels=["hok"]),
        argparse.Namespace(test=False, channels=[]),
    ):
        with pytest.raises(UsageError):
            run(context, wrong)


def test_what_is_told_later_is_not_the_time_that_the_step_took(fleet: Fleet, tmp_path: Path) -> None:
    mine = guide(fleet, tmp_path)
    mine.notify(mine.message(), only=("hook",))
    record = mine.incident.record(Step.NOTIFY)
    mine._now = lambda: AT + timedelta(minutes=25)
    mine.notify(mine.message(Occasion.PROGRESS), only=("hook",))
    assert mine.incident.record(Step.NOTIFY) == record
