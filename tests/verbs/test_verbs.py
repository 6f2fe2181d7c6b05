"""Every verb as a user runs it, on a real server and real stores: its JSON, its exit code."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.recovery.world import World
from tui.model.fleet import LocalStore
from tui.postgres.databases.databases import target_lock

UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def take_backup(world: World) -> str:
    (row,) = world.answer("backup", "shop", "--store", "local")
    assert row["error"] is None
    return str(row["ref"])


def test_backup_answers_what_it_took(two_stores: World) -> None:
    (row,) = two_stores.answer("backup", "shop")
    assert (row["database"], row["tables"], row["rows"], row["error"]) == ("shop", 3, 2900, None)
    assert re.fullmatch(r"[0-9a-f]{64}", row["sha256"]) and row["size_bytes"] > 0 and row["duration_s"] > 0
    assert [ref.partition(":")[0] for ref in row["refs"]] == ["local", "offsite"] or len(row["refs"]) == 2


def test_inventory_answers_every_field(world: World) -> None:
    ref = take_backup(world)
    (row,) = world.answer("inventory")
    wanted = {
        "name", "service", "place", "host", "port", "criticality", "status", "server_version", "size_bytes",
        "sessions", "rpo_s", "rto_s", "last_backup", "last_verified_at", "last_drill",
    }  # fmt: skip
    assert wanted <= set(row)
    assert (row["status"], row["criticality"], row["rpo_s"], row["rto_s"]) == (
        "up",
        "critical",
        21600.0,
        1800.0,
    )
    assert row["last_backup"]["ref"] == ref and row["last_backup"]["within_rpo"] is True
    assert UTC.fullmatch(row["last_backup"]["created_at"])
    assert row["last_verified_at"] is None and row["last_drill"] is None
    world.drop_live()
    (row,) = world.answer("inventory")
    assert (row["status"], row["size_bytes"]) == ("missing", None)


def test_backups_and_show_answer_what_lies_there(two_stores: World) -> None:
    two_stores.answer("backup", "shop")
    answer = two_stores.answer("backups", "shop")
    assert answer["errors"] == [] and len(answer["backups"]) == 2
    for row in answer["backups"]:
        assert {"ref", "store", "key", "database", "created_at", "size_bytes", "format", "server_version",
                "encrypted", "has_manifest", "verified_at"} <= set(row)  # fmt: skip
        shown = two_stores.answer("show", row["ref"])
        assert {t["name"]: t["rows"] for t in shown["tables"]} == {
            "users": 400,
            "wallets": 2000,
            "orders": 500,
        }
        assert all(t["compressed_bytes"] > 0 for t in shown["tables"])
        assert shown["fetched_bytes"] > 0 and shown["database"] == two_stores.live.name
    assert len(two_stores.answer("backups", "--limit", "1")["backups"]) == 1
    assert {r["store"] for r in two_stores.answer("backups", "--store", "offsite")["backups"]} == {"offsite"}


@pytest.mark.parametrize("store", ["local", "offsite"])
def test_restore_swap_and_undo(two_stores: World, store: str) -> None:
    world = two_stores
    world.answer("backup", "shop")
    (backup,) = world.answer("backups", "--store", store)["backups"]
    planned = world.answer("restore", backup["ref"], "--plan")
    assert planned["verdict"] is None and planned["plan"]["commands"]
    assert world.databases() == {world.live.name}

    world.sql("TRUNCATE orders")
    done = world.answer("restore", backup["ref"])
    assert (done["verdict"], done["errors"], done["rows"]) == ("clean", [], 2900)
    assert done["fetched_bytes"] == (0 if store == "local" else backup["size_bytes"])
    target = done["target"]
    assert world.count("orders", target) == 500 and world.count("orders") == 0

    assert world.pgdr("swap", "shop", target).returncode == 4
    assert world.pgdr("swap", "shop", target, "--confirm", "shops").returncode == 4
    assert world.count("orders") == 0
    swapped = world.answer("swap", "shop", target, "--confirm", "shop")
    assert world.count("orders") == 500 and world.count("orders", swapped["kept_as"]) == 0
    assert world.pgdr("undo", "shop").returncode == 4
    undone = world.answer("undo", "shop", "--confirm", "shop")
    assert undone["database"] == "shop" and undone["duration_s"] >= 0
    assert world.count("orders") == 0


@pytest.mark.parametrize(
    ("how", "was", "became"),
    [("gzip", b"(900)::numeric", b"(100)::numeric"), ("none", b"user7@example.org", b"user8@example.net")],
)
def test_an_archive_that_has_changed_where_it_lies_is_no_success(
    world: World, how: str, was: bytes, became: bytes
) -> None:
    (row,) = world.answer("backup", "shop", "--store", "local", "--compress", how)
    store = world.fleet.stores[0]
    assert isinstance(store, LocalStore)
    path = store.path / row["ref"].partition(":")[2]
    path.write_bytes(path.read_bytes().replace(was, became))
    done = world.pgdr("restore", row["ref"], "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"]) == (1, "failed")
    if how == "gzip":  # a definition: all of it could be loaded, and none of it says so
        assert [(error["class"], error["harmless"]) for error in told["errors"]] == [("archive", False)]
        assert "its hash differs" in told["errors"][0]["message"]
        assert world.answer("verify", row["ref"], code=1)["verdict"] == "failed"
        (shop,) = world.answer("inventory")
        assert (shop["last_backup"], shop["last_verified_at"]) == (None, None)
    else:  # a value: known before anything is made
        assert told["errors"] == [] and "its hash differs" in told["message"] and told["mend"]
        assert world.databases() == {world.live.name}


def test_verify_compares_records_and_leaves_nothing(world: World) -> None:
    ref = take_backup(world)
    answer = world.answer("verify", ref)
    assert answer["verdict"] == "clean" and answer["ref"] == ref and answer["duration_s"] > 0
    assert all({"name", "passed", "expected", "found"} <= set(c) for c in answer["checks"])
    assert any(c["name"].startswith("rows of") and c["passed"] for c in answer["checks"])
    assert world.databases() == {world.live.name}
    (row,) = world.answer("inventory")
    assert UTC.fullmatch(row["last_verified_at"])
    (listed,) = world.answer("backups")["backups"]
    assert (listed["verdict"], listed["verified_at"]) == ("clean", row["last_verified_at"])


def test_a_detached_restore_is_seen_by_jobs_and_attach(world: World) -> None:
    ref = take_backup(world)
    job = world.answer("restore", ref, "--detach")["job"]
    assert job in {j["job"] for j in world.answer("jobs")}
    ended = world.answer("attach", job)
    assert {"job", "kind", "state", "started_at", "percent", "eta_s", "verdict"} <= set(ended)
    assert (ended["state"], ended["percent"], ended["verdict"], ended["eta_s"]) == (
        "done",
        100.0,
        "clean",
        None,
    )
    assert world.answer("attach", "last")["job"] == job


def test_a_missing_role_is_explained_and_exits_3(world: World) -> None:
    server = world.live.server
    server.sql("CREATE ROLE reporting_gone")
    world.sql("GRANT SELECT ON users TO reporting_gone")
    ref = take_backup(world)
    world.sql("DROP OWNED BY reporting_gone; DROP ROLE reporting_gone")
    answer = world.answer("restore", ref, code=3)
    assert answer["verdict"] == "explained"
    (error,) = answer["errors"]
    assert error["class"] == "role_missing" and error["mend"] and "users" in error["entry"]


def test_report_tells_an_incident(world: World) -> None:
    guide = world.guide()
    guide.assess(lambda f: None)
    guide.close("stood down")
    told = world.pgdr("report", "1")
    assert told.returncode == 0 and "# Incident 1: shop" in told.stdout and "stood down" in told.stdout
    document = json.loads(world.pgdr("report", "1", "--format", "json").stdout)
    assert document["outcome"] == "stood down" and document["rto_s"] is None
    assert [i["id"] for i in world.answer("incidents")] == ["1"]


def test_check_says_that_all_is_well_and_what_is_not(world: World) -> None:
    assert world.answer("check")["ok"] is True
    world.drop_live()
    answer = world.answer("check", code=1)
    assert answer["ok"] is False and "does not exist" in answer["problems"][0]["what"]
    assert answer["problems"][0]["mend"]


def test_read_only_takes_away_what_changes_anything(world: World) -> None:
    ref = take_backup(world)
    for verb in (
        ("backup", "shop"),
        ("restore", ref),
        ("verify", ref),
        ("swap", "shop", "x"),
        ("undo", "shop"),
    ):
        done = world.pgdr("--read-only", *verb)
        assert done.returncode == 4 and "--read-only" in done.stderr, verb
    planned = world.pgdr("restore", ref, "--plan", "--read-only")
    assert planned.returncode == 0
    assert f"from    {ref}" in planned.stdout and "pg_restore" in planned.stdout and not planned.stderr


def test_a_target_that_another_one_works_on_is_refused(world: World) -> None:
    ref = take_backup(world)
    target = f"{world.live.name}_again"
    with target_lock(world.live.endpoint, target):
        told = world.answer("restore", ref, "--to", target, code=4)
    assert (told["state"], told["verdict"]) == ("failed", None) and target in told["message"]
    assert world.databases() == {world.live.name}


def test_streams_that_are_closed_or_full_change_no_outcome(world: World) -> None:
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *world.argv("backup", "shop", "--store", "local")]
    assert subprocess.run(closed, timeout=60, check=False).returncode == 0
    (taken,) = world.answer("backups")["backups"]
    assert taken["has_manifest"]
    if not Path("/dev/full").exists():  # Linux has it
        return
    for verb, code in (("nonsense", 2), ("inventory", 1)):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                world.argv(verb, "--json"),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
                check=False,
            )
        assert done.returncode == code and "pgdr: " in done.stderr and "Traceback" not in done.stderr, verb


def test_ctrl_c_leaves_the_restore_running(world: World) -> None:
    world.sql("INSERT INTO wallets (user_id, balance, note) SELECT 1, 1, repeat(md5(n::text), 9) "
              "FROM generate_series(1, 60000) n")  # fmt: skip
    ref = take_backup(world)
    process = subprocess.Popen(
        world.argv("restore", ref), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    deadline = time.monotonic() + 30
    while not world.answer("jobs") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "The job goes on" in said
    assert world.answer("attach", "last")["verdict"] == "clean"


def test_stdout_is_json_alone_and_no_secret_is_said(world: World) -> None:
    secret = "hunter2-very-secret"
    password = world.config.parent / "password"
    password.write_text(secret)
    text = world.config.read_text()
    world.config.write_text(
        text.replace("[databases.shop]", f'[databases.shop]\npassword = {{ file = "{password}" }}')
    )
    password.chmod(0o600)
    for line in [line for line in world.config.read_text().splitlines() if line.startswith("passfile")]:
        world.config.write_text(world.config.read_text().replace(line + "\n", ""))
    for verb in (("inventory", "--json"), ("check", "--json"), ("backup", "shop", "--json")):
        done = world.pgdr(*verb)
        json.loads(done.stdout)
        assert secret not in done.stdout + done.stderr
    kept = [p for p in world.state.rglob("*") if p.is_file()] if world.state.exists() else []
    assert all(secret.encode() not in p.read_bytes() for p in kept)


def test_state_is_private(world: World) -> None:
    world.answer("restore", take_backup(world))
    assert (world.state.stat().st_mode & 0o777) == 0o700
    for path in world.state.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_reader_that_goes_away_is_no_error(world: World) -> None:
    argv = " ".join(f"'{a}'" for a in world.argv("inventory"))
    script = f"{argv} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr and done.stdout.strip() in {"0", "141"}


def test_wheel_wide_paths_do_not_matter(world: World, tmp_path: Path) -> None:
    """The configuration's relative paths are relative to it, wherever the program is started."""
    done = subprocess.run(
        world.argv("backups", "--json"), cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and json.loads(done.stdout)["backups"] == []


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32])
def test_a_name_that_no_database_can_have_is_a_usage_error(world: World, name: str) -> None:
    ref = take_backup(world)
    done = world.pgdr("restore", ref, "--to", name)
    assert done.returncode == 2 and "63 bytes" in done.stderr
    assert world.databases() == {world.live.name}
