"""What is proposed after each disaster that the demo can do, and after the two that end a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.demo.conftest import SCALE
from tui.demo.disasters import DISASTERS, hurt
from tui.demo.start import RunningDemo, prepare
from tui.incident.assess import Assessment, assess
from tui.model.fleet import LocalStore
from tui.model.scenario import Scenario

RIGHT = {
    "dropped-database": (Scenario.DATABASE_CORRUPTION, ()),
    "truncated-table": (
        Scenario.ACCIDENTAL_DELETION,
        ("public.trades", "public.transactions", "public.wallets"),
    ),
    "corrupt-rows": (Scenario.TABLE_CORRUPTION, ("public.wallets",)),
    "bad-migration": (Scenario.BAD_MIGRATION, ("public.orders", "public.wallets")),
    "instance-loss": (Scenario.INSTANCE_LOST, ()),
}


def assessed(demo: RunningDemo) -> Assessment:
    def now() -> datetime:
        return datetime.now(timezone.utc)

    return assess(demo.fleet, demo.fleet.databases[0], lambda finding: None, now, state=demo.state)


def test_every_disaster_has_its_scenario() -> None:
    assert RIGHT.keys() == DISASTERS.keys()


@pytest.mark.parametrize("kind", RIGHT)
def test_a_disaster_is_proposed_right(made: Path, kind: str) -> None:
    with prepare(made, SCALE) as demo:
        hurt(demo, kind)
        found = assessed(demo)
    scenario, tables = RIGHT[kind]
    assert (found.proposal.scenario, tuple(sorted(found.proposal.tables))) == (scenario, tables)
    assert found.proposal.good_at is not None and found.proposal.how


def said(found: Assessment) -> list[str]:
    """Every sentence of an assessment."""
    return [finding.what for finding in found.findings]


def test_another_server_that_is_down_is_told_as_another(made: Path) -> None:
    with prepare(made, SCALE) as demo:
        demo.servers["goalert"].stop()
        found = assessed(demo)
    assert "goalert-db can't be reached." in said(found) and found.proposal.scenario is None


def test_a_server_that_is_down_is_waited_for_and_a_place_that_is_lost_is_not(made: Path) -> None:
    with prepare(made, SCALE) as demo:
        assert assessed(demo).proposal.scenario is None  # nothing has happened yet
        demo.servers["crypto_exchange"].stop()
        found = assessed(demo)
        assert found.proposal.scenario is Scenario.RESTART
        assert found.evidence.others_up == ("kong-database", "goalert-db")

        for server in demo.servers.values():
            server.stop()
        local, *others = demo.fleet.stores
        assert isinstance(local, LocalStore)
        gone = replace(local, path=local.path / "gone with the place")
        demo.fleet = replace(demo.fleet, stores=(gone, *others))
        found = assessed(demo)
        assert found.proposal.scenario is Scenario.SITE_LOST
        assert "kong-database, goalert-db can't be reached either." in said(found)
        assert "kong-database and goalert-db can't be reached either" in found.proposal.why
