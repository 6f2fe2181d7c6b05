"""What stays on a server beside a live database, and is dropped only when it is named twice."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.recovery.world import World
from tui.postgres.connection import connect
from tui.postgres.databases.databases import fresh_name
from tui.postgres.databases.kept import made_from

AT = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)


@pytest.mark.parametrize("dbname", ["shop", "shop_v2", "we\"ird; name'", "é" * 40, "x" * 63, "a_restore"])
@pytest.mark.parametrize("purpose", ["restore", "before", "verify", "drill"])
def test_a_name_tells_from_what_and_when_it_was_made(dbname: str, purpose: str) -> None:
    name = fresh_name(dbname, purpose, AT)  # type: ignore[arg-type]
    assert made_from(name, dbname) == (purpose, AT)
    assert made_from(name + "_2", dbname) == (purpose, AT) or len(name.encode()) > 61


@pytest.mark.parametrize(
    ("name", "dbname"),
    [
        ("shop_v2_before_20261121T031000Z", "shop"),
        ("shop_before_20261121T031000Z", "sho"),
        ("shop_beef_before_20261121T031000Z", "shop"),
        ("shop_before_yesterday", "shop"),
        ("shop_before_20261399T991000Z", "shop"),
        ("shop", "shop"),
    ],
)
def test_a_name_of_another_database_is_left_alone(name: str, dbname: str) -> None:
    assert made_from(name, dbname)[1] is None


def test_what_a_restore_and_a_swap_leave_is_listed_and_dropped(world: World) -> None:
    ref = world.answer("backup", "shop")[0]["ref"]
    target = world.answer("restore", ref)["target"]
    (kept,) = world.answer("kept", "shop")["kept"]
    assert (kept["name"], kept["purpose"], kept["needed"], kept["unfit"]) == (target, "restore", None, None)
    assert kept["size_bytes"] > 0 and kept["sessions"] == 0
    old = world.answer("swap", "shop", target, "--confirm", "shop")["kept_as"]
    (kept,) = world.answer("kept")["kept"]
    assert kept["name"] == old and kept["purpose"] == "before" and "undo" in kept["needed"]

    refused = world.pgdr("drop", "shop", old, "--json")
    assert refused.returncode == 4 and old in world.databases() and old in refused.stderr
    assert world.pgdr("drop", "shop", old, "--confirm", "shop").returncode == 4
    assert world.pgdr("--read-only", "drop", "shop", old, "--confirm", old).returncode == 4
    assert world.pgdr("drop", "shop", world.live.name, "--confirm", world.live.name).returncode == 2
    assert old in world.databases()
    assert world.answer("drop", "shop", old, "--confirm", old)["dropped"] == old
    assert old not in world.databases()
    assert world.answer("kept")["kept"] == []


def test_what_is_in_use_is_not_dropped(world: World) -> None:
    ref = world.answer("backup", "shop")[0]["ref"]
    target = world.answer("restore", ref)["target"]
    with connect(world.live.endpoint, target):
        refused = world.pgdr("drop", "shop", target, "--confirm", target)
    assert refused.returncode == 4 and "1 session" in refused.stderr and target in world.databases()
