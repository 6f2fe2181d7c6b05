"""The messages' words, from facts, in this program's words and in the fleet's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from tui.model.wording import FIELDS, Misworded, Occasion, Wording, fill, names_in
from tui.notify.facts import Facts
from tui.notify.templates import draft, trial

BACKUP = datetime(2026, 11, 21, 2, 2, 10, tzinfo=timezone(timedelta(hours=1)))
NOW = datetime(2026, 11, 21, 3, 25, tzinfo=timezone.utc)
FACTS = Facts("KrystalineX", "crypto_exchange", "anna", NOW, eta=timedelta(minutes=30), last_backup=BACKUP)


def test_declared_says_what_the_runbook_says() -> None:
    message = draft(Occasion.DECLARED, FACTS)
    assert message.title == "🔴 DR INITIATED: KrystalineX"
    assert message.text == (
        "Database recovery in progress. ETA: 30 minutes. Last backup: 2026-11-21 01:02 UTC. "
        "Database: crypto_exchange. Operator: anna."
    )
    assert (message.priority, message.tags) == (
        None,
        (),
    )  # the channel's own: urgent, rotating_light,disaster
    assert message.fields["event"] == "initiated"
    assert message.fields["last_backup"] == "2026-11-21T01:02:10Z"
    assert message.fields["eta"] == "30 minutes"


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    message = draft(Occasion.DECLARED, Facts("F", "d", "o", NOW))
    assert "ETA: unknown. Last backup: unknown." in message.text
    assert message.fields["last_backup"] is None


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=1), "1 minute"),
        (timedelta(seconds=61), "2 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=2, minutes=5), "2 hours and 5 minutes"),
        (timedelta(0), "1 minute"),
    ],
)
def test_spans_are_rounded_up(span: timedelta, said: str) -> None:
    assert f"ETA: {said}." in draft(Occasion.DECLARED, replace(FACTS, eta=span)).text


def test_each_occasion_has_words_of_its_own() -> None:
    facts = replace(
        FACTS,
        ready_low=NOW + timedelta(minutes=12),
        ready_high=NOW + timedelta(minutes=16),
        deadline=NOW + timedelta(minutes=19),
        fraction=0.487,
        step="restore",
        checks="14 of 14 passed",
        took=timedelta(minutes=22),
        data_lost="at most 2 hours",
        declared_at=NOW - timedelta(minutes=11),
        reason="False alarm.",
    )
    said = {occasion: draft(occasion, facts) for occasion in Occasion}
    assert len({message.title for message in said.values()}) == len(Occasion)
    assert all("crypto_exchange" in m.text and "unknown" not in m.text for m in said.values())
    assert "Restored: 48 %. Should be ready: 03:37 – 03:41 UTC; it must be by 03:44 UTC." in (
        said[Occasion.PROGRESS].text
    )
    assert "longer than planned" in said[Occasion.DELAYED].text
    assert "Checks: 14 of 14 passed. Data up to: 2026-11-21 01:02 UTC." in said[Occasion.READY].text
    assert "after 22 minutes. Data lost: at most 2 hours." in said[Occasion.RESOLVED].text
    assert "stood down after 11 minutes. False alarm." in said[Occasion.STOOD_DOWN].text
    assert [o for o in Occasion if said[o].closes] == [Occasion.RESOLVED, Occasion.STOOD_DOWN]


def test_a_fleet_has_words_of_its_own_and_keeps_the_others() -> None:
    own = Wording(Occasion.DECLARED, "{database} ({environment})", None)
    message = draft(Occasion.DECLARED, replace(FACTS, environment="prod"), (own,))
    assert message.title == "crypto_exchange (prod)"
    assert message.text.startswith("Database recovery in progress.")
    assert draft(Occasion.READY, FACTS, (own,)).title == "🟡 DR READY: KrystalineX"


def test_a_drill_says_so_whatever_the_wording() -> None:
    own = Wording(Occasion.DECLARED, "All is lost", "Run!")
    message = draft(Occasion.DECLARED, replace(FACTS, drill=True), (own,))
    assert message.title == "DRILL: All is lost"
    assert message.text == "DRILL, nothing has happened. Run!"
    assert message.fields["drill"] == "true"
    assert trial("F", "o").title == "TEST: F"


def test_facts_are_not_read_as_wordings_and_stay_on_one_line() -> None:
    hostile = replace(FACTS, database="{operator} {0.__class__}\r\nX-Evil: 1\x1b[31m")
    message = draft(Occasion.DECLARED, hostile)
    assert "Database: {operator} {0.__class__}\\x0d\\x0aX-Evil: 1\\x1b[31m." in message.text
    assert len(message.text.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "{nobody}",
        "{fleet.name}",
        "{fleet!r}",
        "{fleet:>99999999}",
        "{0}",
        "{}",
        "{fleet",
        "fleet}",
        "{{fleet}",
        "{a{b}}",
    ],
)
def test_a_wording_names_known_fields_and_nothing_else(wrong: str) -> None:
    with pytest.raises(Misworded):
        names_in(wrong)


def test_filling_in() -> None:
    assert names_in(" ".join(f"{{{name}}}" for name in FIELDS)) == tuple(FIELDS)
    assert fill("{{{fleet}}} {{x}}", {"fleet": "{rto}"}) == "{{rto}} {x}"
    assert fill("{rto}", {}) == "unknown"


def test_progress_before_anything_is_restored_promises_nothing() -> None:
    text = draft(Occasion.PROGRESS, replace(FACTS, step="pick", deadline=NOW)).text
    assert "is at: pick. Restored: nothing yet. Should be ready: not known yet; it must be by" in text
