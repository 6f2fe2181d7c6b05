"""Times, sizes and counts as they are said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tui.model import amounts as show


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"), (-5, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (7800, "2h 10m"), (14520, "4h 02m"),
        (93600, "26h"), (172800, "2d"), (259200, "3d"), (None, "–"),
    ],
)  # fmt: skip
def test_age(seconds: float | None, shown: str) -> None:
    assert show.age(seconds) == shown
    if seconds is not None:
        assert show.age(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(minutes=30), "30m"), (timedelta(hours=6), "6h"), (timedelta(hours=24), "24h"),
        (timedelta(minutes=90), "1h 30m"), (timedelta(days=7), "7d"), (timedelta(0), "0s"), (None, "–"),
    ],
)  # fmt: skip
def test_limit(span: timedelta | None, shown: str) -> None:
    assert show.limit(span) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"), (812, "812 B"), (64_000, "64 kB"), (41_000_000, "41 MB"), (2_100_000_000, "2.1 GB"),
        (9_960_000, "10 MB"), (999_600, "1 MB"), (5 * 10**18, "5.0 EB"), (None, "–"),
    ],
)  # fmt: skip
def test_size(number: int | None, shown: str) -> None:
    assert show.size(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.21, "0.2s"), (42.9, "42s"), (72, "1m 12s"), (7380, "2h 03m"), (None, "–")]
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert show.duration(seconds) == shown


def test_percent_is_hundred_only_when_all_is_done() -> None:
    assert [show.percent(f) for f in (0, 0.489, 0.9999, 1, None)] == [
        "  0 %",
        " 48 %",
        " 99 %",
        "100 %",
        "  – %",
    ]


def test_counts() -> None:
    assert show.count(12004112) == "12,004,112"
    assert [show.about(n) for n in (812, 41_000, 1_200_000, 12_004_112)] == ["812", "41k", "1.2M", "12.0M"]
    assert [show.about(n) for n in (9_999, 999_499, 999_500, 3 * 10**9)] == ["9,999", "999k", "1.0M", "3.0G"]
    assert show.plural(1, "entry", "entries") == "1 entry"
    assert show.plural(1200, "table") == "1,200 tables"
    assert show.plural(2, "index") == "2 indexes"


def test_sizes_that_look_alike_are_told_to_the_byte() -> None:
    assert show.sizes(82_000_000, 2_100_000_000) == ("82 MB", "2.1 GB")
    assert show.sizes(82_000_000, 82_000_001) == ("82,000,000 bytes", "82,000,001 bytes")
    assert show.sizes(5, 5) == ("5 B", "5 B")
