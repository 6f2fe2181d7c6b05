"""The choice of programs, by real programs and by scripts that say a version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint, Programs
from tui.postgres import programs as room
from tui.postgres.programs import candidates, dump_program, find_program, is_local, restore_program

HERE = Endpoint(host="127.0.0.1")
THERE = Endpoint(host="db.example")


def fake(directory: Path, version: str, name: str = "pg_dump") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) {version}"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with no PostgreSQL but what the test puts there."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(room, "_PLACES", ())
    monkeypatch.setattr(room, "_embedded", lambda: None)
    return tmp_path


def configured(*directories: Path) -> Programs:
    return Programs(directories)


def test_the_real_ones(pg15: object, pg18: object) -> None:
    found = {program.major: program for program in candidates("pg_restore")}
    assert {15, 18} <= set(found) and found[18].embedded and not found[15].embedded
    assert found[15].path.exists() and found[15].version.startswith("15.")
    assert dump_program("pg_dump", Programs(), HERE, 15).major == 15
    assert dump_program("pg_dumpall", Programs(), HERE, 18).major == 18
    assert restore_program(Programs(), HERE, 15, 18).major == 18
    assert restore_program(Programs(), HERE, 18, 15).major == 18
    assert restore_program(Programs(), HERE, 15, 15).major == 15


def test_the_smallest_that_suffices(bare: Path) -> None:
    directories = [fake(bare / v, v).parent for v in ("17.2", "13.1", "16.4 (Debian 16.4-1)", "19beta1")]
    given = configured(*directories)
    assert find_program("pg_dump", given, 14).version == "16.4"
    assert find_program("pg_dump", given, 14, prefer=17).version == "17.2"
    assert find_program("pg_dump", given, 18, prefer=17).major == 19
    with pytest.raises(PgdrError) as caught:
        find_program("pg_dump", given, 20)
    assert "Found here: 17.2, 13.1, 16.4, 19" in str(caught.value) and "PostgreSQL 20" in (
        caught.value.mend or ""
    )


def test_configured_directories_come_before_path(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = fake(bare / "path", "16.1")
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert find_program("pg_dump").path == on_path
    mine = fake(bare / "mine", "16.0")
    assert find_program("pg_dump", configured(mine.parent)).path == mine


def test_the_embedded_ones_come_last_for_a_server_elsewhere(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = fake(bare / "embedded", "18.6").parent
    monkeypatch.setattr(room, "_embedded", lambda: own)
    system = configured(fake(bare / "system", "19.0").parent)
    assert find_program("pg_dump", system, 18).version == "19.0"
    assert find_program("pg_dump", system, 18, local=True).embedded
    assert dump_program("pg_dump", system, THERE, 18).version == "19.0"
    assert dump_program("pg_dump", system, HERE, 18).embedded
    assert dump_program("pg_dump", Programs(), THERE, 18).embedded  # nothing else there


def test_what_is_no_program_is_passed_over(bare: Path) -> None:
    fake(bare / "silent", "nonsense")
    (bare / "plain").mkdir()
    (bare / "plain" / "pg_dump").write_text("not a program")
    wrapper = fake(bare / "wrapper", "15.1", "pg_wrapper")
    (bare / "wrapper" / "pg_dump").symlink_to(wrapper)
    (bare / "loop").mkdir()
    (bare / "loop" / "pg_dump").symlink_to("pg_dump")
    with pytest.raises(PgdrError, match="not found") as caught:
        find_program(
            "pg_dump", configured(*(bare / n for n in ("silent", "plain", "wrapper", "loop", "nowhere")))
        )
    assert "directories" in (caught.value.mend or "")


def test_an_upgraded_program_is_asked_again(bare: Path) -> None:
    path = fake(bare / "bin", "15.1")
    assert find_program("pg_dump", configured(path.parent)).version == "15.1"
    fake(bare / "bin", "15.22")
    assert find_program("pg_dump", configured(path.parent)).version == "15.22"


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        (HERE, True),
        (Endpoint(host="localhost"), True),
        (Endpoint(host="/run/postgresql"), True),
        (Endpoint(), True),
        (THERE, False),
        (Endpoint(pg_service="prod"), False),
    ],
)
def test_local(endpoint: Endpoint, local: bool) -> None:
    assert is_local(endpoint) is local
