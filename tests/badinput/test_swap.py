"""What must never be put in the place of a live database, and what a swap leaves behind when things break."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.recovery.world import World, utc_now
from tui.config.write import text_of
from tui.files import NotWritten, write_whole
from tui.model.errors import PgdrError, Refused
from tui.operations.records import swaps
from tui.operations.swap import swap as operation
from tui.operations.swap.swap import swap_in, undo


def damaged(world: World) -> str:
    """A backup whose data was changed where it lies."""
    (row,) = world.answer("backup", "shop")
    path = world.config.parent / "backups" / str(row["ref"]).partition(":")[2]
    data = bytearray(path.read_bytes())
    for at in range(len(data) * 6 // 10, len(data) * 6 // 10 + 200):
        data[at] ^= 0x5A
    path.write_bytes(data)
    return str(row["ref"])


def test_what_a_failed_restore_left_is_not_put_in_place(world: World) -> None:
    failed = world.answer("restore", damaged(world), code=1)
    assert failed["verdict"] == "failed"
    said = world.answer("swap", "shop", failed["target"], "--confirm", "shop", code=4)["error"]
    assert "failed" in said["what"] and "COMMENT ON DATABASE" in said["mend"]
    assert world.count("wallets") == 2000 and not swaps(world.state, "shop")
    # Who has looked and wants it all the same does what was said
    world.live.server.sql(f'COMMENT ON DATABASE "{failed["target"]}" IS NULL')
    world.answer("swap", "shop", failed["target"], "--confirm", "shop")
    world.answer("undo", "shop", "--confirm", "shop")
    assert world.count("wallets") == 2000


def test_a_part_is_not_put_in_the_place_of_the_whole(world: World) -> None:
    (row,) = world.answer("backup", "shop")
    part = world.answer("restore", row["ref"], "--table", "public.users")
    assert part["verdict"] == "clean"
    said = world.answer("swap", "shop", part["target"], "--confirm", "shop", code=4)["error"]
    assert "public.users" in said["what"]


def test_a_whole_restore_carries_no_mark(world: World) -> None:
    (row,) = world.answer("backup", "shop")
    restored = world.answer("restore", row["ref"])["target"]
    comment = f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{restored}'"
    assert world.live.server.sql(comment).strip() == ""


@pytest.mark.parametrize("name", ["postgres", "template1", "template0"])
def test_the_servers_own_databases_are_never_swapped_in(world: World, name: str) -> None:
    said = world.answer("swap", "shop", name, "--confirm", "shop", code=4)["error"]
    assert "belongs to the server" in said["what"]
    assert world.live.server.sql("SELECT count(*) FROM pg_database WHERE datname = 'postgres'").strip() == "1"


def test_a_neighbour_of_the_fleet_is_never_swapped_in(world: World) -> None:
    neighbour = f"{world.live.name}_neighbour"
    world.live.server.sql(f'CREATE DATABASE "{neighbour}"')
    other = replace(world.database, name="other", dbname=neighbour)
    write_whole(world.config, text_of(replace(world.fleet, databases=(world.database, other))))
    said = world.answer("swap", "shop", neighbour, "--confirm", "shop", code=4)["error"]
    assert "live database of other" in said["what"]


def restored_one(world: World) -> str:
    (row,) = world.answer("backup", "shop")
    return str(world.answer("restore", row["ref"])["target"])


def test_nothing_is_swapped_that_could_not_be_taken_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = restored_one(world)

    def full(*_: Any) -> None:
        raise NotWritten(Path("swaps/shop.toml"), OSError(28, "No space left on device"))

    monkeypatch.setattr(operation, "save_swaps", full)
    with pytest.raises(PgdrError, match="No space left"):
        swap_in(world.state, world.database, target, "ann", utc_now)
    assert world.databases() == {world.live.name, target}


def test_a_swap_that_did_not_happen_leaves_no_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    target = restored_one(world)

    def refuse(*_: Any, **__: Any) -> None:
        raise Refused("No.")

    monkeypatch.setattr("tui.postgres.databases.swap.swap", refuse)
    with pytest.raises(Refused):
        swap_in(world.state, world.database, target, "ann", utc_now)
    assert swaps(world.state, "shop") == ()


def test_a_broken_record_of_swaps_is_told_kept_and_no_obstacle(world: World) -> None:
    first = restored_one(world)
    swap_in(world.state, world.database, first, "ann", utc_now)
    record = world.state / "swaps" / "shop.toml"
    record.write_bytes(b"\xff[[[")
    with pytest.raises(PgdrError, match="can't be read"):
        undo(world.state, world.database, "ann", utc_now)
    assert "_before_" in world.answer("undo", "shop", "--confirm", "shop", code=1)["error"]["mend"]
    second = restored_one(world)
    swap_in(world.state, world.database, second, "ann", utc_now)
    assert [p.read_bytes() for p in record.parent.glob("*unreadable*")] == [b"\xff[[["]
    undo(world.state, world.database, "ann", utc_now)
    assert world.databases() >= {second}


def test_a_swap_and_an_undo_that_a_kill_cut_off_are_taken_back_by_undo(world: World) -> None:
    target = restored_one(world)
    swap_in(world.state, world.database, target, "ann", utc_now)
    written = (world.state / "swaps" / "shop.toml").read_bytes()
    undo(world.state, world.database, "ann", utc_now)
    # As when it was killed after the renames, and before it was written down; and in the middle of a swap.
    (world.state / "swaps" / "shop.toml").write_bytes(written)
    for name in (target, world.live.name):
        world.live.server.sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    assert undo(world.state, world.database, "ann", utc_now).undone_at is not None
    assert world.count("wallets") == world.count("wallets", target) == 2000
