"""Lengths of time as text, there and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.config.duration import LONGEST, parse, text_of


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("6h", timedelta(hours=6)),
        ("30m", timedelta(minutes=30)),
        ("7d", timedelta(days=7)),
        ("4w", timedelta(days=28)),
        ("1h30m", timedelta(minutes=90)),
        ("1w 2d 3h 4m 5s", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        ("90s", timedelta(seconds=90)),
    ],
)
def test_parse(text: str, length: timedelta) -> None:
    assert parse(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "6",
        "h",
        "0h",
        "-1h",
        "1.5h",
        "6H",
        "6 h",
        "30m1h",
        "1h1h",
        "6 hours",
        "1y",
        "٣h",
        "999999999w",
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@given(st.integers(1, int(LONGEST.total_seconds())))
def test_there_and_back(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse(text_of(length)) == length


@pytest.mark.parametrize(
    "length", [timedelta(0), timedelta(seconds=-1), timedelta(seconds=0.5), timedelta.max]
)
def test_what_has_no_text(length: timedelta) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        text_of(length)
