"""The messages' words, from facts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tui.notify.templates import declared, ready, resolved

BACKUP = datetime(2026, 11, 21, 2, 2, 10, tzinfo=timezone(timedelta(hours=1)))


def test_declared() -> None:
    message = declared("KrystalineX", "crypto_exchange", "anna", timedelta(minutes=30), BACKUP)
    assert message.title == "DR INITIATED: KrystalineX"
    assert message.text == (
        "Database recovery in progress. ETA: 30 minutes. Last backup: 2026-11-21 01:02 UTC. "
        "Database: crypto_exchange. Operator: anna."
    )
    assert message.priority is None
    assert message.fields == {
        "event": "initiated",
        "fleet": "KrystalineX",
        "database": "crypto_exchange",
        "operator": "anna",
        "last_backup": "2026-11-21T01:02:10Z",
        "eta": "30 minutes",
    }


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    message = declared("F", "d", "o", None, None)
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
    assert f"ETA: {said}." in declared("F", "d", "o", span, None).text


def test_ready_and_resolved() -> None:
    there = ready("F", "d", "o", BACKUP, "14 of 14 passed")
    assert (there.title, there.priority) == ("DR READY: F", "high")
    assert "Checks: 14 of 14 passed. Data up to: 2026-11-21 01:02 UTC." in there.text
    back = resolved("F", "d", "o", timedelta(minutes=22), BACKUP)
    assert (back.title, back.priority) == ("DR RESOLVED: F", "default")
    assert "complete after 22 minutes." in back.text
