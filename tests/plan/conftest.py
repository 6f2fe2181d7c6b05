"""One database with everything that a plan asks about, on each real server in turn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.recovery.world import World, make_world, utc_now
from tests.servers import Bucket, FreshDatabase
from tui.model.plan import Finding, RestorePlan
from tui.operations.plan.plan import plan_restore


@dataclass(frozen=True)
class Planned:
    """A world with a backup in it."""

    world: World
    ref: str

    @property
    def archive(self) -> Path:
        """The backup's archive in the local store."""
        return self.world.config.parent / "backups" / self.ref.partition(":")[2]

    def plan(self, target: str = "fresh", **how: Any) -> RestorePlan:
        """The plan as things are now."""
        world = self.world
        return plan_restore(
            world.fleet, world.state, world.database, self.ref, target=target, now=utc_now(), **how
        )

    def finding(self, about: str, **how: Any) -> Finding:
        """The one finding about something."""
        (found,) = (f for f in self.plan(**how).findings if f.about == about)
        return found


def backed_up(fresh: FreshDatabase, directory: Path, sql: str = "", bucket: Bucket | None = None) -> Planned:
    """Makes the shop and whatever else, and takes its backup into every store; the ref is the last one's."""
    world = make_world(fresh, directory, rows=500, offsite=bucket.store if bucket else None)
    if sql:
        world.sql(sql)
    return Planned(world, world.back_up().refs[-1])


@pytest.fixture(params=["db18", "db15"])
def fresh(request: pytest.FixtureRequest) -> FreshDatabase:
    """A fresh database on PostgreSQL 18, then on 15."""
    made: FreshDatabase = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def planned(fresh: FreshDatabase, tmp_path: Path) -> Planned:
    """The shop's backup, in a local store."""
    return backed_up(fresh, tmp_path)
