"""Moments as they are typed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.incident.moments import moment
from tui.model.errors import UsageError
from tui.model.text import rfc3339

NOW = datetime(2026, 11, 21, 3, 12, 40, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("01:04", "2026-11-21T01:04:00Z"),
        ("1:04", "2026-11-21T01:04:00Z"),
        ("01:04:30", "2026-11-21T01:04:30Z"),
        ("01:04 UTC", "2026-11-21T01:04:00Z"),
        ("03:12", "2026-11-21T03:12:00Z"),
        ("23:50", "2026-11-20T23:50:00Z"),  # of yesterday: today's is still to come
        ("today 01:04", "2026-11-21T01:04:00Z"),
        ("yesterday 18:30", "2026-11-20T18:30:00Z"),
        ("Yesterday at 18:30", "2026-11-20T18:30:00Z"),
        ("20 minutes ago", "2026-11-21T02:52:40Z"),
        ("20m", "2026-11-21T02:52:40Z"),
        ("2h 10m ago", "2026-11-21T01:02:40Z"),
        ("1 hour and 5 min ago", "2026-11-21T02:07:40Z"),
        ("1h30m", "2026-11-21T01:42:40Z"),
        ("3 days ago", "2026-11-18T03:12:40Z"),
        ("now", "2026-11-21T03:12:40Z"),
        ("2026-11-20 01:04", "2026-11-20T01:04:00Z"),
        ("2026-11-20 01:04 UTC", "2026-11-20T01:04:00Z"),
        ("2026-11-20T01:04:05Z", "2026-11-20T01:04:05Z"),
        ("2026-11-20T01:04:05+02:00", "2026-11-19T23:04:05Z"),
        ("2026-11-20T01:04:05.25Z", "2026-11-20T01:04:05.250000Z"),
        ("  01:04 ", "2026-11-21T01:04:00Z"),
    ],
)
def test_what_is_meant(text: str, meant: str) -> None:
    assert rfc3339(moment(text, NOW)) == meant


@pytest.mark.parametrize(
    "text",
    ["", "soon", "25:00", "12:60", "2026-11-20", "20", "ago", "m", "04/05 01:04", "2026-13-01 01:04",
     "99999d ago 99999d 99999d 99999d 99999d 99999d 99999d 99999d", "01:04 PST", "-5m",
     "0001-01-01T00:00:00+14:00"],
)  # fmt: skip
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    with pytest.raises(UsageError, match="no moment that is understood"):
        moment(text, NOW)


@pytest.mark.parametrize("text", ["2026-11-21T03:13:00Z", "2027-01-01 00:00", "today 23:50"])
def test_the_future_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="still to come"):
        moment(text, NOW)


@given(st.text(max_size=30))
def test_any_text_is_a_moment_of_the_past_or_refused(text: str) -> None:
    try:
        assert moment(text, NOW) <= NOW
    except UsageError as error:
        assert error.mend


@given(st.datetimes(datetime(2000, 1, 1), NOW.replace(tzinfo=None)))
def test_what_is_written_by_the_program_is_read_again(at: datetime) -> None:
    aware = at.replace(tzinfo=timezone.utc)
    assert moment(rfc3339(aware), NOW) == aware
    assert moment(f"{aware:%Y-%m-%d %H:%M:%S} UTC", NOW) == aware.replace(microsecond=0)


def test_an_age_is_the_span_before_now() -> None:
    assert moment("90s", NOW) == NOW - timedelta(seconds=90)
