"""Everything in one run, and what a scheduler hears of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.recovery.world import World, make_world
from tests.servers import FreshDatabase
from tui.config.write import text_of
from tui.files import write_whole
from tui.model.fleet import Component, Criticality


@pytest.fixture
def fleet_of_three(db18: FreshDatabase, tmp_path: Path) -> World:
    """The shop, of medium weight; another, critical; one that is not there, of high; and files."""
    world = make_world(db18, tmp_path)
    db18.server.sql(f'CREATE DATABASE "{db18.name}_second" TEMPLATE "{db18.name}"')
    (tmp_path / "compose.yml").write_text("services: {}\n")
    fleet, shop = world.fleet, world.database
    databases = (
        replace(shop, criticality=Criticality.MEDIUM),
        replace(shop, name="gone", dbname=f"{db18.name}_gone", criticality=Criticality.HIGH),
        replace(shop, name="second", dbname=f"{db18.name}_second"),
    )
    components = (Component("files", "tar", paths=("compose.yml",)), Component("code", "git"))
    write_whole(world.config, text_of(replace(fleet, databases=databases, components=components)))
    return world


def test_all_in_the_order_of_their_weight_and_none_stops_another(fleet_of_three: World) -> None:
    rows = fleet_of_three.answer("backup", "--all", code=1)
    assert [row["database"] or row["component"] for row in rows] == ["second", "gone", "shop", "files"]
    assert [row["error"] is None for row in rows] == [True, False, True, True]
    for row in rows:
        assert {
            "database",
            "ref",
            "refs",
            "size_bytes",
            "sha256",
            "duration_s",
            "tables",
            "rows",
            "error",
        } <= set(row)
    assert rows[0]["rows"] == 2900 and rows[3]["rows"] is None and rows[3]["size_bytes"] > 0


def test_a_table_for_people(fleet_of_three: World) -> None:
    done = fleet_of_three.pgdr("backup", "--all")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[0].split() == ["what", "result", "size", "rows", "took", "refs"]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["second", "done"], ["gone", "FAILED"], ["shop", "done"], ["files", "done"],
    ]  # fmt: skip
    assert "gone" in done.stderr and "does not exist" in done.stderr


def test_what_goes_well_is_quiet(fleet_of_three: World) -> None:
    done = fleet_of_three.pgdr("backup", "shop", "second", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = fleet_of_three.pgdr("backup", "gone", "--quiet")
    assert done.returncode != 0 and done.stdout == "" and "does not exist" in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--all", "shop"),
        ("shop", "--compress", "best"),
        ("shop", "--encrypt-to", "ann@example.org"),
        ("shop", "--encrypt-to", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
         "--encrypt-to", "gpg:" + "A" * 40),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told(world: World, wrong: tuple[str, ...]) -> None:
    done = world.pgdr("backup", *wrong)
    assert done.returncode == 2 and "Next:" in done.stderr
    assert not list((world.config.parent / "backups").iterdir())


def test_what_the_configuration_says_holds(world: World) -> None:
    policy = replace(world.database.backup, format="plain", compression="gzip:9")
    write_whole(
        world.config, text_of(replace(world.fleet, databases=(replace(world.database, backup=policy),)))
    )
    (row,) = world.answer("backup", "shop")
    assert row["ref"].endswith(".sql.gz")
    (row,) = world.answer("backup", "shop", "--format", "custom", "--schema-only")
    assert row["ref"].endswith(".dump") and row["tables"] == 0
