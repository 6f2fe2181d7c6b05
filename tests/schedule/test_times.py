"""The times that are printed, proved by a cron library: never longer apart than was asked for."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from itertools import islice, pairwise

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from tests.schedule.conftest import needs
from tui.config.duration import parse
from tui.operations.schedule.times import times

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)


def gaps(cron: str, number: int) -> set[timedelta]:
    return {after - before for before, after in pairwise(islice(CronSim(cron, NOW), number))}


@pytest.mark.parametrize("every", ["1m", "15m", "30m", "1h", "2h", "6h", "12h", "1d", "7d"])
def test_what_the_calendar_has_is_exact(every: str) -> None:
    found, longest = times(parse(every), "shop")
    assert longest == parse(every) and gaps(found.cron, 400) == {parse(every)}


@pytest.mark.parametrize(
    ("every", "longest", "words"),
    [
        ("45m", "30m", "every 30 min"), ("5h", "4h", "every 4 h"), ("36h", "1d", "every day"),
        ("10d", "7d", "every week"), ("30d", "16d", "on the 1st and 16th"), ("90d", "31d", "every month"),
        ("365d", "92d", "every quarter"), ("400d", "366d", "every year"), ("30s", "1m", "every 1 min"),
    ],
)  # fmt: skip
def test_what_it_has_not_is_the_next_shorter(every: str, longest: str, words: str) -> None:
    found, told = times(parse(every), "shop")
    assert told == parse(longest) and found.words == words
    assert max(gaps(found.cron, 60)) <= parse(longest)


@given(st.integers(1, 60 * 24 * 800), st.text(max_size=8))
def test_never_longer_apart_than_asked_for(minutes: int, seed: str) -> None:
    every = timedelta(minutes=minutes)
    found, longest = times(every, seed)
    assert longest <= every and max(gaps(found.cron, 40)) <= longest
    assert times(every, seed) == (found, longest)


def test_six_hours_are_as_the_documents_have_them_but_spread() -> None:
    crons = {times(timedelta(hours=6), f"database {n}")[0].cron for n in range(50)}
    assert all(cron.split()[1:] == ["*/6", "*", "*", "*"] for cron in crons) and len(crons) > 20


@pytest.mark.parametrize("every", ["7m", "30m", "1h", "6h", "1d", "3d", "7d", "20d", "40d", "100d", "400d"])
def test_systemd_runs_at_the_same_times(every: str) -> None:
    needs("systemd-analyze")
    found, _ = times(parse(every), "shop")
    argv = [
        "systemd-analyze",
        "calendar",
        "--iterations=5",
        f"--base-time={NOW:%Y-%m-%d %H:%M} UTC",
        found.calendar,
    ]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split(": ", 1)[1] for line in done.stdout.splitlines()
             if line.strip().startswith(("Next elapse", "Iter", "Iteration"))]  # fmt: skip
    wanted = [f"{at:%a %Y-%m-%d %H:%M:%S} UTC" for at in islice(CronSim(found.cron, NOW), 5)]
    assert lines == wanted
