"""The demo's own recoveries: each disaster by the way of its scenario, clean, on real servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.demo.conftest import SCALE
from tui.cli import main
from tui.demo.disasters import DISASTERS
from tui.incident.book import Book
from tui.model.incident import Incident, StepStatus
from tui.model.scenario import Scenario

_WENT = {
    "dropped-database": (Scenario.DATABASE_CORRUPTION, "swap"),
    "truncated-table": (Scenario.ACCIDENTAL_DELETION, "merge"),
    "corrupt-rows": (Scenario.DATABASE_CORRUPTION, "swap"),
    "bad-migration": (Scenario.BAD_MIGRATION, "swap"),
    "instance-loss": (Scenario.INSTANCE_LOST, "address"),
}


def ended_by(incident: Incident) -> str:
    if incident.handed is not None:
        return "address"
    return "merge" if incident.merge is not None else "swap" if incident.swap is not None else "nothing"


def test_every_disaster_is_played() -> None:
    assert set(_WENT) == set(DISASTERS)


@pytest.mark.parametrize("disaster", list(_WENT))
def test_a_disaster_is_recovered_from_by_its_own_scenario(
    disaster: str, played: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["demo", "--headless", "--disaster", disaster, "--json", "--scale", str(SCALE), "--dir", str(played)]
    )
    told = capsys.readouterr()
    assert code == 0, told.err[-3000:]
    answer = json.loads(told.out)
    assert (answer["database"], answer["disaster"]) == ("crypto_exchange", disaster)
    assert [step["name"] for step in answer["steps"]] == [
        "assess", "pick", "notify", "restore", "verify", "resume",
    ]  # fmt: skip
    assert {step["status"] for step in answer["steps"]} == {StepStatus.DONE.value}
    assert (answer["verdict"], answer["counts_equal"]) == ("clean", True) and answer["rows"] > 1000
    assert 0 < answer["rto_s"] < 120 and 0 <= answer["rpo_s"] < 120
    incident = Book(played / "state").load(answer["incident"])
    assert (incident.scenario, ended_by(incident)) == _WENT[disaster]
