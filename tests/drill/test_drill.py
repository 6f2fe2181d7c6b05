"""Drills, what is due and what is late, as a user runs them: a real server, a real channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.notify.conftest import Listener, listener
from tests.recovery.world import World, utc_now, with_channels
from tests.retention.conftest import Aged
from tui.config.write import text_of
from tui.files import write_whole
from tui.model.backup import Backup, Verdict, Verification
from tui.model.channels import Webhook
from tui.model.fleet import BackupPolicy, Database, Fleet
from tui.operations.alarm import backup_failed
from tui.operations.catalogue.good import good_ones
from tui.operations.records import Drill, add_drill, drills
from tui.operations.verify.due import lateness

__all__ = ["listener"]

NOW = utc_now()
SHOP = Database("shop", "shop", "db", rpo=timedelta(hours=6), backup=BackupPolicy(stores=("s", "t")))


def backup(hours: float, store: str = "s", size: int = 100, **more: object) -> Backup:
    at = NOW - timedelta(hours=hours)
    made = Backup(store, f"shop-{hours}.dump", size, at, "shop", at, has_manifest=True)
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_drill_measures_and_leaves_nothing(two_stores: World) -> None:
    world = two_stores
    local, offsite = world.back_up().refs
    before = world.sql("SELECT count(*) FROM wallets")
    answer = world.answer("drill", "shop")
    assert answer["ref"] in (local, offsite) and answer["verdict"] == "clean"
    assert 0 < answer["rto_s"] < answer["rto_target_s"] == 1800 and 0 <= answer["rpo_s"] < 3600
    assert answer["due_next_at"] > utc_now().isoformat()
    assert any(c["name"] == "It can be restored" and c["passed"] for c in answer["checks"])
    assert world.databases() == {world.live.name} and world.sql("SELECT count(*) FROM wallets") == before
    (row,) = world.answer("inventory")
    assert row["last_drill"]["rto_s"] == answer["rto_s"] and row["last_verified_at"]
    (job,) = world.answer("jobs")
    assert (job["kind"], job["verdict"]) == ("drill", "clean")
    told = world.pgdr("drill", "shop", "--from", offsite)
    assert told.returncode == 0
    assert "DRILL RTO" in told.stdout and "DRILL shop (recovery): clean" in told.stdout
    newest, oldest = world.answer("drills", "shop")
    assert newest["rto_change_s"] == pytest.approx(newest["rto_s"] - oldest["rto_s"])
    assert newest["within_rto"] is True and newest["operator"] and oldest["rto_change_s"] is None


def test_a_drill_of_a_table_is_recorded_as_one(world: World) -> None:
    ref = world.back_up().refs[0]
    answer = world.answer("drill", "shop", "--table", "public.wallets")
    assert (answer["verdict"], answer["kind"], answer["ref"]) == ("clean", "table", ref)
    assert answer["rto_target_s"] == 900 and drills(world.state, "shop")[0].rto_target_s == 900  # a table's
    names = [c["name"] for c in answer["checks"]]
    assert "rows of public.wallets" in names
    (row,) = world.answer("inventory")
    assert row["last_drill"] is None and row["last_verified_at"] is None
    due = {d["what"]: d for d in world.answer("due")}
    assert due["single table"]["overdue"] is False and due["recovery"]["overdue"] is True
    assert due["single table"]["how"] == f"pgdr drill shop --table {world.database.key_tables[0]}"


def test_a_drill_that_fails_is_recorded_and_exits_1(world: World) -> None:
    made = world.back_up()
    path = next((world.config.parent / "backups").glob("*.dump"))
    path.write_bytes(path.read_bytes()[: made.manifest.size_bytes // 2])
    assert world.pgdr("drill", "shop").returncode == 1  # it isn't whole, so there is none to take
    assert world.pgdr("drill", "shop", "--from", made.refs[0]).returncode == 4  # its plan says stop
    assert drills(world.state, "shop") == ()
    path.unlink()
    for beside in (world.config.parent / "backups").iterdir():
        beside.unlink()
    done = world.pgdr("drill", "shop")
    assert done.returncode == 1 and "pgdr backup shop" in done.stderr
    text = world.config.read_text()
    world.config.write_text(text.replace('expect = "0"', 'expect = "1"'))
    world.back_up()
    answer = world.answer("drill", "shop", code=1)
    assert answer["verdict"] == "failed" and answer["rto_s"] > 0
    assert [d.verdict for d in drills(world.state, "shop")] == [Verdict.FAILED]
    assert {d["what"]: d["overdue"] for d in world.answer("due")}["recovery"] is True


def test_all_databases_in_one_go(world: World) -> None:
    fleet = world.fleet
    gone = replace(
        fleet.databases[0], name="gone", dbname=f"{world.live.name}_gone", checks=(), key_tables=()
    )
    write_whole(world.config, text_of(replace(fleet, databases=(*fleet.databases, gone))))
    world.back_up()
    shop, other = world.answer("drill", "--all", code=1)
    assert (shop["database"], shop["verdict"], shop["kind"]) == ("shop", "clean", "full")
    assert (other["database"], other["verdict"]) == ("gone", None) and "no good backup" in other["error"]
    due = {d["what"]: d["overdue"] for d in world.answer("due", "shop")}
    assert due == {"verification": False, "single table": True, "recovery": False, "full": False}


def test_a_drill_is_refused_where_it_makes_no_sense(world: World) -> None:
    assert world.pgdr("drill").returncode == 2
    assert world.pgdr("drill", "shop", "--all").returncode == 2
    assert world.pgdr("drill", "nosuch").returncode == 2
    assert world.pgdr("--read-only", "drill", "shop").returncode == 4
    assert world.pgdr("drill", "shop", "--from", "local:nothing.dump").returncode != 0


def test_what_is_due_and_that_verify_due_does_it(world: World) -> None:
    world.config.write_text(world.config.read_text().replace("[fleet]", '[fleet]\ndrill_every = "on demand"'))
    (row, *others) = world.answer("due", "shop")
    assert (row["what"], row["last_at"], row["due_at"], row["overdue"]) == ("verification", None, None, True)
    assert [other["what"] for other in others] == ["single table", "full"]
    assert world.answer("verify", "--due", code=1)[0]["error"]  # there is no backup yet
    ref = world.back_up().refs[0]
    (done,) = world.answer("verify", "--due")
    assert (done["database"], done["ref"], done["verdict"]) == ("shop", ref, "clean")
    assert world.answer("verify", "--due") == []
    (row, *_) = world.answer("due")
    assert row["overdue"] is False and row["by"] and row["due_at"] > row["last_at"]
    backups = world.config.parent / "backups"
    backups.rename(backups.with_name("elsewhere"))  # its verification lies there
    told = world.pgdr("due")
    assert told.returncode == 5 and "not known" in told.stdout
    assert not [line for line in told.stdout.splitlines() if "verification" in line and "never" in line]
    backups.with_name("elsewhere").rename(backups)
    add_drill(world.state, "shop", Drill(utc_now() - timedelta(days=400), 1.0, 1.0, Verdict.CLEAN, "full"))
    assert {d["what"]: d["overdue"] for d in world.answer("due")}["full"] is True


def test_late_tells_and_notifies_only_when_asked(world: World, listener: Listener) -> None:
    world = with_channels(world, Webhook("ops", f"{listener.url}/hook"))
    answer = world.answer("late", code=1)
    assert answer["ok"] is False and answer["databases"][0]["late"] is True and listener.asked == []
    answer = world.answer("late", "--notify", code=1)
    assert answer["notified"] == [{"channel": "ops", "error": None}] and len(listener.asked) == 1
    assert b"BACKUP LATE: Shop" in listener.asked[0].body and b"no good backup" in listener.asked[0].body
    aged = Aged(world, world.back_up().refs[0])
    assert world.answer("late", "--notify")["ok"] is True and len(listener.asked) == 1
    done = world.pgdr("late", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    old = aged.add(0.3)
    for name in aged.there():
        if name.startswith(aged.ref.partition(":")[2]):
            aged.store().delete(name)
    (row,) = world.answer("late", code=1)["databases"]
    assert row["ref"] == old and row["age_s"] > row["rpo_s"] and "7h 12m" in row["why"]
    world.back_up(selection="tables", tables=(("public", "users"),))
    partial = world.answer("late", code=1)["databases"][0]
    assert partial["ref"] == old and "partial" in partial["why"]
    (row,) = world.answer("inventory")
    assert (row["last_backup"]["ref"], row["last_backup"]["within_rpo"]) == (old, False)
    world.drop_live()
    assert world.pgdr("backup", "shop", "--notify-failure").returncode != 0
    assert b"BACKUP FAILED: Shop" in listener.asked[-1].body and b"shop: " in listener.asked[-1].body
    sent = backup_failed(world.fleet, {"shop": "pg_dump failed."}, "ann@db1", utc_now)
    assert [s.error for s in sent] == [None] and b"BACKUP FAILED" in listener.asked[-1].body
    assert backup_failed(Fleet("none"), {"shop": "why"}, "ann", utc_now) == ()


def test_what_cannot_be_counted_on_makes_late() -> None:
    failed = Verification(NOW, Verdict.FAILED)
    many = [backup(hours) for hours in (10, 20, 30)]
    for bad in (
        backup(1, has_manifest=False),
        backup(1, verification=failed),
        backup(1, size=10),
        backup(-5),
    ):
        (row,) = lateness([SHOP], [*many, bad], (), NOW)
        assert row.late is True and row.ref == many[0].ref
    assert lateness([SHOP], [*many, backup(5)], (), NOW)[0].late is False
    assert lateness([SHOP], [*many, backup(5, "elsewhere")], (), NOW)[0].late is True
    assert lateness([SHOP], [], ("s",), NOW)[0].late is True
    assert lateness([SHOP], [], ("s", "t"), NOW)[0].late is None
    assert good_ones([backup(1, "t", 10), *many], NOW)[0].store == "t"  # small against others' sizes only
